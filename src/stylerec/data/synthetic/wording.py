"""Looks, brands and the words that titles and descriptions are made of."""

from dataclasses import dataclass

from stylerec.data.synthetic.assortment import MENSWEAR, PRODUCT_TYPES, TYPE_INDEX


@dataclass(frozen=True)
class Aesthetic:
    """A look that brands, colours and patterns lean towards.

    Attributes:
        name: Name in the ground truth; item texts only hint at it.
        colours: Favoured colours, strongest first.
        patterns: Favoured patterns, strongest first.
        adjectives: Words that titles use for it.
        sentence: A sentence that descriptions use for it.
    """

    name: str
    colours: tuple[str, ...]
    patterns: tuple[str, ...]
    adjectives: tuple[str, ...]
    sentence: str


AESTHETICS = (
    Aesthetic(
        "minimal",
        ("black", "white", "grey", "cream"),
        ("plain", "stripe"),
        ("clean-cut", "pared-back", "seamless"),
        "Nothing to distract: quiet lines and a calm finish.",
    ),
    Aesthetic(
        "romantic",
        ("pink", "lilac", "cream", "red"),
        ("floral", "dots", "plain"),
        ("ruffled", "softly gathered", "dreamy"),
        "Gentle gathers and a soft drape give it a tender mood.",
    ),
    Aesthetic(
        "street",
        ("black", "orange", "olive", "grey"),
        ("colour block", "plain", "zigzag"),
        ("oversized", "utility", "boxy"),
        "Roomy, pocketed and ready for the late bus home.",
    ),
    Aesthetic(
        "sporty",
        ("blue", "white", "yellow", "navy"),
        ("colour block", "stripe", "plain"),
        ("racer", "panelled", "light-stretch"),
        "Cut to move, with panels that follow every stride.",
    ),
    Aesthetic(
        "boho",
        ("brown", "olive", "cream", "burgundy"),
        ("floral", "zigzag", "plain"),
        ("tiered", "hand-finished", "fringed"),
        "Easy layers with a craft-fair feel and room for the breeze.",
    ),
    Aesthetic(
        "classic",
        ("navy", "camel", "white", "burgundy"),
        ("check", "stripe", "plain"),
        ("tailored", "heritage", "crisp"),
        "A polished shape that will look right ten years from now.",
    ),
    Aesthetic(
        "edgy",
        ("black", "red", "burgundy", "grey"),
        ("animal", "plain", "check"),
        ("studded", "cut-out", "high-shine"),
        "Sharp details and a little attitude after dark.",
    ),
    Aesthetic(
        "retro",
        ("orange", "yellow", "green", "brown"),
        ("zigzag", "dots", "check"),
        ("seventies-line", "flared-cut", "throwback"),
        "Found-in-a-record-shop charm with colours to match.",
    ),
)
AESTHETIC_INDEX = {look.name: number for number, look in enumerate(AESTHETICS)}

BRANDS = (
    "Fennmoor", "Northquay", "Maribelle Row", "Kestrel Yard", "Ombrine", "Tidewell",
    "Saltgrove Mill", "Juniper & Slate", "Harrowvale", "Velour Parade", "Pell & Osk",
    "Duskwater", "Lumen Nine", "Braidlark", "Cobbleroad", "Thistledown Club",
    "Opaline Street", "Rook and Reed", "Marlowfield", "Zinnia Works", "Greyhaven",
    "Pinnace", "Solmere", "Wickerling", "Halcyon Dock", "Tamsin Vale", "Ironbloom",
    "Quillon", "Sundry Hours", "Larkspur Lane",
)  # fmt: skip

