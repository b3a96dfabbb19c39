"""What the shop sells and why people come: product types, missions, outfit templates."""

from dataclasses import dataclass

WOMENSWEAR, MENSWEAR = "womenswear", "menswear"
DEPARTMENTS = (WOMENSWEAR, MENSWEAR)
_BOTH = DEPARTMENTS


@dataclass(frozen=True)
class ProductType:
    """One kind of garment.

    Attributes:
        name: Value of the `product_type` column.
        category: Value of the `category` column.
        price_gbp: Median full price before the brand's level.
        share: Number of styles relative to the other types of a department.
        departments: Departments that sell it.
        has_pattern: Drawn and named with a pattern.
        has_length: Comes in several lengths.
        is_metal: Comes in metal colours only.
    """

    name: str
    category: str
    price_gbp: float
    share: float
    departments: tuple[str, ...] = _BOTH
    has_pattern: bool = True
    has_length: bool = False
    is_metal: bool = False


_W, _M = (WOMENSWEAR,), (MENSWEAR,)
PRODUCT_TYPES = (
    ProductType("dress", "Dresses", 48, 2.4, _W, has_length=True),
    ProductType("top", "Tops", 22, 1.8, _W),
    ProductType("t-shirt", "Tops", 16, 1.6),
    ProductType("shirt", "Tops", 34, 1.4),
    ProductType("knitwear", "Tops", 42, 1.4),
    ProductType("sports-top", "Activewear", 24, 0.9),
    ProductType("leggings", "Activewear", 28, 0.9, _W),
    ProductType("joggers", "Activewear", 34, 0.9, _M),
    ProductType("jacket", "Outerwear", 70, 1.0),
    ProductType("blazer", "Outerwear", 75, 0.8),
    ProductType("coat", "Outerwear", 110, 0.8, has_length=True),
    ProductType("trousers", "Bottoms", 40, 1.2),
    ProductType("jeans", "Bottoms", 46, 1.2, has_pattern=False),
    ProductType("skirt", "Bottoms", 32, 1.1, _W, has_length=True),
    ProductType("shorts", "Bottoms", 26, 0.8),
    ProductType("swimwear", "Swimwear", 28, 0.8),
    ProductType("heels", "Shoes", 50, 1.0, _W, has_pattern=False),
    ProductType("trainers", "Shoes", 68, 1.0, has_pattern=False),
    ProductType("boots", "Shoes", 85, 0.9, has_pattern=False, has_length=True),
    ProductType("sandals", "Shoes", 38, 0.8, has_pattern=False),
    ProductType("loafers", "Shoes", 62, 0.7, has_pattern=False),
    ProductType("bag", "Bags", 36, 1.1),
    ProductType("jewellery", "Accessories", 14, 1.0, has_pattern=False, is_metal=True),
    ProductType("sunglasses", "Accessories", 18, 0.7, has_pattern=False),
    ProductType("hat", "Accessories", 17, 0.7),
    ProductType("scarf", "Accessories", 20, 0.7),
)
TYPE_NAMES = tuple(kind.name for kind in PRODUCT_TYPES)
TYPE_INDEX = {name: number for number, name in enumerate(TYPE_NAMES)}

LITTLE_EXTRAS = ("jewellery", "sunglasses", "hat", "scarf")
"""Low-price types offered beside the bag."""

PATTERNS = ("plain", "stripe", "check", "floral", "dots", "animal", "zigzag", "colour block")

COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (34, 34, 38),
    "white": (242, 242, 240),
    "grey": (146, 149, 153),
    "navy": (30, 42, 86),
    "blue": (62, 116, 196),
    "green": (47, 133, 84),
    "olive": (107, 112, 56),
    "red": (196, 42, 46),
    "pink": (236, 140, 172),
    "burgundy": (112, 26, 50),
    "brown": (108, 70, 44),
    "camel": (194, 152, 104),
    "cream": (238, 226, 200),
    "yellow": (240, 200, 60),
    "orange": (228, 122, 44),
    "lilac": (184, 160, 214),
    "gold": (206, 168, 72),
    "silver": (188, 192, 198),
}
"""Values of the `colour` column and how they are drawn (sRGB)."""
METALS = ("gold", "silver")

OCCASIONS = ("everyday", "office", "party", "gym", "holiday", "cold weather")


