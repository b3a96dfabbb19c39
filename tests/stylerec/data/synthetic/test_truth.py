from dataclasses import fields

import numpy as np
import pytest

from stylerec.data.synthetic.assortment import COLOURS, MISSIONS
from stylerec.data.synthetic.truth import (
    OUTFIT_COLOUR_WEIGHT,
    OUTFIT_OCCASION_WEIGHT,
    OUTFIT_STYLE_WEIGHT,
    World,
    draw_world,
    pair_compatibility,
)
from stylerec.data.synthetic.wording import AESTHETIC_INDEX


class TestDrawWorld:
    def test_depends_on_the_seed(self):
        assert not np.array_equal(draw_world(1).mission, draw_world(2).mission)

    def test_aesthetics_are_nearly_orthonormal(self, world):
        np.testing.assert_allclose(
            world.aesthetic @ world.aesthetic.T, np.eye(len(world.aesthetic)), atol=16 / 512
        )

    def test_missions_lean_towards_their_first_aesthetic(self, world):
        closeness = world.mission @ world.aesthetic.T
        for mission, row in zip(MISSIONS, closeness, strict=True):
            assert row[AESTHETIC_INDEX[mission.aesthetics[0]]] > np.median(row)

    def test_colour_harmony_is_symmetric(self, world):
        np.testing.assert_array_equal(world.colour_harmony, world.colour_harmony.T)

    def test_gold_does_not_go_with_silver(self, world):
        names = list(COLOURS)
        gold, silver = names.index("gold"), names.index("silver")
        assert world.colour_harmony[gold, silver] < 0 < world.colour_harmony[gold, gold]

    def test_every_brand_serves_a_department(self, world):
        assert world.brand_departments.any(axis=1).all()


class TestWorld:
    def test_reloads_equal(self, world, tmp_path):
        world.save(tmp_path / "world.safetensors")
        reloaded = World.load(tmp_path / "world.safetensors")
        for field in fields(World):
            np.testing.assert_array_equal(getattr(reloaded, field.name), getattr(world, field.name))


class TestPairCompatibility:
    def test_adds_style_colour_and_occasion(self, world):
        styles = (world.aesthetic[0], world.aesthetic[0])
        score = pair_compatibility(
            world,
            styles=styles,
            colours=(np.array(0), np.array(1)),
            occasions=(np.array(2), np.array(2)),
        )
        style = float((world.aesthetic[0] ** 2 * world.compatibility_weight).sum())
        assert score == pytest.approx(
            OUTFIT_STYLE_WEIGHT * style
            + OUTFIT_COLOUR_WEIGHT * world.colour_harmony[0, 1]
            + OUTFIT_OCCASION_WEIGHT * 1
        )

    def test_is_symmetric(self, world):
        def score(first, second):
            return pair_compatibility(
                world,
                styles=(world.brand[first], world.brand[second]),
                colours=(np.array(first), np.array(second)),
                occasions=(np.array(first), np.array(second)),
            )

        assert score(3, 5) == pytest.approx(float(score(5, 3)))
