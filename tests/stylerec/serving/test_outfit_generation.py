import pytest

from stylerec.serving.outfit_generation import generate_outfits
from stylerec.serving.outfit_slots import outfit_template


def generate(shop, *, history: tuple[str, ...] = (), **options) -> list[list[str]]:
    """Returns the items of each outfit; options are of the contract's rules or the request."""
    rules = shop.contract.of("complete-the-look").outfit.model_dump(mode="json")
    own = {name: options.pop(name) for name in list(options) if name in rules}
    weights = {"customer": options.pop("weight", 0.2)}
    weights["context"] = 1 - weights["customer"]
    catalogue = shop.catalogue(**options.pop("catalogue", {}))
    resolved = shop.resolved(
        "complete-the-look",
        contract=shop.contract_with("complete-the-look", outfit={**rules, **own}, weights=weights),
        catalogue=catalogue,
        history=shop.known(*history) if history else None,
        hero_item_id="dress-2",
        **options,
    )
    sets = outfit_template(resolved).sets
    found = generate_outfits(resolved, catalogue.style, sets, max_len=5)
    return [shop.ids(outfit.items) for outfit in found]


class TestGenerateOutfits:
    def test_items_of_the_heros_style_come_first(self, shop) -> None:
        assert generate(shop, limit=1) == [["heels-2", "clutch-2", "ring-2"]]

    def test_the_customers_weight_decides_between_hero_and_history(self, shop) -> None:
        history = ("ring-6", "dress-6")
        for weight, number in ((0.0, 2), (0.9, 2)):
            [first] = generate(shop, limit=1, history=history, weight=weight)
            assert first == [f"{kind}-{number}" for kind in ("heels", "clutch", "ring")]
        # Where nothing of the hero's style is left, the customer's is chosen.
        gone = {"in_stock": {f"{kind}-2": False for kind in ("heels", "clutch", "ring")}}
        [without] = generate(shop, limit=1, catalogue=gone)
        [personal] = generate(shop, limit=1, history=history, catalogue=gone)
        assert personal == ["heels-6", "clutch-6", "ring-6"]
        assert without != personal

    @pytest.mark.parametrize("bound", [0, 1, 2])
    def test_outfits_share_no_more_than_the_contract_says(self, shop, bound) -> None:
        outfits = [set(items) for items in generate(shop, limit=4, max_shared_items=bound)]
        assert len(outfits) == 4
        pairs = [(a, b) for n, a in enumerate(outfits) for b in outfits[n + 1 :]]
        assert max(len(a & b) for a, b in pairs) <= bound

    def test_the_cut_keeps_what_goes_best(self, shop) -> None:
        # The most popular ones would be numbers 0 and 1.
        assert generate(shop, limit=1, candidates_per_slot=1) == [["heels-2", "clutch-2", "ring-2"]]

    def test_the_same_request_gives_the_same_outfits(self, shop) -> None:
        options = {"limit": 8, "history": ("ring-6",)}
        assert generate(shop, **options) == generate(shop, **options)

    def test_a_type_that_comes_twice_gives_two_items(self, shop) -> None:
        [items] = generate(shop, limit=1, template=["ring", "RING"])
        assert items[0] == "ring-2"
        assert items[1] != "ring-2"
        assert items[1].startswith("ring-")
