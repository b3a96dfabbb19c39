"""Baselines that models must beat, each a scorer of all items for the same harness."""
