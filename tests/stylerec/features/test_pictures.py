import numpy as np
import pytest

from stylerec.features.pictures import CHANNELS, GRID, NUM_IMAGE_FEATURES, colour_grid


def _pictures(count, seed=0):
    return np.random.default_rng(seed).integers(1, 256, (count, 64, 64, 3), dtype=np.uint8)


class TestColourGrid:
    def test_has_one_row_per_item(self):
        assert colour_grid(_pictures(5)).shape == (5, NUM_IMAGE_FEATURES)

    def test_is_standardised_over_items_with_a_picture(self):
        images = _pictures(50)
        images[:10] = 0
        features = colour_grid(images)
        np.testing.assert_allclose(features[10:].mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(features[10:].std(axis=0), 1, atol=1e-4)

    def test_is_zero_where_there_is_no_picture(self):
        images = _pictures(3)
        images[1] = 0
        features = colour_grid(images)
        assert not features[1].any()
        assert features[0].any()

    def test_is_zero_without_any_picture(self):
        assert not colour_grid(np.zeros((3, 64, 64, 3), np.uint8)).any()

    def test_tells_colours_and_places_apart(self):
        images = np.full((2, 64, 64, 3), 255, dtype=np.uint8)
        images[0, :16, :16] = (255, 0, 0)
        cells = colour_grid(images).reshape(2, GRID, GRID, CHANNELS)
        # Two items: one below and one above the mean, a deviation away from it.
        np.testing.assert_allclose(cells[:, 0, 0, 1], [-1, 1], atol=1e-5)
        np.testing.assert_allclose(cells[:, 0, 0, 0], [0, 0], atol=1e-5)
        np.testing.assert_allclose(cells[:, 3, 3], 0, atol=1e-5)

    def test_sees_texture_where_the_mean_colour_is_equal(self):
        images = np.full((2, 64, 64, 3), 100, dtype=np.uint8)
        images[0, :, ::2] = 50
        images[0, :, 1::2] = 150
        cells = colour_grid(images).reshape(2, GRID, GRID, CHANNELS)
        assert (cells[0, ..., 3] > cells[1, ..., 3]).all()

    @pytest.mark.parametrize("shape", [(2, 64, 32, 3), (2, 64, 64), (2, 64, 64, 4), (2, 30, 30, 3)])
    def test_raises_when_the_shape_is_wrong(self, shape):
        with pytest.raises(ValueError, match="images: expected"):
            colour_grid(np.zeros(shape, np.uint8))
