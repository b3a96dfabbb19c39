"""The errors a user can cause, each saying where, expected, got and how to mend it."""

from collections.abc import Iterable


def shortened(values: Iterable[object], *, limit: int = 5) -> str:
    """Returns at most `limit` values joined by commas, saying how many were cut."""
    listed = [str(value) for value in values]
    rest = len(listed) - limit
    return ", ".join(listed[:limit]) + (f" and {rest} more" if rest > 0 else "")


class StyleRecError(Exception):
    """Something the user can mend: `where: expected ..., got ...; fix`.

    Args:
        where: File, column, field or component at fault.
        expected: What was needed.
        got: What was there instead.
        fix: What to do about it.
    """

    def __init__(self, where: str, *, expected: str, got: str, fix: str) -> None:
        self.where, self.expected, self.got, self.fix = where, expected, got, fix
        super().__init__(f"{where}: expected {expected}, got {got}; {fix}")


class DataError(StyleRecError):
    """A table that cannot be read or breaks its schema."""


class ConfigError(StyleRecError):
    """A setting or model configuration that cannot work."""


class ReleaseError(StyleRecError):
    """A release that is incomplete, corrupt or cannot be published."""


class GateError(StyleRecError):
    """A candidate release that is worse than its gate allows."""


class StackError(StyleRecError):
    """A local process that is missing, cannot start or does not answer."""


class RequestError(StyleRecError):
    """A request that is wrong; becomes HTTP 400 naming the field in `where`."""