_MATERIALS_BY_CATEGORY = {
    "Dresses": ("viscose", "satin", "linen", "cotton poplin"),
    "Tops": ("cotton", "organic cotton", "modal", "linen blend"),
    "Activewear": ("stretch jersey", "recycled nylon", "mesh knit"),
    "Outerwear": ("wool blend", "cotton twill", "nylon shell", "brushed felt"),
    "Bottoms": ("cotton drill", "corduroy", "crepe", "linen blend"),
    "Swimwear": ("recycled nylon", "ribbed lycra"),
    "Shoes": ("leather", "suede", "canvas", "vegan leather"),
    "Bags": ("leather", "nylon", "woven raffia", "canvas"),
}
_MATERIALS_BY_TYPE = {
    "knitwear": ("lambswool", "chunky cotton", "mohair blend", "fine merino"),
    "jeans": ("rigid denim", "stretch denim", "washed denim"),
    "jewellery": ("plated brass", "recycled metal"),
    "sunglasses": ("acetate", "slim metal"),
    "hat": ("wool felt", "cotton twill", "straw weave"),
    "scarf": ("lambswool", "silk", "viscose"),
    "trainers": ("mesh", "leather", "canvas", "suede"),
}
_NOUNS = {
    "dress": ("dress", "wrap dress", "slip dress", "tea dress"),
    "top": ("camisole top", "halter top", "blouse"),
    "t-shirt": ("t-shirt", "pocket tee", "crew-neck tee"),
    "shirt": ("shirt", "button-down shirt", "overshirt"),
    "knitwear": ("jumper", "cardigan", "roll-neck jumper"),
    "sports-top": ("training top", "running vest"),
    "leggings": ("leggings", "high-rise leggings"),
    "joggers": ("joggers", "track pants"),
    "jacket": ("jacket", "bomber jacket", "trucker jacket"),
    "blazer": ("blazer", "single-breasted blazer"),
    "coat": ("coat", "overcoat", "trench coat"),
    "trousers": ("trousers", "pleated trousers", "chinos"),
    "jeans": ("jeans", "straight-leg jeans"),
    "skirt": ("skirt", "a-line skirt", "pleated skirt"),
    "shorts": ("shorts", "drawstring shorts"),
    "swimwear": ("swimsuit", "swim set"),
    "heels": ("heels", "slingback heels", "court shoes"),
    "trainers": ("trainers", "low-top trainers", "runners"),
    "boots": ("boots", "chelsea boots", "lace-up boots"),
    "sandals": ("sandals", "strappy sandals", "sliders"),
    "loafers": ("loafers", "penny loafers"),
    "bag": ("tote bag", "shoulder bag", "cross-body bag"),
    "jewellery": ("necklace", "pendant necklace", "chain necklace"),
    "sunglasses": ("sunglasses", "round sunglasses"),
    "hat": ("bucket hat", "cap", "brimmed hat"),
    "scarf": ("scarf", "square scarf"),
}
FITS = ("slim", "regular", "relaxed")
LENGTHS = ("short", "mid-length", "long")
_OCCASION_SENTENCES = {
    "everyday": "Made for ordinary days done well.",
    "office": "Holds its shape from the first meeting to the last train.",
    "party": "Keep it for the evenings you will talk about.",
    "gym": "Dries fast and stays put through the last set.",
    "holiday": "Folds small and is happiest near the water.",
    "cold weather": "Built for frost on the window and a long walk home.",
}

_SWIM_SHORTS = ("swim shorts", "board shorts")

NUM_NOUNS = 4
NUM_MATERIALS = 4
NUM_ADJECTIVES = 3
"""Draws for a word run below these; shorter lists wrap around."""


@dataclass(frozen=True)
class ItemWords:
    """What a title, a description and the attributes are made from; names, not indices."""

    product_type: str
    department: str
    brand: str
    colour: str
    pattern: str
    aesthetic: int
    occasion: str
    fit: str
    length: str
    noun: int
    material: int
    adjective: int


def describe(words: ItemWords) -> tuple[str, str, list[str]]:
    """Returns the title, the description and the attributes of one item."""
    kind = PRODUCT_TYPES[TYPE_INDEX[words.product_type]]
    look = AESTHETICS[words.aesthetic]
    materials = _MATERIALS_BY_TYPE.get(kind.name) or _MATERIALS_BY_CATEGORY[kind.category]
    material = materials[words.material % len(materials)]
    is_trunks = kind.name == "swimwear" and words.department == MENSWEAR
    nouns = _SWIM_SHORTS if is_trunks else _NOUNS[kind.name]
    noun = nouns[words.noun % len(nouns)]
    adjective = look.adjectives[words.adjective % len(look.adjectives)]
    is_patterned = kind.has_pattern and words.pattern != "plain"
    finish = f"{words.colour} {words.pattern}" if is_patterned else words.colour
    length = f"{words.length} " if kind.has_length else ""
    title = f"{words.brand} {adjective} {length}{material} {noun} in {finish}"
    description = (
        f"{look.sentence} {words.fit.capitalize()} {noun} in {material}, {finish}. "
        f"{_OCCASION_SENTENCES[words.occasion]}"
    )
    attributes = [
        f"pattern: {words.pattern if is_patterned else 'plain'}",
        f"material: {material}",
        f"fit: {words.fit}",
        f"occasion: {words.occasion}",
    ]
    return title, description, attributes
