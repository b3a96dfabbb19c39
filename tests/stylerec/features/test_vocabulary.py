import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylerec.errors import ReleaseError
from stylerec.features.vocabulary import Vocabulary

IDS = st.lists(st.text(max_size=8), unique=True, max_size=20)


class TestVocabulary:
    def test_indices_start_after_padding_and_unknown(self):
        vocabulary = Vocabulary(("a", "b"))
        assert vocabulary.num_items == 2 + 2
        assert [vocabulary.item_index(i) for i in ("a", "b", "c")] == [2, 3, 1]

    @settings(deadline=None)
    @given(IDS)
    def test_index_and_id_are_inverse(self, ids):
        vocabulary = Vocabulary(tuple(ids))
        indices = vocabulary.encode_items(ids)
        assert [vocabulary.item_id(int(i)) for i in indices] == ids
        assert [vocabulary.item_index(i) for i in ids] == indices.tolist()

    def test_reserved_and_foreign_indices_name_no_item(self):
        vocabulary = Vocabulary(("a",))
        for index in (-1, 0, 1, 3):
            with pytest.raises(IndexError, match="names no item"):
                vocabulary.item_id(index)

    def test_refuses_repeated_ids(self):
        with pytest.raises(ReleaseError, match="distinct item ids"):
            Vocabulary(("a", "b", "a"))

    def test_categories_are_missing_unknown_or_known(self):
        vocabulary = Vocabulary((), {"colour": ("blue", "red")})
        encoded = vocabulary.encode_category("colour", ["red", None, "mauve", "blue"])
        assert encoded.tolist() == [1 + 2, 0, 1, 0 + 2]
        assert vocabulary.category_size("colour") == 2 + 2

    def test_encodes_nothing_as_an_empty_array(self):
        assert Vocabulary(("a",)).encode_items([]).shape == (0,)

    @settings(deadline=None)
    @given(IDS, IDS)
    def test_reloads_equal(self, tmp_path_factory, ids, colours):
        path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.json"
        vocabulary = Vocabulary(tuple(ids), {"colour": tuple(colours)})
        vocabulary.save(path)
        assert Vocabulary.load(path) == vocabulary
