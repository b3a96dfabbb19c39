from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylerec.data.text_values import parse_text


def _parse(kind, *cells):
    return parse_text(pa.chunked_array([pa.array(cells, pa.string())]), kind)


class TestParseText:
    @pytest.mark.parametrize(
        ("kind", "cell", "value"),
        [
            ("string", " 007 ", " 007 "),
            ("float", " 2.5 ", 2.5),
            ("float", "-1e3", -1000.0),
            ("integer", "007", 7),
            ("integer", "3.0", 3),
            ("boolean", "tRuE", True),
            ("boolean", "N", False),
            ("string_list", "a|b", ["a", "b"]),
            ("string_list", "x", ["x"]),
            ("timestamp", "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
            ("timestamp", "2026-01-02T03:04+0100", datetime(2026, 1, 2, 2, 4, tzinfo=UTC)),
        ],
    )
    def test_reads_a_value(self, kind, cell, value):
        parsed = _parse(kind, cell)
        assert parsed.values.to_pylist() == [value]
        assert parsed.is_wrong.to_pylist() == [False]

    @pytest.mark.parametrize(
        ("kind", "cell"),
        [
            ("float", "1,5"),
            ("float", "nan"),
            ("float", "inf"),
            ("float", "0x10"),
            ("integer", "2.5"),
            ("integer", "99999999999999999999"),
            ("boolean", "maybe"),
            ("string_list", "|"),
            ("timestamp", "1511544070"),
            ("timestamp", "2026-13-01"),
            ("timestamp", "01/02/2026"),
            ("timestamp", "9999-01-01"),
        ],
    )
    def test_a_wrong_cell_is_null_and_marked(self, kind, cell):
        parsed = _parse(kind, cell, None)
        assert parsed.values.to_pylist() == [None, None]
        assert parsed.is_wrong.to_pylist() == [True, False]

    def test_tells_times_without_a_zone(self):
        assert _parse("timestamp", "2026-01-02T03:04:05").has_zoneless_times
        assert not _parse("timestamp", "2026-01-02T03:04:05Z", None).has_zoneless_times

    @pytest.mark.parametrize("kind", ["float", "integer", "boolean", "timestamp", "string_list"])
    def test_takes_no_rows(self, kind):
        assert len(_parse(kind).values) == 0

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
    def test_every_written_float_is_read_back(self, numbers):
        assert _parse("float", *map(repr, numbers)).values.to_pylist() == numbers

    @given(
        st.lists(
            st.datetimes(
                min_value=datetime(1971, 1, 1),
                max_value=datetime(2100, 1, 1),
                timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7, minutes=-30))]),
            ),
            max_size=20,
        )
    )
    def test_every_written_time_is_read_back(self, times):
        assert _parse("timestamp", *(t.isoformat() for t in times)).values.to_pylist() == times
