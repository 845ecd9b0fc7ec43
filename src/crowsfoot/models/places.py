"""``Meta.order_with_respect_to``: the rows that point at one row have places among each other, kept in ``_order``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crowsfoot.database import databases
from crowsfoot.drivers.run import Operation
from crowsfoot.models import routing
from crowsfoot.models.fields.numbers import IntegerField
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.query.aggregates import Max
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import F
from crowsfoot.query.func import Case, When
from crowsfoot.schema.relation import Relation

PLACE = "_order"


class OrderWrt(IntegerField[int]):
    """The place of a row among those that point at the same row."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options["name"] = PLACE
        options["editable"] = False
        super().__init__(*args, **options)


def add_place(model: Any) -> None:
    """Give a model with ``order_with_respect_to`` its place field, order and neighbours."""
    meta = model._meta
    if not any(isinstance(field, OrderWrt) for field in meta.local_fields):
        OrderWrt().contribute_to_class(model, PLACE)
    meta.ordering = (PLACE,)
    model.get_next_in_order = lambda self: _beside(self, True).get()
    model.aget_next_in_order = lambda self: _beside(self, True).aget()
    model.get_previous_in_order = lambda self: _beside(self, False).get()
    model.aget_previous_in_order = lambda self: _beside(self, False).aget()
    model.move_before, model.amove_before = _mover(False)
    model.move_after, model.amove_after = _mover(True)


def add_order(relation: Relation) -> None:
    """Give the model that rows are ordered with respect to ``get_<model>_order`` and ``set_<model>_order``."""
    end = relation.forward
    model = end.owner.model
    if model._meta.order_with_respect_to != end.name:
        return
    add_order_methods(end.target.model, model, end.field)


def add_order_methods(owner: Any, model: Any, field: Any) -> None:
    """Give ``owner`` the methods for its rows of ``model``, which point at it by ``field``."""
    name = model._meta.model_name
    setattr(owner, f"get_{name}_order", lambda self: _siblings(model, field, self).values_list("pk", flat=True))
    for prefix, method in (("set", "bulk_update"), ("aset", "abulk_update")):
        setattr(owner, f"{prefix}_{name}_order", _setter(model, field, method))


def _siblings(model: Any, field: Any, owner: Any) -> Any:
    return model._default_manager.filter(**field.get_forward_related_filter(owner))


def _setter(model: Any, field: Any, method: str) -> Any:
    def set_order(self: Any, keys: Iterable[Any], using: str | None = None) -> Any:
        """Give the rows of this one the order of ``keys``; keys of other rows are left alone. One query."""
        alias = using or routing.write(model, {"instance": self})
        rows = [model(pk=key, **{PLACE: place}) for place, key in enumerate(keys)]
        return getattr(_siblings(model, field, self).using(alias), method)(rows, [PLACE])

    return set_order


def _beside(instance: Any, after: bool) -> Any:
    """The row after or before this one among its siblings: one query, none at either end."""
    model = type(instance)
    field = model._meta.get_field(model._meta.order_with_respect_to)
    own = model._default_manager.filter(pk=instance.pk).values(PLACE)
    side = {f"{PLACE}__{'gt' if after else 'lt'}": own[:1], **field.get_filter_kwargs_for_object(instance)}
    return model._default_manager.filter(**side).order_by(PLACE if after else f"-{PLACE}")[:1]


def _mover(after: bool) -> tuple[Any, Any]:
    """Two methods that move a row to the place before or after another: a blocking one and one to await."""

    def move(self: Any, other: Any) -> None:
        """Take the place beside ``other``; those behind it make room. Two queries.

        Raises ``ValueError`` where ``other`` is not one of the rows that this one is ordered among.
        """
        database = databases[routing.write(type(self), {"instance": self})]
        database.run(_move, self, other, after)

    async def amove(self: Any, other: Any) -> None:
        database = databases[routing.write(type(self), {"instance": self})]
        await database.arun(_move, self, other, after)

    move.__name__ = f"move_{'after' if after else 'before'}"
    return move, amove


def _move(session: Session, instance: Any, other: Any, after: bool) -> Operation[None]:
    yield from atomically(session, _make_room(session, instance, other, after))


def _make_room(session: Session, instance: Any, other: Any, after: bool) -> Operation[None]:
    model = type(instance)
    field = model._meta.get_field(model._meta.order_with_respect_to)
    rows = model._base_manager.using(session.alias).filter(**field.get_filter_kwargs_for_object(instance))
    beside = rows.select_for_update().filter(pk=other.pk).exclude(pk=instance.pk).values_list(PLACE, flat=True)
    found = yield from beside._load(session)
    if not found:
        raise ValueError(f"{instance!r} cannot be moved beside {other!r}: they are not ordered among each other.")
    place = found[0] + after
    moved = Case(When(pk=instance.pk, then=place), default=F(PLACE) + 1)
    yield from rows.filter(Q(**{f"{PLACE}__gte": place}) | Q(pk=instance.pk))._update(session, {PLACE: moved})
    instance.__dict__[PLACE] = place
    if not after:
        other.__dict__[PLACE] = place + 1


def take_places(session: Session, model: Any, objs: Sequence[Any]) -> Operation[None]:
    """Put new rows that have no place at the end of their siblings, in the order given. One query for each owner."""
    field = model._meta.get_field(model._meta.order_with_respect_to)
    last: dict[Any, int] = {}
    for obj in objs:
        if obj.__dict__.get(PLACE) is not None:
            continue
        siblings = field.get_filter_kwargs_for_object(obj)
        owner = tuple(siblings.values())
        if owner not in last:
            rows = model._base_manager.using(session.alias).filter(**siblings)
            found = yield from rows._aggregate(session, {"last": Max(PLACE)})
            last[owner] = -1 if found["last"] is None else found["last"]
        last[owner] += 1
        obj.__dict__[PLACE] = last[owner]
