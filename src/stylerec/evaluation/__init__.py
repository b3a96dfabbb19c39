"""Top-k and outfit metrics, baselines, gates and reports."""
