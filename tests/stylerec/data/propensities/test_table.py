from stylerec.data.propensities.table import Propensities

FOUND = Propensities(touchpoints={"for-you": (1.0, 0.5)}, left_out={"search-page": "3 clicks"})


class TestPropensities:
    def test_are_one_row_per_touchpoint_and_position(self):
        rows = list(FOUND.frame().itertuples(index=False, name=None))
        assert rows == [("for-you", 0, 1.0), ("for-you", 1, 0.5)]

    def test_an_empty_table_keeps_its_types(self):
        frame = Propensities(touchpoints={}, left_out={}).frame()
        assert frame.dtypes.astype(str).to_dict() == {
            "touchpoint": "object",
            "position": "int64",
            "propensity": "float64",
        }

    def test_reload_equal(self, tmp_path):
        FOUND.save(tmp_path / "propensities.json")
        assert Propensities.load(tmp_path / "propensities.json") == FOUND