@dataclass(frozen=True)
class Mission:
    """Why a customer comes: it fixes the types they look at, in this order, and the occasion.

    Attributes:
        name: Name in the ground truth; the shop never sees it.
        occasion: One of `OCCASIONS`.
        aesthetics: The looks that suit it, strongest first.
        weight: How often it happens relative to the others.
        recipes: Product types in shopping order, one recipe per department.
    """

    name: str
    occasion: str
    aesthetics: tuple[str, ...]
    weight: float
    recipes: tuple[tuple[str, ...], tuple[str, ...]]


MISSIONS = (
    Mission(
        "weekend",
        "everyday",
        ("street", "retro"),
        1.3,
        (("jeans", "top", "jacket", "trainers"), ("jeans", "t-shirt", "jacket", "trainers")),
    ),
    Mission(
        "basics",
        "everyday",
        ("minimal", "street"),
        1.2,
        (("t-shirt", "knitwear", "jeans"), ("t-shirt", "knitwear", "joggers")),
    ),
    Mission(
        "new job",
        "office",
        ("classic", "minimal"),
        1.0,
        (("blazer", "trousers", "shirt", "loafers"), ("blazer", "trousers", "shirt", "loafers")),
    ),
    Mission(
        "wedding guest",
        "party",
        ("romantic", "classic"),
        0.8,
        (("dress", "heels", "bag", "jewellery"), ("blazer", "shirt", "loafers", "jewellery")),
    ),
    Mission(
        "night out",
        "party",
        ("edgy", "romantic"),
        1.0,
        (("skirt", "top", "heels", "jewellery"), ("shirt", "jeans", "boots", "jewellery")),
    ),
    Mission(
        "gym start",
        "gym",
        ("sporty", "street"),
        0.9,
        (("leggings", "sports-top", "trainers"), ("sports-top", "shorts", "trainers")),
    ),
    Mission(
        "holiday",
        "holiday",
        ("boho", "retro"),
        1.0,
        (("swimwear", "dress", "sandals", "sunglasses"), ("swimwear", "shorts", "sandals", "hat")),
    ),
    Mission(
        "cold snap",
        "cold weather",
        ("classic", "boho"),
        0.9,
        (("coat", "knitwear", "boots", "scarf"), ("coat", "knitwear", "boots", "scarf")),
    ),
)

OUTFIT_TEMPLATES: dict[str, dict[str, tuple[tuple[str, ...], ...]]] = {
    WOMENSWEAR: {
        "dress": (
            ("heels", "bag", "jewellery"),
            ("sandals", "bag", "sunglasses"),
            ("boots", "jacket", "bag"),
        ),
        "skirt": (("top", "heels", "bag"), ("knitwear", "boots", "bag", "scarf")),
        "trousers": (("shirt", "loafers", "blazer", "bag"), ("top", "heels", "jewellery")),
        "jeans": (
            ("t-shirt", "jacket", "trainers", "bag"),
            ("knitwear", "boots", "coat", "scarf"),
            ("top", "heels", "bag", "jewellery"),
        ),
        "blazer": (("shirt", "trousers", "loafers", "bag"), ("top", "jeans", "heels", "jewellery")),
        "coat": (("knitwear", "jeans", "boots", "scarf", "bag"), ("dress", "boots", "bag")),
        "leggings": (("sports-top", "trainers"), ("sports-top", "jacket", "trainers", "hat")),
        "swimwear": (("shorts", "sandals", "sunglasses", "hat"), ("dress", "sandals", "bag")),
    },
    MENSWEAR: {
        "jeans": (("t-shirt", "jacket", "trainers"), ("shirt", "boots", "coat", "scarf")),
        "trousers": (("shirt", "loafers", "blazer"), ("knitwear", "loafers", "bag")),
        "blazer": (("shirt", "trousers", "loafers", "jewellery"), ("t-shirt", "jeans", "trainers")),
        "coat": (("knitwear", "jeans", "boots", "scarf"), ("shirt", "trousers", "loafers")),
        "shorts": (("t-shirt", "trainers", "hat"), ("shirt", "sandals", "sunglasses")),
        "joggers": (("sports-top", "trainers"), ("t-shirt", "jacket", "trainers", "bag")),
        "swimwear": (("t-shirt", "sandals", "sunglasses", "hat"), ("shirt", "sandals")),
        "jacket": (("t-shirt", "jeans", "trainers", "hat"), ("knitwear", "trousers", "boots")),
    },
}
"""Types worn with a hero, per department and hero type; the first template is the most usual."""
