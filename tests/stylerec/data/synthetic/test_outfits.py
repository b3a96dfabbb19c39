import numpy as np
import pytest

from stylerec.data.synthetic.assortment import DEPARTMENTS, OUTFIT_TEMPLATES, TYPE_NAMES
from stylerec.data.synthetic.catalogue import NUM_TYPES
from stylerec.data.synthetic.outfits import NO_ITEM, draw_outfits, outfits_table
from stylerec.data.synthetic.truth import pair_compatibility


@pytest.fixture(scope="module")
def outfits(world, catalogue, config):
    return np.concatenate(
        list(draw_outfits(world, catalogue, seed=config.seed, num_outfits=config.num_outfits))
    )


def compatibility(world, catalogue, first, second):
    return pair_compatibility(
        world,
        styles=(catalogue.style[first], catalogue.style[second]),
        colours=(catalogue.colour[first], catalogue.colour[second]),
        occasions=(catalogue.occasion[first], catalogue.occasion[second]),
    )


class TestDrawOutfits:
    def test_follow_a_template_of_the_hero(self, outfits, catalogue):
        for outfit in outfits:
            items = outfit[outfit != NO_ITEM]
            department = DEPARTMENTS[catalogue.department[items[0]]]
            hero, *others = (TYPE_NAMES[kind] for kind in catalogue.product_type[items])
            assert tuple(others) in OUTFIT_TEMPLATES[department][hero]
            assert (catalogue.department[items] == catalogue.department[items[0]]).all()

    def test_go_together_better_than_a_replacement_of_the_same_type(
        self, outfits, world, catalogue
    ):
        rng = np.random.default_rng(0)
        hero, item = outfits[:, 0], outfits[:, 1]
        pool = catalogue.department[item] * NUM_TYPES + catalogue.product_type[item]
        start, stop = catalogue.pool_start[pool], catalogue.pool_start[pool + 1]
        other = rng.integers(start, stop)
        true = compatibility(world, catalogue, hero, item)
        replaced = compatibility(world, catalogue, hero, other)
        assert true.mean() > replaced.mean() + 1.0

    def test_are_many_different_ones(self, outfits):
        assert len(np.unique(outfits, axis=0)) > 0.9 * len(outfits)


class TestOutfitsTable:
    def test_has_one_hero_per_outfit_and_no_empty_slot(self, outfits, catalogue):
        frame = outfits_table(catalogue, outfits, first=10).to_pandas()
        assert len(frame) == (outfits != NO_ITEM).sum()
        assert (frame.groupby("outfit_id").is_hero.sum() == 1).all()
        assert frame.outfit_id.iloc[0] == "o0000011"
