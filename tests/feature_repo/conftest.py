"""Keeps Feast, imported by the tests here, from changing how metrics are kept elsewhere."""

import importlib

# As in `inference/feature_store/__init__.py`, which comes too late where a test imports Feast.
importlib.import_module("prometheus_client")
