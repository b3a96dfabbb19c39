"""Validated tables to the arrays that training, evaluation and release read."""
