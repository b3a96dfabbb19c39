"""Benchmarks of the outfit system."""
