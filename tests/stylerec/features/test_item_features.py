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


class TestTextWeights:
    def features(self, tokens):
        tokens = np.array(tokens, np.int32)
        nothing = np.zeros((len(tokens), 0), np.float32)
        return ItemFeatures(tokens, nothing.astype(np.int32), nothing, nothing)

    def test_rare_words_weigh_more(self):
        weights = self.features([[0, 0], [0, 0], [1, 2], [1, 3]]).text_weights()
        common, rare = np.log(5 / 3) + 1, np.log(5 / 2) + 1
        length = np.hypot(common, rare)
        np.testing.assert_allclose(weights[2], [common / length, rare / length], rtol=1e-6)

    def test_a_repeated_word_counts_once_for_its_rarity(self):
        twice = self.features([[0, 0], [0, 0], [1, 1], [2, 0]]).text_weights()
        np.testing.assert_allclose(twice[2], [2**-0.5, 2**-0.5], rtol=1e-6)
        np.testing.assert_allclose(twice[3], [1.0, 0.0])

    def test_no_words_weigh_nothing(self):
        assert self.features(np.zeros((3, 0))).text_weights().shape == (3, 0)
        assert not self.features([[0], [0], [0]]).text_weights().any()
