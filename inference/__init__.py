"""Serving on a cluster and on a laptop: the routing transformer, Triton's models, the local stack."""
