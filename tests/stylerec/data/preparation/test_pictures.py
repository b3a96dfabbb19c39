import numpy as np
import pytest
from PIL import Image

from stylerec.data.preparation.pictures import decode_pictures, read_picture
from stylerec.data.prepared import IMAGE_SIZE

RED = (200, 10, 10)


@pytest.fixture
def picture(tmp_path):
    def save(name, size=(40, 40), colour=RED, mode="RGB", **options):
        path = tmp_path / name
        Image.new(mode, size, colour).save(path, **options)
        return path

    return save


class TestReadPicture:
    def test_keeps_proportions_on_white(self, picture):
        pixels = read_picture(picture("tall.png", size=(32, 64)))
        assert pixels.shape == (IMAGE_SIZE, IMAGE_SIZE, 3)
        assert tuple(pixels[32, 32]) == RED
        # Half as wide as high: a quarter of the width is white on each side.
        assert (pixels[:, :15] == 255).all()
        assert (pixels[:, 49:] == 255).all()

    def test_transparent_pixels_are_white(self, picture):
        pixels = read_picture(picture("clear.png", colour=(0, 0, 0, 0), mode="RGBA"))
        assert (pixels == 255).all()

    @pytest.mark.parametrize("mode", ["L", "P", "CMYK", "I;16", "1"])
    def test_every_mode_becomes_rgb(self, tmp_path, mode):
        path = tmp_path / "x.tiff"
        Image.new(mode, (8, 8)).save(path)
        assert read_picture(path).shape == (IMAGE_SIZE, IMAGE_SIZE, 3)

    @pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n broken", b"GIF89a"])
    def test_is_none_when_it_is_no_picture(self, tmp_path, content):
        path = tmp_path / "x.png"
        path.write_bytes(content)
        assert read_picture(path) is None

    def test_is_none_when_it_is_cut_off(self, picture):
        path = picture("noise.jpg", size=(64, 64))
        path.write_bytes(path.read_bytes()[:300])
        assert read_picture(path) is None


class TestDecodePictures:
    def test_counts_what_it_could_not_use(self, tmp_path, picture):
        picture("good.png")
        (tmp_path / "bad.png").write_bytes(b"no")
        (tmp_path.parent / "outside.png").write_bytes((tmp_path / "good.png").read_bytes())
        paths = ["good.png", "bad.png", "absent.png", None, "../outside.png"]
        decoded = decode_pictures(
            tmp_path, paths, tmp_path / "out.npy", num_threads=2, progress=lambda line: None
        )
        assert (decoded.num_decoded, decoded.num_corrupt, decoded.num_missing) == (1, 1, 2)
        assert decoded.images.shape == (2 + 5, IMAGE_SIZE, IMAGE_SIZE, 3)
        assert np.flatnonzero(decoded.images.any(axis=(1, 2, 3))).tolist() == [2]
        assert tuple(decoded.images[2, 32, 32]) == RED
