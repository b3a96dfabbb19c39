"""The rules by subject; `manifests.checks.table` lists them."""
