"""The surfaces where recommendations show, and the rungs that may answer them."""

from enum import StrEnum


class Touchpoint(StrEnum):
    """A surface of the shop; the value is its name in requests and in the contract file."""

    CATEGORY_PAGE = "category-page"
    SEARCH_PAGE = "search-page"
    YOU_MIGHT_ALSO_LIKE = "you-might-also-like"
    PEOPLE_ALSO_BOUGHT = "people-also-bought"
    LITTLE_SOMETHING_EXTRA = "little-something-extra"
    FOR_YOU = "for-you"
    COMPLETE_THE_LOOK = "complete-the-look"


class CandidateRule(StrEnum):
    """How a touchpoint finds the items it may show."""

    GIVEN = "given"
    SAME_CATEGORY = "same_category"
    BOUGHT_TOGETHER = "bought_together"
    LOW_PRICE_COMPLEMENTS = "low_price_complements"
    CAROUSELS = "carousels"
    OUTFIT_TEMPLATE = "outfit_template"


class CarouselRule(StrEnum):
    """What fills one carousel of the `for-you` page."""

    IN_THE_SALE = "in_the_sale"
    LIKE_YOUR_SAVED_ITEMS = "like_your_saved_items"
    NEW_IN = "new_in"
    PICKED_FOR_YOU = "picked_for_you"


class Rung(StrEnum):
    """Who ranked an answer; a touchpoint's contract lists them best first."""

    OUTFIT = "outfit"
    NEXT_ITEM = "next_item"
    RANKING = "ranking"
    CO_PURCHASE = "co_purchase"
    CONTENT = "content"
    POPULAR = "popular"


MODEL_RUNGS = (Rung.OUTFIT, Rung.NEXT_ITEM, Rung.RANKING)
"""Rungs that need a Triton call; the others are answered from the release alone."""
