"""The ids of the events stored last, so that a caller may safely send one again."""

from collections import OrderedDict
from collections.abc import Sequence

from inference.transformer.interactions import Interaction

_REMEMBERED_EVENTS = 100_000
_Key = tuple[str, str]


class SeenEvents:
    """A bounded memory of this process; the oldest ids are forgotten first.

    Args:
        limit: Ids remembered.
    """

    def __init__(self, limit: int = _REMEMBERED_EVENTS) -> None:
        self._limit = limit
        self._keys: OrderedDict[_Key, None] = OrderedDict()

    def are_first(self, interactions: Sequence[Interaction]) -> list[bool]:
        """Returns per interaction whether its event id is new, here and among those before it."""
        before: set[_Key] = set()
        found = []
        for interaction in interactions:
            key = _key(interaction)
            found.append(key is None or (key not in self._keys and key not in before))
            if key is not None:
                before.add(key)
        return found

    def remember(self, interactions: Sequence[Interaction]) -> None:
        """Takes the event ids of stored interactions in."""
        for interaction in interactions:
            key = _key(interaction)
            if key is not None:
                self._keys[key] = None
        while len(self._keys) > self._limit:
            self._keys.popitem(last=False)


def _key(interaction: Interaction) -> _Key | None:
    if interaction.event_id is None:
        return None
    return interaction.customer_id, interaction.event_id
