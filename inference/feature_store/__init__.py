"""Feast as this project uses it: opened from `Settings`, filled in batch, read by the transformer.

Imports in both the training and the serving environment. `materialise` runs in the first and is
the only module of `inference` that reads `stylerec.data`.
"""

import importlib

# Imported after Feast, it would keep its values in files that processes share.
importlib.import_module("prometheus_client")
