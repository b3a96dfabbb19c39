"""Ranking and next-item models against baselines and published figures: `make bench-models`."""
