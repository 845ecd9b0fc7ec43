"""Aggregates over several to-many relations, each of which would multiply the rows of the others.

``annotate(Count("books"), Count("comments"))`` joins both and counts every pair. Where more than one to-many relation
is joined, each aggregate is computed in a subquery of its own instead, tied to the row. One that shares its join with a
condition (``filter(books__…).annotate(Count("books"))``) keeps it: it means the rows that the condition found.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crowsfoot.query.aggregates import Aggregate
from crowsfoot.query.behind import Behind, Branch, many_step
from crowsfoot.query.resolved import Col, Ref, RelatedAggregate, parts
from crowsfoot.query.statements import GROUP_BY_KEY, Query


def unfolded(query: Query) -> Query:
    """``query`` with the aggregates that others would falsify as subqueries; the same query where none are."""
    if query.grouping is not GROUP_BY_KEY:
        return query
    aggregates = [
        node for _, annotation in query.annotations for node in parts(annotation) if isinstance(node, Aggregate)
    ]
    branches = {id(node): _branch(node) for node in aggregates}
    joined = _joined(query)
    apart = {branch for branch in branches.values() if branch is not None} - joined
    if len(apart) + len(joined) < 2:
        return query
    if not joined:
        apart -= _kept(aggregates, branches)
    moved = {id(node): _moved(node, branches[id(node)]) for node in aggregates if branches[id(node)] in apart}
    if not moved:
        return query
    annotations, renamed = dict[str, Any](), dict[int, Any]()
    for name, node in query.annotations:  # which may refer to those before it
        annotations[name] = renamed[id(node)] = _rebuilt(node, moved, renamed)
    order = query.order and tuple(_rebuilt(node, moved, renamed) for node in query.order)
    columns = query.columns and tuple((name, _rebuilt(node, moved, renamed)) for name, node in query.columns)
    steps = tuple(_rebuilt(step, moved, renamed) for step in query.steps)
    grouped = any(node.contains_aggregate for node in annotations.values())
    return query.but(
        annotations=tuple(annotations.items()), order=order, columns=columns, steps=steps,
        grouping=GROUP_BY_KEY if grouped else None,
    )  # fmt: skip


def _kept(aggregates: list[Aggregate], branches: dict[int, Branch | None]) -> set[Branch]:
    """The relation whose join stays, as one alone multiplies nothing: one of which an aggregate makes a value where
    there is no row, with a default in a ``Case``, say. The join has a row of NULLs there, and a subquery has none."""
    found: set[Branch] = set()
    for node in aggregates:
        branch = branches[id(node)]
        nodes = [part for source in node.source_expressions for part in source.flatten()]
        if branch is not None and not all(part.null_strict for part in nodes):
            found.add(branch)
    return found if len(found) == 1 else set()


def multiplies(query: Query, nodes: Iterable[Any]) -> bool:
    """Whether aggregates over a whole query go through several to-many relations that no condition has joined."""
    found = {_many(part) for node in nodes for part in node.flatten() if isinstance(part, Col)}
    return len(found - {None} - _joined(query)) + bool(_joined(query)) > 1


def _many(col: Col) -> Branch | None:
    """The ends of a column up to its first to-many step; None where there is none."""
    many = many_step(col.ends)
    return None if many is None else col.ends[: many + 1]


def _branch(node: Aggregate) -> Branch | None:
    """The one to-many relation that an aggregate goes through; None where it goes through none or several."""
    found = {_many(part) for part in parts(node) if isinstance(part, Col)} - {None}
    return found.pop() if len(found) == 1 else None


def _joined(query: Query) -> set[Branch]:
    """The to-many relations that conditions, values and the order join."""
    nodes = [*query.steps, *(query.order or ())]
    nodes += [node for _, node in [*query.annotations, *(query.columns or ())]]
    plain = [node for node in nodes if not node.contains_aggregate]
    found = {_many(part) for node in plain for part in parts(node) if isinstance(part, Col)}
    return {branch for branch in found if branch is not None}


def _moved(node: Aggregate, branch: Branch | None) -> RelatedAggregate:
    """An aggregate as a subquery over the far side of its relation."""
    assert branch is not None
    far = Behind(branch)
    columns = (("value", far.seen(node)),)
    statement = Query.far_side(far.end).but(steps=far.conditions, columns=columns, rows="tuple")
    return RelatedAggregate(far.prefix, far.end, statement, node.value_type)


def _rebuilt(node: Any, moved: dict[int, Any], renamed: dict[int, Any]) -> Any:
    """``node`` with aggregates replaced by their subqueries, and references to annotations following them."""
    if id(node) in moved:
        return moved[id(node)]
    if isinstance(node, Ref):
        return Ref(node.refs, renamed.get(id(node.source), node.source))
    sources = _sources(node)
    rebuilt = [_rebuilt(e, moved, renamed) if e is not None else None for e in sources]
    if all(new is old for new, old in zip(rebuilt, sources, strict=True)):
        return node
    return _with_sources(node, rebuilt)


def _sources(node: Any) -> list[Any]:
    return list(node.get_source_expressions()) if hasattr(node, "get_source_expressions") else []


def _with_sources(node: Any, sources: list[Any]) -> Any:
    if not sources:
        return node
    found = node.copy()
    found.set_source_expressions(sources)
    found.contains_aggregate = isinstance(found, Aggregate)
    found._inherit(sources)
    return found
