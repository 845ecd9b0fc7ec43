"""Functions are found where Django has them."""

from __future__ import annotations

from crowsfoot.models import functions
from crowsfoot.query import functions as below


def test_all_functions_are_there() -> None:
    missing = [name for name in below.__all__ if getattr(functions, name, None) is not getattr(below, name)]
    assert (missing, "Coalesce" in below.__all__) == ([], True)
