"""Hyper-parameter search: spaces, a study on disk, proposals, trials; knows no framework."""
