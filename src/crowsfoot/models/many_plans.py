"""Plans of writes of many instances at once, for one model and database (``of``, its `ModelWrites`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from crowsfoot.drivers.run import Change, ChangeMany, Fetch, InsertMany, Operation, Request, Statements
from crowsfoot.errors import DatabaseError, IntegrityError
from crowsfoot.models.binding import Column, make_bind_all
from crowsfoot.persistence.integrity import explain
from crowsfoot.persistence.save import insert_plan
from crowsfoot.persistence.session import Session
from crowsfoot.sql.write import Conflict, compile_insert_arrays, compile_update_many

# How many rows one statement inserts that is sent again and again: more is not faster.
TOGETHER = 50


class ManyInsert:
    """INSERT of many rows in one request: without the keys that the database gives, or with those of the instances.

    On SQLite a statement for several rows is sent again and again, and the keys are the range of rowids that the driver
    vouches for; on PostgreSQL each column is an array.
    """

    def __init__(self, of: Any, with_key: bool, ignores: bool) -> None:
        self.of = of
        self.with_key = with_key
        self.table = of.entity.table.name
        self.columns = of.new_columns(with_key)
        self.wants_keys = not with_key and not ignores
        self.attributes = tuple(column.attribute for column in self.columns)
        self.conflict = Conflict() if ignores else None
        self.by_rows = of.dialect.key_is_rowid
        if not self.by_rows:
            returning = [of.entity.attributes[of.key_name]] if self.wants_keys else []
            self.sql = compile_insert_arrays(of.dialect, of.entity, self.attributes, returning, self.conflict).sql
        refused = f"o.{of.key_name} is {'' if with_key else 'not '}None"
        self.bind = make_bind_all(of.model, of.dialect, self.columns, True, refused)

    def request(self, values: list[Any]) -> Request:
        """What is sent for the values of ``bind``; the answer is the keys, if they are wanted."""
        if not self.by_rows:
            return Fetch(self.sql, values, _first_values)
        width = len(self.columns)
        statements = in_steps(values, width, self.of.dialect.max_query_params, self._text)
        return InsertMany(statements, len(values) // width, self.wants_keys)

    def _text(self, rows: int) -> str:
        compiled, _ = insert_plan(self.of.dialect, self.of.entity, self.attributes, rows, (), self.conflict)
        return compiled.sql

    def send(self, session: Session, values: list[Any], instances: Sequence[Any]) -> Operation[Any]:
        """Insert ``instances``, of which ``values`` were bound; their keys if they are wanted and can be told."""
        session.wrote(self.table)
        try:
            return (yield self.request(values))
        except IntegrityError as error:
            given = [[c.prepare(getattr(o, c.field.attname)) for c in self.columns] for o in instances]
            yield from explain(self.of.dialect, error, self.of.entity, [c.attribute for c in self.columns], given)
            raise

    def send_all(self, session: Session, instances: Sequence[Any], size: int) -> Operation[list[Any] | None]:
        """Insert ``instances``, so many in each batch; their keys if they are wanted. None where nothing was done.

        Raises ``Unplanned``.
        """
        batches = [instances[start : start + size] for start in range(0, len(instances), size)]
        bound = [self.bind(batch) for batch in batches]
        keys: list[Any] = []
        for batch, values in zip(batches, bound, strict=True):
            found = yield from self.send(session, values, batch)
            if self.wants_keys and (found is None or len(found) != len(batch)):
                if not keys and found is None:
                    return None
                raise DatabaseError(
                    f"The database does not tell the keys of the new rows of {self.of.entity.label}: "
                    "a trigger writes to the table as well. Save them one by one."
                )
            keys += found or ()
        return keys


def in_steps(values: list[Any], width: int, room: int, text: Callable[[int], str]) -> Statements:
    """What is sent for rows of ``width`` values: ``text(rows)`` for as many as go together, then one for the rest."""
    step = width * max(1, min(TOGETHER, room // width))
    whole = len(values) - len(values) % step
    parts = [values[start : start + step] for start in range(0, whole, step)]
    statements: list[tuple[str, list[list[Any]]]] = [(text(step // width), parts)] if parts else []
    if whole < len(values):
        rest = values[whole:]
        statements.append((text(len(rest) // width), [rest]))
    return statements


class ManyUpdate:
    """UPDATE of some fields of many instances in one request, in the manner of ``ManyInsert``."""

    def __init__(self, of: Any, fields: Sequence[Any]) -> None:
        self.of = of
        self.table = None if of.entity.concrete.keys_follow else of.entity.table.name
        key = of.entity.key[0]
        first = Column(of.key, key, key.value_type.prepare, is_hooked=False)
        changed = [Column(f, of.entity.attributes[f.attname], f.prepare_update, is_hooked=False) for f in fields]
        self.columns = [first, *changed]
        self.attributes = [column.attribute for column in changed]
        self.texts: dict[int | None, str] = {}
        self.bind = make_bind_all(of.model, of.dialect, self.columns, False, "False")

    def _text(self, rows: int | None) -> str:
        if rows not in self.texts:
            self.texts[rows] = compile_update_many(self.of.dialect, self.of.entity, self.attributes, rows).sql
        return self.texts[rows]

    def send(self, session: Session, instances: Sequence[Any], values: list[Any]) -> Operation[int]:
        """Change ``instances``, of which ``values`` were bound; how many rows there were."""
        session.wrote(self.table)
        request: Request = Change(self._text(None), values)
        if self.of.dialect.key_is_rowid:
            width, room = len(self.columns), self.of.dialect.max_query_params
            request = ChangeMany(in_steps(values, width, room, self._text))
        try:
            return (yield request)
        except IntegrityError as error:
            given = [[c.prepare(getattr(o, c.field.attname)) for c in self.columns] for o in instances]
            yield from explain(self.of.dialect, error, self.of.entity, [c.attribute for c in self.columns], given)
            raise

    def send_all(self, session: Session, batches: list[Any], bound: list[Any]) -> Operation[int]:
        count = 0
        for batch, values in zip(batches, bound, strict=True):
            count += yield from self.send(session, batch, values)
        return count


def _first_values(rows: Iterable[Sequence[Any]]) -> list[Any]:
    return [row[0] for row in rows]
