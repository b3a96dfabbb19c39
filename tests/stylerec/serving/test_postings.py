import numpy as np

from stylerec.serving.postings import MISSING_CODE, Postings, factorised


class TestPostings:
    def test_keeps_the_given_order_within_a_code(self) -> None:
        codes = np.array([0, 0, 2, 1, 2, 1], dtype=np.int32)
        postings = Postings.build(codes, np.array([5, 4, 3, 2], dtype=np.int32))
        assert postings.of(1).tolist() == [5, 3]
        assert postings.of(2).tolist() == [4, 2]

    def test_has_none_for_the_missing_code(self) -> None:
        postings = Postings.build(np.zeros(4, dtype=np.int32), np.array([2, 3], dtype=np.int32))
        assert postings.of(MISSING_CODE).tolist() == []


class TestFactorised:
    def test_codes_are_alphabetical_and_0_is_missing(self) -> None:
        codes, names = factorised(["b", None, "a", " ", " b "])
        assert names == ("", "a", "b")
        assert codes.tolist() == [2, 0, 1, 0, 2]

    def test_treats_nan_as_missing(self) -> None:
        codes, _ = factorised([float("nan"), "a"])  # type: ignore[list-item]
        assert codes.tolist() == [0, 1]
