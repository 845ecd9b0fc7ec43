"""Crowsfoot: a standalone relational mapper in which relationships come first, with Django's model API."""

__version__ = "0.1.0"
