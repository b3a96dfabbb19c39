"""How outfit templates are keyed: learnt files, the touchpoint contract and serving agree here."""

ANY_HERO = "*"
"""Hero type of the templates for heroes whose product type has none of its own."""
_IN = " @ "


def template_key(hero_type: str, department: str) -> str:
    """Returns the key of templates for heroes of one type in one department: `Dress @ Women`."""
    return f"{hero_type}{_IN}{department}"
