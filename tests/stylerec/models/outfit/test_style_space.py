import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylerec.data.prepared import PreparedData
from stylerec.models.outfit.style_space import map_styles, write_style_space

TYPES = [None, None, "a", "a", "a", "b", "b", "c", None]


@pytest.fixture
def style() -> np.ndarray:
    # Items 2, 5 and 7 point one way, the others another.
    table = np.zeros((9, 2), dtype=np.float32)
    table[[2, 5, 7]] = [[1.0, 0.0], [2.0, 0.1], [3.0, 0.0]]
    table[[3, 4, 6]] = [[0.0, 1.0], [0.1, 1.0], [0.0, 2.0]]
    return table


class TestMapStyles:
    def test_holds_items_of_known_types_most_usual_type_first(self, style) -> None:
        space = map_styles(style, TYPES, scale=0.5, seed=0)
        assert space.types == ("a", "b", "c")
        assert space.item_M.tolist() == [2, 3, 4, 5, 6, 7]
        assert space.type_M.tolist() == [0, 0, 0, 1, 1, 2]
        assert space.place_M2.min(axis=0).tolist() == [0.0, 0.0]
        assert space.place_M2.max(axis=0).tolist() == pytest.approx([1.0, 1.0])

    def test_neighbours_are_the_nearest_by_direction_and_never_the_item(self, style) -> None:
        space = map_styles(style, TYPES, scale=0.5, seed=0)
        # Item 2 points exactly where item 7 does, and nearly where item 5 does.
        assert space.item_M[space.neighbour_MK[0]].tolist()[:2] == [7, 5]
        assert not (space.neighbour_MK == np.arange(6)[:, None]).any()

    def test_matches_are_the_best_of_each_other_type(self, style) -> None:
        space = map_styles(style, TYPES, scale=0.5, seed=0)
        # Of type c there is item 7, 0.5 * 1 * 3; of type b item 5, 0.5 * 1 * 2.
        assert space.item_M[space.match_MK[0, :2]].tolist() == [7, 5]
        assert space.match_score_MK[0, :2].tolist() == pytest.approx([1.5, 1.0])
        assert (space.match_MK[0, 2:] == -1).all()

    def test_shares_the_room_out_among_the_types(self) -> None:
        names = [None, None, *["a"] * 90, *["b"] * 30, *["c"] * 2]
        style = np.random.default_rng(0).standard_normal((len(names), 4)).astype(np.float32)
        space = map_styles(style, names, scale=1.0, seed=0, max_items=22)
        assert np.bincount(space.type_M).tolist() == [10, 10, 2]

    def test_the_same_arguments_give_the_same_map(self) -> None:
        names = [None, None, *["a", "b"] * 20]
        style = np.random.default_rng(0).standard_normal((42, 4)).astype(np.float32)
        one, other = (map_styles(style, names, scale=1.0, seed=3) for _ in range(2))
        np.testing.assert_array_equal(one.place_M2, other.place_M2)

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_few_items_are_no_problem(self, count) -> None:
        style = np.eye(count + 2, dtype=np.float32)
        space = map_styles(style, [None, None, *["a"] * count], scale=1.0, seed=0)
        assert space.place_M2.shape == (count, 2)
        assert np.isfinite(space.place_M2).all()

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_items_all_of_one_style_are_no_problem(self, value) -> None:
        style = np.full((42, 4), value, dtype=np.float32)
        space = map_styles(style, [None, None, *["a", "b"] * 20], scale=1.0, seed=0)
        assert len(np.unique(space.place_M2, axis=0)) == 40


