"""The KServe routing transformer: REST and gRPC in, histories from Feast, scores from Triton."""

import importlib

# Imported after Feast, it would keep its values in files that processes share.
importlib.import_module("prometheus_client")
