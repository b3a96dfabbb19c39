"""Serving on a cluster and on a laptop: routing transformer, Triton's models, local stack."""
