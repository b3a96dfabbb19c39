"""Checked reading of single JSON values; whatever is wrong is a `RequestError`, never a crash."""

from stylerec.errors import RequestError

MAX_TEXT_LENGTH = 256
_MAX_SHOWN = 60
_WIDE_INTEGER_BITS = 128
_HIGHEST_NUMBER = 1e12


def shown(value: object) -> str:
    """Returns a short description of any JSON value; long or nested ones are only named."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _WIDE_INTEGER_BITS:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return ascii(value if len(value) <= _MAX_SHOWN else value[: _MAX_SHOWN - 3] + "...")
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, dict) else type(value).__name__


def mapping(value: object, where: str, *, fix: str) -> dict[str, object]:
    """Returns a JSON object.

    Raises:
        RequestError: It is something else, or has keys that are not text.
    """
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise RequestError(where, expected="a JSON object", got=shown(value), fix=fix)
    return value


def text(value: object, where: str) -> str:
    """Returns a non-empty text of at most 256 characters.

    Raises:
        RequestError: It is something else, or holds half a surrogate pair (no valid Unicode).
    """
    if not isinstance(value, str):
        raise RequestError(where, expected="text", got=shown(value), fix="send a JSON string")
    if not 1 <= len(value) <= MAX_TEXT_LENGTH:
        raise RequestError(
            where,
            expected=f"1 to {MAX_TEXT_LENGTH} characters",
            got=str(len(value)),
            fix="leave the field out for no value" if not value else "send the shop's own id",
        )
    if not is_unicode(value):
        raise RequestError(
            where, expected="valid Unicode", got=shown(value), fix="encode the text as UTF-8"
        )
    return value


def texts(value: object, where: str, *, maximum: int, may_be_empty: bool) -> tuple[str, ...]:
    """Returns the distinct texts of a list, in order of first appearance.

    Raises:
        RequestError: It is no list, is empty or too long, or an element is no valid text.
    """
    if not isinstance(value, list):
        raise RequestError(where, expected="a list of text", got=shown(value), fix="send a list")
    if not value and not may_be_empty:
        raise RequestError(
            where, expected="at least one id", got="an empty list", fix="send the ids"
        )
    if len(value) > maximum:
        raise RequestError(
            where, expected=f"at most {maximum} ids", got=str(len(value)), fix="send fewer"
        )
    if not _are_plain_texts(value):
        for position, element in enumerate(value):
            text(element, f"{where}[{position}]")
    return tuple(dict.fromkeys(value))


def integer(value: object, where: str, *, maximum: int) -> int:
    """Returns a whole number from 1 to `maximum`; true, false and 16.0 are not whole numbers.

    Raises:
        RequestError: It is something else or out of range.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise RequestError(
            where, expected="a whole number", got=shown(value), fix=f"send 1 to {maximum}"
        )
    if not 1 <= value <= maximum:
        raise RequestError(
            where,
            expected=f"1 to {maximum}",
            got=shown(value),
            fix="ask within the touchpoint's contract",
        )
    return value


def number(value: object, where: str) -> float:
    """Returns a finite number above 0.

    Raises:
        RequestError: It is something else, such as true, NaN or a negative number.
    """
    # NaN fails both comparisons; an integer beyond any float is refused before it is converted.
    is_boolean = isinstance(value, bool)
    if isinstance(value, int | float) and not is_boolean and 0 < value < _HIGHEST_NUMBER:
        return float(value)
    raise RequestError(
        where, expected="a number above 0", got=shown(value), fix="send a price or leave it out"
    )


def is_unicode(value: str) -> bool:
    """Returns whether a text can be encoded: it holds no half of a surrogate pair."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _are_plain_texts(values: list[object]) -> bool:
    """Whether all are valid texts, decided without a Python call per element (10,000 of them)."""
    plain = [value for value in values if isinstance(value, str)]
    if len(plain) != len(values):
        return False
    lengths = set(map(len, plain))
    if lengths and not (min(lengths) >= 1 and max(lengths) <= MAX_TEXT_LENGTH):
        return False
    return is_unicode("".join(plain))
