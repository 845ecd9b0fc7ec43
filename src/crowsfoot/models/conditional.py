"""To-one relations with a condition that may change between two touches, as one that asks for the active language.

What is loaded for the peers of the instance that was touched first is prepared for them: it becomes their related
instance when they are touched themselves, if the condition still says what it said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowsfoot.database import databases
from crowsfoot.drivers.run import Operation
from crowsfoot.models.related_rows import load_to_one
from crowsfoot.persistence.session import Session
from crowsfoot.query.statements import Query
from crowsfoot.schema.relation import End
from crowsfoot.sql.joins import Said, say
from crowsfoot.sql.select import SelectCompiler

# By name of the relation, what the condition said and the related instance that there was (None where there was none).
KNOWN = "_known"
LOADED = "_loaded"


def said(end: End, alias: str) -> list[Said]:
    """What the conditions of the joins to the related row say at this moment."""
    compiler = SelectCompiler(databases[alias].dialect, Query(end.target))
    return [say(compiler, hop.condition, "near", "far")[0] for hop in end.hops if hop.condition is not None]


def words(end: End, instance: Any, names: Sequence[str], conditions: list[Said]) -> tuple[Any, ...]:
    """What decides which row is the related one of ``instance``: its values under ``names``, and conditions."""
    narrowed = None if end.narrow is None else end.narrow(instance)
    return tuple(instance.__dict__.get(name) for name in names), conditions, narrowed


def is_known(end: End, instance: Any, now: tuple[Any, ...]) -> bool:
    """Whether the row wanted ``now`` was loaded already, or found missing."""
    return any(then == now for then, _ in instance.__dict__.get(KNOWN, {}).get(end.accessor, ()))


def settle(end: End, instance: Any, now: tuple[Any, ...]) -> bool:
    """As ``is_known``; a row that was loaded becomes the related one of ``instance``."""
    for then, related in instance.__dict__.get(KNOWN, {}).get(end.accessor, ()):
        if then == now:
            if related is not None:
                instance.__dict__[end.slot] = related
            return True
    return False


def forget(instance: Any) -> None:
    instance.__dict__.pop(KNOWN, None)


def load(
    session: Session, end: End, instances: Sequence[Any], queryset: Any, wanted: Sequence[Any], back: str | None
) -> Operation[None]:
    """Load the related rows of ``instances`` and prepare them; ``wanted`` is what decided for each. One query."""
    yield from load_to_one(session, end.loaded_by, instances, queryset, LOADED, back)
    for instance, now in zip(instances, wanted, strict=True):
        prepared = instance.__dict__.setdefault(KNOWN, {}).setdefault(end.accessor, [])
        prepared.append((now, instance.__dict__.pop(LOADED)))