@pytest.fixture(scope="module")
def written(prepared, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("space")
    data = PreparedData(prepared)
    style = np.random.default_rng(0).standard_normal((146, 8)).astype(np.float32)
    write_style_space(style, data, folder, scale=0.5, seed=1, max_items=60)
    return folder


def page_data(folder: Path) -> dict:
    text = (folder / "style_space.html").read_text("utf-8")
    return json.loads(re.search(r"const data = (.*);\n", text)[1])


class TestWriteStyleSpace:
    def test_the_page_loads_nothing_from_elsewhere(self, written) -> None:
        text = (written / "style_space.html").read_text("utf-8")
        assert not re.search(r"""(src|href)\s*=|url\(\s*["']?http|@import""", text)
        assert "$" not in text

    def test_the_page_holds_items_pictures_and_matches(self, written) -> None:
        data = page_data(written)
        text = (written / "style_space.html").read_text("utf-8")
        assert len(data["titles"]) == len(data["x"]) == 60
        assert {kind["name"] for kind in data["types"]} == {"dress", "shoes", "bag", "hat"}
        assert all(len(row) == 3 for row in data["matches"])
        assert max(data["picture"]) >= 58
        assert 'const sheet = "data:image/jpeg;base64,' in text

    def test_the_png_can_be_opened(self, written) -> None:
        with Image.open(written / "style_space.png") as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 800

    def test_a_title_cannot_end_the_script(self, written) -> None:
        text = (written / "style_space.html").read_text("utf-8")
        assert text.count("</script>") == 1

    def test_works_without_pictures(self, retailer, tmp_path) -> None:
        data = PreparedData(retailer(tmp_path / "plain", has_images=False))
        write_style_space(np.zeros((146, 4), np.float32), data, tmp_path, scale=1.0, seed=0)
        assert 'const sheet = "";' in (tmp_path / "style_space.html").read_text("utf-8")


HOVER = """<script>
draw();
const area = canvas.getBoundingClientRect(), [x, y] = place(7);
canvas.dispatchEvent(
  new PointerEvent("pointermove", {clientX: area.left + x, clientY: area.top + y}));
document.body.dataset.hovered = hovered;
</script></body>"""


@pytest.fixture(scope="module")
def hovered(written, tmp_path_factory) -> tuple[int, str]:
    """Returns the item that the pointer is on, and what the page then says of it."""
    browser = shutil.which("chromium")
    if browser is None:
        # Nothing else here needs a browser, so `make install` brings none.
        pytest.skip("chromium is not installed")
    folder = tmp_path_factory.mktemp("browser")
    text = (written / "style_space.html").read_text("utf-8")
    (folder / "page.html").write_text(text.replace("</body>", HOVER), "utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}")
    command = [browser, *options, "--dump-dom", f"file://{folder}/page.html"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    [item] = re.findall(r'data-hovered="(-?\d+)"', result.stdout)
    [panel] = re.findall(r'id="item".*?</aside>', result.stdout, re.DOTALL)
    return int(item), panel


class TestPageInABrowser:
    def test_hovering_shows_the_picture_and_the_name(self, written, hovered) -> None:
        item, panel = hovered
        data = page_data(written)
        assert f"<h2>{data['titles'][item]}</h2>" in panel
        [picture] = re.findall(r'class="head"><div class="pic" style="([^"]*)"', panel)
        assert "data:image/jpeg;base64," in picture

    def test_then_the_best_matches_with_scores_and_the_nearest_neighbours(
        self, written, hovered
    ) -> None:
        item, panel = hovered
        data = page_data(written)
        matches, neighbours = panel.split("<h3>")[1:]
        assert re.findall(r'class="row" title="([^"]*)"', matches) == [
            data["titles"][other] for other in data["matches"][item]
        ]
        shown = [float(text) for text in re.findall(r"<b>([^<]*)</b>", matches)]
        assert shown == data["scores"][item][: len(shown)]
        assert re.findall(r'class="row" title="([^"]*)"', neighbours) == [
            data["titles"][other] for other in data["neighbours"][item]
        ]
        kinds = [data["type"][other] for other in data["matches"][item]]
        assert len(kinds) == 3 == len({*kinds, data["type"][item]}) - 1


def test_training_writes_the_map(trained) -> None:
    assert {"style_space.html", "style_space.png"} <= {path.name for path in trained[0].iterdir()}
