"""The one list each of columns, event types, touchpoints, features and tensors.

Standard library only, so that every part of the system (and the Feast repository) can import it.
"""
