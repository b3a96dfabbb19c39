import numpy as np

from stylerec.models.outfit.templates import learn_templates
from stylerec.schema.outfits import ANY_HERO

# Items 2..6 by product type; 7 has none.
TYPES = [None, None, "dress", "shoes", "bag", "hat", "shoes", None]


def learn(*outfits: list[int], max_slots: int = 5, max_templates: int = 8):
    return learn_templates(
        [np.array(outfit) for outfit in outfits],
        TYPES,
        [None] * len(TYPES),
        max_slots=max_slots,
        max_templates=max_templates,
    )


class TestLearnTemplates:
    def test_the_most_frequent_comes_first(self):
        templates = learn([2, 3], [2, 4], [2, 4], [2, 3, 4])
        # Shoes and bags are usual alike but bags come first where they are more usual.
        assert templates["dress"] == [["bag"], ["bag", "shoes"], ["shoes"]]

    def test_leaves_out_the_heros_own_type_and_items_without_one(self):
        assert learn([3, 6, 2, 7])["shoes"] == [["dress"]]

    def test_keeps_a_type_as_often_as_it_is_worn(self):
        assert learn([2, 3, 6])["dress"] == [["shoes", "shoes"]]

    def test_cuts_long_templates_to_the_most_usual_types(self):
        templates = learn([2, 3, 4, 5], [2, 5], [2, 5, 4], max_slots=2)
        assert templates["dress"][0] == ["hat", "bag"]
        assert all(len(template) <= 2 for listed in templates.values() for template in listed)

    def test_keeps_the_most_frequent_of_many(self):
        assert learn([2, 3], [2, 4], [2, 4], max_templates=1)["dress"] == [["bag"]]

    def test_a_type_that_is_never_hero_gets_templates_too(self):
        templates = learn([2, 3], [2, 3, 4])
        assert templates["bag"] == [["dress", "shoes"]]

    def test_a_heros_own_outfits_win_over_others_it_is_in(self):
        templates = learn([3, 4], [2, 3], [2, 3])
        assert templates["shoes"] == [["bag"]]

    def test_the_default_is_the_most_frequent_of_all_heroes(self):
        templates = learn([2, 3], [4, 3], [5, 2])
        assert templates[ANY_HERO] == [["shoes"], ["dress"]]

    def test_is_empty_without_outfits(self):
        assert learn() == {}


class TestDepartments:
    DEPARTMENTS = (None, None, "women", "women", "men", None, "men", None)

    def learn(self, *outfits: list[int]):
        return learn_templates(
            [np.array(outfit) for outfit in outfits],
            TYPES,
            self.DEPARTMENTS,
            max_slots=5,
            max_templates=8,
        )

    def test_a_hero_type_has_templates_of_its_own_in_each_department(self):
        # Item 3 are women's shoes, item 6 men's.
        templates = self.learn(*[[3, 2]] * 5, *[[6, 4]] * 6)
        assert templates["shoes"] == [["bag"], ["dress"]]
        assert templates["shoes @ women"] == [["dress"]]
        assert templates["shoes @ men"] == [["bag"]]
        assert templates["* @ men"] == [["bag"]]

    def test_few_outfits_make_no_template_of_a_department(self):
        templates = self.learn(*[[3, 2]] * 4)
        assert templates["shoes"] == [["dress"]]
        assert not [key for key in templates if "@" in key]

    def test_an_item_without_a_department_counts_for_its_type_alone(self):
        templates = self.learn(*[[5, 2]] * 5)
        assert templates["hat"] == [["dress"]]
        assert "hat @ " not in " ".join(templates)
