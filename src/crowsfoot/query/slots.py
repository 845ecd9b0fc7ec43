"""Slots moved: expressions whose values are counted from another place."""

from __future__ import annotations

from typing import Any

from crowsfoot.query.nodes import mapped
from crowsfoot.query.resolved import Embedded, Param, RelatedExists
from crowsfoot.query.subqueries import Subquery


def shift(node: Any, by: int) -> Any:
    """A copy of ``node`` whose own slots are ``by`` further on; None where it has none itself."""
    found: Any
    if isinstance(node, Param):
        found = node.copy()
        found.index += by
        return found
    if isinstance(node, (Embedded, Subquery, RelatedExists)):
        found = node.copy()
        found.offset += by
        return found
    return None


def shifted(node: Any, by: int) -> Any:
    """An expression whose slots are all ``by`` further on."""
    return mapped(node, lambda part: shift(part, by))
