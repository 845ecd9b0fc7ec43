"""Expressions seen from the far side of a to-many relation: what moves into a subquery over its rows."""

from __future__ import annotations

from typing import Any

from crowsfoot.query.nodes import mapped
from crowsfoot.query.resolved import Col, OuterCol, Ref, RelatedExists, ResolvedOuterRef

Branch = tuple[Any, ...]


def many_step(ends: tuple[Any, ...]) -> int | None:
    """The position of the first of ``ends`` that leads to several rows, under a name of its own or not."""
    return next((i for i, end in enumerate(ends) if getattr(end, "several", end.many)), None)


class Behind:
    """The far side of ``branch``, the ends up to and with the first that leads to several rows.

    ``end`` is that one as the models have it: what a `FilteredRelation` demands of its rows are ``conditions`` here.
    """

    def __init__(self, branch: Branch) -> None:
        self.branch = branch
        self.prefix, last = branch[:-1], branch[-1]
        self._known: dict[Any, Any] = {}
        self.end, self.conditions = last, tuple[Any, ...]()
        if hasattr(last, "several"):
            self.end = last.end
            self.conditions = () if last.condition is None else (self.seen(last.condition),)

    def has(self, ends: tuple[Any, ...]) -> bool:
        """Whether ``ends`` go through the branch."""
        return ends[: len(self.branch)] == self.branch

    def ends(self, ends: tuple[Any, ...]) -> tuple[Any, ...]:
        """``ends``, which go through the branch, without it."""
        found: list[Any] = []
        for end in ends[len(self.branch) :]:
            if hasattr(end, "several"):
                if end not in self._known:
                    again = self._known[end] = end.again(tuple(found))
                    again.condition = None if end.condition is None else self.seen(end.condition)
                end = self._known[end]
            found.append(end)
        return tuple(found)

    def seen(self, node: Any) -> Any:
        """``node`` seen from there: columns behind the branch lose its ends, others belong to the outer query."""
        return mapped(node, self._seen)

    def _seen(self, node: Any) -> Any:
        if isinstance(node, Ref):
            return self.seen(node.source)
        if isinstance(node, Col):
            return Col(self.ends(node.ends), node.attribute, 1) if self.has(node.ends) else OuterCol(node)
        if isinstance(node, RelatedExists):
            if not self.has(node.prefix):
                return OuterCol(node)
            found: Any = node.copy()
            found.prefix, found.group = self.ends(node.prefix), 1
            return found
        if isinstance(node, ResolvedOuterRef):
            found = node.copy()
            found.depth += 1
            return found
        if hasattr(node, "skips"):  # a queryset, whose references to an outer query still mean the same one
            found = node.copy()
            found.skips += 1
            return found
        return None
