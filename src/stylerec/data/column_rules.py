"""The value rules of `schema.columns` as a pandera schema, and what to say when one is broken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa

from stylerec.data.table_errors import MAX_NAMED_ROWS, column_error, in_rows
from stylerec.data.table_files import TableFile
from stylerec.errors import shortened
from stylerec.schema.columns import Column

CLOCK_SKEW = timedelta(minutes=5)
"""A time may lie this far in the future: the clocks of two machines never agree."""

_MAX_SHOWN_VALUES = 5


@dataclass(frozen=True)
class _Rule:
    """A check on the filled cells of a column, or on its empty ones when `check` is None."""

    expected: str
    got: str
    fix: str
    check: pandera.Check | None = None
    shows_values: bool = False


@dataclass
class _Breach:
    """The rows of one column that break one rule."""

    column: str
    rule: _Rule
    num_rows: int = 0
    rows: list[int] = field(default_factory=list)
    values: dict[str, None] = field(default_factory=dict)

    def add(self, cases: pd.DataFrame) -> None:
        self.num_rows += len(cases)
        # pandera returns many cases out of order.
        rows = cases["index"].astype("int64").nsmallest(MAX_NAMED_ROWS - len(self.rows))
        self.rows += rows.tolist()
        if self.rule.shows_values and len(self.values) <= _MAX_SHOWN_VALUES:
            distinct = cases["failure_case"].drop_duplicates()[: _MAX_SHOWN_VALUES + 1]
            self.values.update(dict.fromkeys(map(str, distinct)))

    @property
    def text(self) -> str:
        shown = f" ({shortened(self.values)})" if self.values else ""
        return f"{self.rule.got}{shown} in {in_rows(self.num_rows, self.rows)}"


class ColumnRules:
    """Checks a table's values batch by batch and keeps count of what is wrong.

    Args:
        file: The table.
        now: Times more than `CLOCK_SKEW` later are refused; with a time zone.
    """

    def __init__(self, file: TableFile, *, now: datetime) -> None:
        self._file = file
        columns = [file.table.column(name) for name in file.columns]
        self._rules = {c.name: dict(_rules(c, now=now)) for c in columns}
        self._schema = pandera.DataFrameSchema(
            {
                c.name: pandera.Column(
                    checks=[r.check for r in self._rules[c.name].values() if r.check is not None],
                    nullable=c.is_nullable,
                )
                for c in columns
            }
        )
        self._breaches: dict[tuple[str, str], _Breach] = {}
        self._num_rows = 0

    def check(self, rows: pa.Table) -> None:
        """Checks the next rows of the file."""
        # Arrow-backed strings: on columns of Python objects every check is a loop.
        frame = rows.to_pandas(types_mapper={pa.string(): pd.StringDtype("pyarrow")}.get)
        frame.index = pd.RangeIndex(self._num_rows + 1, self._num_rows + 1 + len(frame))
        self._num_rows += len(frame)
        try:
            self._schema.validate(frame, lazy=True)
        except pandera.errors.SchemaErrors as error:
            for (column, check), cases in error.failure_cases.groupby(
                ["column", "check"], sort=False
            ):
                rule = self._rules[column][check]
                self._breaches.setdefault((column, check), _Breach(column, rule)).add(cases)

    def refuse_breaches(self) -> None:
        """Raises for the first column that breaks a rule, naming the others.

        Raises:
            DataError: A value checked so far breaks its column's rules.
        """
        order = {name: place for place, name in enumerate(self._file.columns)}
        breaches = sorted(self._breaches.values(), key=lambda breach: order[breach.column])
        if not breaches:
            return
        first, others = breaches[0], breaches[1:]
        also = "; also wrong: " + "; ".join(f"{b.column}: {b.text}" for b in others)
        raise column_error(
            self._file.source,
            first.column,
            expected=first.rule.expected,
            got=first.text,
            fix=first.rule.fix + (also if others else ""),
        )


def _rules(column: Column, *, now: datetime) -> Iterator[tuple[str, _Rule]]:
    yield "not_nullable", _Rule("a value in every row", "no value", "fill or drop those rows")
    if column.kind == "string" and column.is_required:
        yield _checked(
            "not blank",
            lambda values: values.str.strip() != "",
            _Rule("a value in every row", "blank text", "fill or drop those rows"),
        )
    if column.kind == "float":
        yield _checked(
            "finite", np.isfinite, _Rule("finite numbers", "infinity", "correct or empty the cells")
        )
    yield from _bounds(column)
    if column.allowed:
        yield _checked(
            "allowed",
            lambda values: values.isin(column.allowed),
            _Rule(
                f"one of {', '.join(column.allowed)}",
                "other values",
                "map them to one of these, or drop those rows",
                shows_values=True,
            ),
        )
    if column.is_past:
        latest = pd.Timestamp(now + CLOCK_SKEW)
        yield _checked(
            "past",
            lambda values: values <= latest,
            _Rule(
                f"no time after {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
                "later times",
                "check the unit and the time zone (UTC), or drop those rows",
                shows_values=True,
            ),
        )


def _bounds(column: Column) -> Iterator[tuple[str, _Rule]]:
    low, high = column.minimum, column.maximum
    if low is not None:
        yield _checked(
            "minimum",
            lambda values: values >= low,
            _Rule(f"{low:g} or more", "less", "correct or drop those rows", shows_values=True),
        )
    if high is not None:
        yield _checked(
            "maximum",
            lambda values: values <= high,
            _Rule(f"{high:g} or less", "more", "correct or drop those rows", shows_values=True),
        )


def _checked(name: str, check: Callable[[pd.Series], pd.Series], rule: _Rule) -> tuple[str, _Rule]:
    # pandera reports a broken check by its error text, here the rule's name.
    return name, replace(rule, check=pandera.Check(check, name=name, error=name))
