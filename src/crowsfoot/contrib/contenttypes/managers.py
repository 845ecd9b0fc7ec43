"""Managers of generic relations: the rows that point at one row, and the row that one row points at."""

from __future__ import annotations

from typing import Any, TypeVar

from crowsfoot.contrib.contenttypes.models import ContentType
from crowsfoot.drivers.run import Operation
from crowsfoot.models.deletion import delete_instances
from crowsfoot.models.related_managers import KeyManager, RelatedManager
from crowsfoot.persistence.session import Session
from crowsfoot.schema.relation import End

M = TypeVar("M")


class GenericRelatedObjectManager(KeyManager[M]):
    """The rows that point at one row by a generic foreign key. Rows taken out of the relation are deleted."""

    class_name = "GenericRelatedObjectManager"

    @property
    def key(self) -> tuple[Any, ...]:
        convert = self.end.convert
        found = super().key
        return found if convert is None or None in found else tuple(convert(part) for part in found)

    def _check_database(self, obj: Any) -> None:
        """A generic key is no constraint: that rows are of one database is seen where they are saved."""

    def _belonging(self, session: Session) -> Operation[dict[str, Any]]:
        field = self.end.field
        kind = yield from ContentType.objects._of_model(session, field.model, field.for_concrete_model)
        return {field.content_type_field_name: kind, field.object_id_field_name: self.key[0]}

    def _remove(self: Any, session: Session, objs: tuple[Any, ...], bulk: bool = True) -> Operation[None]:
        if objs:
            self._need_value()
            yield from self._empty(session, self._queryset(session).filter(pk__in=[obj.pk for obj in objs]), bulk)

    def _empty(self: Any, session: Session, rows: Any, bulk: bool) -> Operation[None]:
        self._remove_prefetched()
        rows = self._narrowed(rows)
        if bulk:
            yield from rows._delete(session)
            return
        yield from delete_instances(session, (yield from rows._load(session)))


WRITES = ("create", "get_or_create", "update_or_create", "add", "remove", "clear", "set")


class GenericOwnerManager(RelatedManager[M]):
    """The way back of a generic relation: the row of its model that a generic key names, or none. It only reads."""

    class_name = "GenericOwnerManager"

    @classmethod
    def absent(cls, end: End) -> dict[str, str]:
        held = f"{end.field.content_type_field_name} and {end.field.object_id_field_name}"
        why = f"which row is named stands in {held}, so set their generic foreign key"
        return {prefix + name: why for name in WRITES for prefix in ("", "a")}
