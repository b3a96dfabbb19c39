"""The synthetic retailer: a shop with a known ground truth, written as canonical tables."""
