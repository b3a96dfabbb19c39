from pathlib import Path

import pytest
import yaml

from stylerec.errors import ConfigError
from stylerec.schema.touchpoints import MODEL_RUNGS, Rung, Touchpoint
from stylerec.serving.contract import default_contract_path, lint, load_contract

DEFAULT = default_contract_path().read_text(encoding="utf-8")


def replaced(old: str, new: str) -> str:
    assert old in DEFAULT
    return DEFAULT.replace(old, new)


def line_of(needle: str, text: str = DEFAULT) -> int:
    """Returns the line of the first appearance of `needle`, counted from 1."""
    return text[: text.index(needle)].count("\n") + 1


class TestDefaultContract:
    def test_has_no_fault(self) -> None:
        assert lint(DEFAULT) == []

    def test_describes_all_touchpoints(self) -> None:
        assert set(load_contract(default_contract_path()).touchpoints) == set(Touchpoint)

    def test_follows_the_ladder_of_the_design(self) -> None:
        contract = load_contract(DEFAULT)
        usual = (Rung.NEXT_ITEM, Rung.RANKING, Rung.CONTENT, Rung.POPULAR)
        special = {
            Touchpoint.PEOPLE_ALSO_BOUGHT: (Rung.CO_PURCHASE, *usual),
            Touchpoint.COMPLETE_THE_LOOK: (Rung.OUTFIT, Rung.CONTENT, Rung.POPULAR),
        }
        for touchpoint, rules in contract.touchpoints.items():
            assert rules.rungs == special.get(touchpoint, usual)

    def test_budgets_leave_the_reserve(self) -> None:
        contract = load_contract(DEFAULT)
        for rules in contract.touchpoints.values():
            models = sum(rules.budget_ms.of(rung) or 0 for rung in MODEL_RUNGS)
            spent = rules.budget_ms.history + models + contract.reserve_ms
            assert spent <= rules.deadline_ms

    def test_you_might_also_like_has_16_slots(self) -> None:
        contract = load_contract(DEFAULT)
        assert contract.of(Touchpoint.YOU_MIGHT_ALSO_LIKE).slots.default == 16


class TestLoadContract:
    def test_reads_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text(replaced('version: "1"', 'version: "2"'))
        assert load_contract(path).version == "2"

    def test_says_file_line_field_and_fix(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        text = replaced("max_instances: 32", "max_instances: many")
        path.write_text(text)
        where = rf"mine.yaml:{line_of('max_instances', text)}: max_instances: expected .*integer"
        with pytest.raises(ConfigError, match=where):
            load_contract(path)

    def test_counts_further_faults(self) -> None:
        text = replaced("traffic: 30", "traffic: -30").replace("traffic: 20", "traffic: -20")
        with pytest.raises(ConfigError, match="and 2 more faults"):
            load_contract(text)

    def test_raises_when_the_file_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="expected a readable UTF-8 YAML file"):
            load_contract(tmp_path / "none.yaml")

    def test_round_trips_through_yaml(self) -> None:
        text = yaml.safe_dump(load_contract(DEFAULT).model_dump(mode="json"))
        assert load_contract(text) == load_contract(DEFAULT)


