"""A store in a folder of its own."""

from tests.object_stores import folder, store

__all__ = ["folder", "store"]
