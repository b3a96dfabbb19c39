"""StyleRec: self-hosted personalisation for a fashion retailer."""

__version__ = "0.1.0"