class TestLint:
    @pytest.mark.parametrize(
        ("old", "new", "where", "got"),
        [
            ("history_ttl_days: 90", "history_ttl_days: 0", "history_ttl_days", "0"),
            ("history_ttl_days: 90", "history_ttl_days: .nan", "history_ttl_days", "nan"),
            ("max_instances: 32", "max_instances: '32'", "max_instances", "'32'"),
            ("max_instances: 32", "max_instances: true", "max_instances", "True"),
            ("max_instances: 32", "max_instance: 32", "max_instance", "'max_instance'"),
            (
                "candidates: bought_together",
                "candidates: given",
                "touchpoints.people-also-bought.candidates",
                "given",
            ),
            (
                "rungs: [outfit, content, popular]",
                "rungs: [outfit, content]",
                "touchpoints.complete-the-look.rungs",
                "outfit, content",
            ),
            (
                "rungs: [outfit, content, popular]",
                "rungs: [outfit, popular, popular]",
                "touchpoints.complete-the-look.rungs",
                "outfit, popular, popular",
            ),
            (
                "weights: {customer: 0.2, context: 0.8}",
                "weights: {customer: 0.2, context: 0.7}",
                "touchpoints.complete-the-look.weights",
                "0.9",
            ),
            (
                "slots: {default: 3, maximum: 8}",
                "slots: {default: 3, maximum: 9}",
                "touchpoints.complete-the-look.slots.maximum",
                "9",
            ),
            (
                "slots: {default: 3, maximum: 8}",
                "slots: {default: 4, maximum: 3}",
                "touchpoints.complete-the-look.slots.default",
                "4",
            ),
            (
                "budget_ms: {history: 35, outfit: 190}",
                "budget_ms: {history: 35}",
                "touchpoints.complete-the-look.budget_ms",
                "none",
            ),
            (
                "budget_ms: {history: 35, outfit: 190}",
                "budget_ms: {history: 35, outfit: 190, ranking: 5}",
                "touchpoints.complete-the-look.budget_ms.ranking",
                "ranking: 5",
            ),
            (
                "budget_ms: {history: 35, outfit: 190}",
                "budget_ms: {history: 46, outfit: 190}",
                "touchpoints.complete-the-look.deadline_ms",
                "250",
            ),
            (
                "low_price: {max_price: 25, max_share_of_bag: 0.5}",
                "low_price: {max_price: 25, max_share_of_bag: 1.5}",
                "touchpoints.little-something-extra.low_price.max_share_of_bag",
                "1.5",
            ),
            (
                "title: New in,",
                "title: '',",
                "touchpoints.for-you.carousels[1].title",
                "''",
            ),
            (
                "rule: new_in",
                "rule: in_the_sale",
                "touchpoints.for-you.carousels",
                "like_your_saved_items, in_the_sale, in_the_sale, picked_for_you",
            ),
            (
                "templates: {}",
                "templates: {Dress: [[]]}",
                "touchpoints.complete-the-look.outfit.templates.Dress",
                "sizes [0]",
            ),
        ],
    )
    def test_finds_the_field_and_its_line(self, old: str, new: str, where: str, got: str) -> None:
        text = replaced(old, new)
        faults = {fault.where: fault for fault in lint(text)}
        assert where in faults
        assert faults[where].got == got
        assert faults[where].fix
        # The two that concern a whole section point at its first line.
        above = {
            "touchpoints.complete-the-look.deadline_ms": 1,
            "touchpoints.for-you.carousels": 2,
        }
        assert faults[where].line == line_of(old) - above.get(where, 0)

    def test_finds_a_missing_touchpoint(self) -> None:
        document = yaml.safe_load(DEFAULT)
        del document["touchpoints"]["for-you"]
        [fault] = lint(yaml.safe_dump(document))
        assert (fault.where, fault.got) == ("touchpoints", "no for-you")

    def test_finds_sections_in_the_wrong_place(self) -> None:
        document = yaml.safe_load(DEFAULT)
        touchpoints = document["touchpoints"]
        touchpoints["for-you"]["low_price"] = touchpoints["little-something-extra"].pop("low_price")
        faults = lint(yaml.safe_dump(document))
        assert {fault.where for fault in faults} == {
            "touchpoints.for-you.low_price",
            "touchpoints.little-something-extra.low_price",
        }

    def test_refuses_co_purchase_without_a_hero_or_bag(self) -> None:
        document = yaml.safe_load(DEFAULT)
        document["touchpoints"]["for-you"]["rungs"].insert(0, "co_purchase")
        [fault] = lint(yaml.safe_dump(document))
        assert fault.expected == "co_purchase only with a hero or a bag"

    def test_refuses_a_context_weight_without_context(self) -> None:
        document = yaml.safe_load(DEFAULT)
        document["touchpoints"]["for-you"]["weights"] = {"customer": 0.5, "context": 0.5}
        [fault] = lint(yaml.safe_dump(document))
        assert fault.where == "touchpoints.for-you.weights.context"

    def test_refuses_an_outfit_that_could_hold_its_hero_twice(self) -> None:
        document = yaml.safe_load(DEFAULT)
        document["touchpoints"]["complete-the-look"]["filters"] = {"exclude_hero": False}
        [fault] = lint(yaml.safe_dump(document))
        assert fault.where == "touchpoints.complete-the-look.filters"

    def test_refuses_price_bounds_that_exclude_each_other(self) -> None:
        document = yaml.safe_load(DEFAULT)
        document["touchpoints"]["complete-the-look"]["outfit"]["min_price_ratio"] = 11
        [fault] = lint(yaml.safe_dump(document))
        assert fault.where == "touchpoints.complete-the-look.outfit.min_price_ratio"

    def test_suggests_the_nearest_name(self) -> None:
        [fault] = [f for f in lint(replaced("default: 3,", "defualt: 3,")) if "defualt" in f.where]
        assert fault.fix == "did you mean `default`?"

    def test_finds_every_fault_in_line_order(self) -> None:
        text = replaced("traffic: 4", "traffic: x").replace("max_instances: 32", "max_instances: x")
        lines = [fault.line for fault in lint(text)]
        assert len(lines) == 2
        assert lines == sorted(lines)

    def test_finds_a_key_given_twice(self) -> None:
        [fault] = lint(DEFAULT + 'version: "3"\n')
        assert fault.line == DEFAULT.count("\n") + 1
        assert f"line {line_of('version:')}" in fault.got

    @pytest.mark.parametrize(
        "text", ["", "a: [", "- a", "text", "x: \x00", "&a [*a]", "? [1]\n: 2", "a: 2026-99-99"]
    )
    def test_never_fails_on_what_is_no_contract(self, text: str) -> None:
        assert lint(text)
