"""Polytask: learn several things about the same subject at once, and see honestly whether it helped."""

__version__ = "0.1.0"
