"""Python runs this at its start: the processes of trials know the toy space, too."""

from stylerec.models.search.spaces import MODULES

MODULES["toy"] = "toy_space"
