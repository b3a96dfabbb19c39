import pytest

from stylerec.errors import RequestError
from stylerec.serving.request_fields import MAX_TEXT_LENGTH, integer, number, shown, text, texts


class TestShown:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (None, "null"),
            (True, "true"),
            (3, "3"),
            (2**200, "an integer of 201 bits"),
            (1.5, "1.5"),
            ("é", r"'\xe9'"),
            ([1, [2]], "a list of 2"),
            ({"a": 1}, "an object"),
            (b"x", "bytes"),
        ],
    )
    def test_describes_without_quoting_at_length(self, value: object, expected: str) -> None:
        assert shown(value) == expected

    def test_cuts_long_text(self) -> None:
        assert len(shown("x" * 10_000)) == 60 + len("''")


class TestText:
    def test_accepts_the_longest_text(self) -> None:
        assert text("é" * MAX_TEXT_LENGTH, "id") == "é" * MAX_TEXT_LENGTH

    @pytest.mark.parametrize("value", ["", "x" * (MAX_TEXT_LENGTH + 1), "\udfff", 3, None, ["a"]])
    def test_refuses_what_is_no_id(self, value: object) -> None:
        with pytest.raises(RequestError, match=r"^id: expected"):
            text(value, "id")


class TestTexts:
    def test_keeps_first_appearances(self) -> None:
        assert texts(["b", "a", "b"], "ids", maximum=3, may_be_empty=False) == ("b", "a")

    def test_counts_repeats_towards_the_maximum(self) -> None:
        with pytest.raises(RequestError, match="at most 2 ids, got 3"):
            texts(["b", "b", "b"], "ids", maximum=2, may_be_empty=False)

    def test_empty_only_where_allowed(self) -> None:
        assert texts([], "ids", maximum=2, may_be_empty=True) == ()
        with pytest.raises(RequestError, match="at least one id"):
            texts([], "ids", maximum=2, may_be_empty=False)


class TestNumbers:
    def test_integer_bounds_are_inclusive(self) -> None:
        assert [integer(value, "limit", maximum=8) for value in (1, 8)] == [1, 8]

    def test_number_takes_whole_numbers(self) -> None:
        assert number(7, "max_price") == 7.0

    @pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), 10**400, "7", False])
    def test_number_refuses_what_is_no_price(self, value: object) -> None:
        with pytest.raises(RequestError, match="a number above 0"):
            number(value, "max_price")
