"""What an instance lacks: who of its cohort lacks it too, what to ask, and the deferred columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from crowsfoot.database import databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import FieldFetchBlocked
from crowsfoot.models import typed
from crowsfoot.models.related_rows import NOT_LOADED, held_in, lineage
from crowsfoot.models.state import FETCH_ONE, FETCH_RAISE
from crowsfoot.persistence.asyncness import refuse_touch
from crowsfoot.persistence.session import Session
from crowsfoot.schema.entity import Attribute


def peers_lacking(instance: Any, name: str) -> list[Any]:
    """The members of an instance's cohort that lack ``name`` too, the instance itself among them."""
    origin = instance._origin
    if origin is None or origin.fetch_mode is FETCH_ONE:
        return [instance]
    kind = type(instance)
    found = [m for weak in origin.members if type(m := weak()) is kind and name not in m.__dict__]
    return found if any(m is instance for m in found) else [instance, *found]


def peers_pointing(instance: Any, slot: str, key: str) -> list[Any]:
    """As ``peers_lacking``, for a relation in ``slot``: those that hold a value called ``key``, and lack its row.

    Looks at no member's dict, which would have to be made for it.
    """
    origin = instance._origin
    if origin is None or origin.fetch_mode is FETCH_ONE:
        return [instance]
    kind, found = type(instance), [instance]
    for weak in origin.members:
        member = weak()
        if type(member) is kind and member is not instance and held_in(member, slot) is NOT_LOADED:
            try:
                if held_in(member, key) is not None:
                    found.append(member)
            except AttributeError:  # its key is not loaded either
                continue
    return found


def refuse_if_raising(instance: Any, name: str) -> None:
    origin = instance._origin
    if origin is not None and origin.fetch_mode is FETCH_RAISE:
        raise FieldFetchBlocked(f"Fetching of {type(instance).__name__}.{name} blocked.") from None


class Question(NamedTuple):
    """What to send for values that are not loaded: the operation ``make(session, *args)``, on database ``alias``."""

    alias: str
    make: Callable[..., Operation[None]]
    args: tuple[Any, ...]

    def ask(self) -> None:
        databases[self.alias].run(self.make, *self.args)

    async def aask(self) -> None:
        await databases[self.alias].arun(self.make, *self.args)


class DeferredAttribute:
    """A field's attribute on the class: the field's path; on an instance, its value, loaded where it was left out.

    Plain fields have none, since an instance's own dict answers first. It stands where something would answer in
    place of a value that was not loaded, and is the base of the descriptors of fields that have one of their own.
    """

    def __init__(self, field: Any) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        name = self.field.attname
        if instance is None:
            return typed.step(owner, name)
        held = instance.__dict__
        return held[name] if name in held else load_deferred(instance, type(instance)._meta.entity.attributes[name])


def load_deferred(instance: Any, attribute: Attribute) -> Any:
    """Load a column that was left out, for the whole cohort. One query."""
    name = attribute.name
    if instance._origin is None or instance.pk is None:
        raise AttributeError(f"Cannot retrieve deferred field {name!r} from an unsaved model.")
    if _take_inherited(instance, attribute):
        return instance.__dict__[name]
    refuse_if_raising(instance, name)
    refuse_touch(type(instance).__name__, name)
    asked = column_question(instance, attribute)
    if len(asked.args[0]) == 1 and not hasattr(type(instance).refresh_from_db, "is_usual"):
        instance.refresh_from_db(fields=[name])  # the model says itself how a row of its own is read
    else:
        asked.ask()
    return column_answer(instance, name)


def _take_inherited(instance: Any, attribute: Attribute) -> bool:
    """Whether the value is here all the same: on the instance of a parent model, or as the key that links them."""
    name = attribute.name
    for parent in lineage(instance):
        held = parent.__dict__
        known = parent._meta.entity.attributes.get(name)
        if name in held and known is not None and known.column is attribute.column:
            instance.__dict__[name] = held[name]
            return True
    if attribute.via:
        link = attribute.via[-1]
        for near, far in zip(link.local_columns, link.remote_columns, strict=True):
            key = link.owner.attribute_of(near).name
            if far == attribute.column.name and key in instance.__dict__:
                instance.__dict__[name] = instance.__dict__[key]
                return True
    return False


def column_question(instance: Any, attribute: Attribute) -> Question:
    """The one query that loads a deferred column, for the whole cohort."""
    alias = instance._state.db
    return Question(alias, _load_column, (peers_lacking(instance, attribute.name), attribute, alias))


def column_answer(instance: Any, name: str) -> Any:
    if name not in instance.__dict__:
        model = type(instance)
        raise model.DoesNotExist(f"{model._meta.object_name} matching query does not exist.")
    return instance.__dict__[name]


def _load_column(session: Session, instances: Sequence[Any], attribute: Attribute, alias: str) -> Operation[None]:
    model = type(instances[0])
    by_key: dict[Any, list[Any]] = {}
    for instance in instances:
        if instance.pk is not None:
            by_key.setdefault(instance.pk, []).append(instance)
    rows = model._base_manager.using(alias).filter(pk__in=list(by_key)).values_list("pk", attribute.name)
    found = yield from rows._load(session)
    for key, value in found:
        for instance in by_key[key]:
            instance.__dict__[attribute.name] = value
