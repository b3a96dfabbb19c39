import numpy as np

from stylerec.features.item_features import ItemFeatures


class TestItemFeatures:
    def test_reloads_equal(self, tmp_path):
        generator = np.random.default_rng(0)
        features = ItemFeatures(
            text_tokens=generator.integers(0, 9, (5, 4)).astype(np.int32),
            # A transposed view is not contiguous, which safetensors would write scrambled.
            categorical=generator.integers(0, 9, (3, 5)).astype(np.int32).T,
            numeric=generator.random((5, 2)).astype(np.float32),
            image=np.zeros((5, 0), np.float32),
        )
        features.save(tmp_path / "features.safetensors")
        loaded = ItemFeatures.load(tmp_path / "features.safetensors")
        for name, array in vars(features).items():
            np.testing.assert_array_equal(getattr(loaded, name), array)
            assert getattr(loaded, name).dtype == array.dtype
