"""Kubeflow components: one step of a pipeline per file, each a thin shell over the library.

A component's body is all that travels to the cluster, so it imports what it needs inside itself;
the library is in the image. Components install nothing when they start.
"""
