"""Managers have the methods of querysets, with their signatures and their documentation."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from crowsfoot import models
from crowsfoot.models.manager import BaseManager

SHARED = {
    name: method
    for name, method in inspect.getmembers(models.QuerySet, inspect.isfunction)
    if not name.startswith("_") and not getattr(method, "queryset_only", False)
}


def parameters(method: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(method).parameters.values()]


@pytest.mark.parametrize("name", SHARED)
def test_a_manager_has_each_method_of_a_queryset(name: str) -> None:
    method = getattr(models.Manager, name)
    assert parameters(method) == parameters(SHARED[name])
    assert method.__doc__ == SHARED[name].__doc__
    assert inspect.iscoroutinefunction(method) == inspect.iscoroutinefunction(SHARED[name])


@pytest.mark.parametrize(
    "name", ["delete", "adelete", "as_manager", "as_subquery", "resolve_expression", "__iter__", "__len__"]
)
def test_what_all_rows_should_not_be_asked_by_accident_is_not_on_managers(name: str) -> None:
    assert not hasattr(models.Manager, name)


class Shelf(models.QuerySet[Any]):
    def create(self, title: str, **kwargs: Any) -> Any:  # type: ignore[override]
        """A book by its title alone."""
        return title, kwargs

    def borrowed(self, by: str) -> str:
        return f"{type(self).__name__} {by}"

    def _hidden(self) -> None: ...


@pytest.mark.parametrize("base", [models.Manager, BaseManager])
def test_a_manager_class_of_a_queryset_class_has_its_methods(base: Any) -> None:
    class Librarian(base.from_queryset(Shelf)):  # type: ignore[misc]
        def get_queryset(self) -> Shelf:
            return Shelf.__new__(Shelf)

    assert Librarian().borrowed("Asha") == "Shelf Asha"
    assert Librarian().create("Emma", year=1815) == ("Emma", {"year": 1815})
    assert Librarian.create.__doc__ == "A book by its title alone."
    assert not hasattr(Librarian, "_hidden")
    assert Librarian.__mro__[1].__name__ == f"{base.__name__}FromShelf"
