"""Kubernetes manifests, and in `manifests.checks` what judges them before a cluster does."""
