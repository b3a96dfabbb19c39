"""Kubeflow pipelines, one per file, and how to compile and run them."""
