"""Rows to instances: a function is generated per row layout and iterates the driver's cursor.

Generated assignments are the fastest that pure Python has (see the benchmark). This is the one seam where a compiled
hydrator could stand instead.
"""

from __future__ import annotations

import gc
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from keyword import iskeyword
from typing import Any
from weakref import ref

from crowsfoot.persistence.cohort import FETCH_PEERS, Cohort, lone
from crowsfoot.sql.statement import Row

Hydrator = Callable[[Iterable[Sequence[Any]]], list[Any]]
OwnedHydrator = Callable[[Iterable[Sequence[Any]], dict[Any, list[Any]], dict[Any, Any], Cohort], list[Any]]


def make_hydrator(row: Row, db: str, fetch_mode: Any = None, alone: bool = False) -> Hydrator:
    """The function from an iterable of rows to a list of instances, dicts, tuples or values.

    ``alone`` says that one row is expected: its instance has no peers. Of many rows, those that join the same related
    row by a foreign key share one instance of it.
    """
    if row.kind == "model":
        return _Models(row, db, fetch_mode, alone).build()
    columns = columns_of(row)
    readers = [reader for _, reader in columns]
    names = [name for name, _ in columns]
    reader = readers[0] if readers else None
    if row.kind == "flat" and not isinstance(reader, tuple):
        if reader is None:
            return lambda rows: [r[0] for r in rows]
        return lambda rows: [None if r[0] is None else reader(r[0]) for r in rows]
    return _plain(row.kind, names, readers, row.unread)


class uncollected:
    """A block in which much is made and all of it kept, so that the collector of garbage would look at it in vain."""

    def __enter__(self) -> None:
        self._collecting = gc.isenabled()
        gc.disable()

    def __exit__(self, *error: object) -> None:
        if self._collecting:
            gc.enable()


def make_owned_hydrator(
    row: Row, db: str, fetch_mode: Any, owner: tuple[str, ...], back: str | None, shared: bool, listed: bool = True
) -> OwnedHydrator:
    """``hydrate(rows, found, owners, cohort)``: instances of one cohort, each added to the list of its owner.

    ``owner`` are the names of the values that tell whose a row is: the key of ``found`` and ``owners``, a tuple where
    there are several. Those that are no attributes of the row are left out of the instance. ``back`` is the slot in
    which an instance keeps its owner. ``shared`` says that a row which several owners have is one instance. Unless
    ``listed``, the cohort finds its members through their owners. Returns all instances.
    """
    return _Models(row, db, fetch_mode, False).build_owned(owner, back, shared, listed)


def first_value(rows: Iterable[Sequence[Any]]) -> Any:
    """The first value of the first row, None where there is no row."""
    found = list(rows)
    return found[0][0] if found else None


def columns_of(row: Row) -> list[tuple[str, Any]]:
    """The names of the values in a row, and what reads each."""
    return [(a.name, reader) for a, reader in row.attributes] + row.extras


def _plain(kind: str, names: list[str], readers: list[Any], unread: bool) -> Hydrator:
    if kind == "tuple" and not any(readers):
        width = len(readers)
        return (lambda rows: [tuple(r[:width]) for r in rows]) if unread else lambda rows: list(map(tuple, rows))
    scope: dict[str, Any] = {}
    variables: list[str] = []
    terms = [_term(reader, variables, scope) for reader in readers]
    if kind == "dict":
        made = "{" + ", ".join(f"{name!r}: {term}" for name, term in zip(names, terms, strict=True)) + "}"
    elif kind == "named":
        scope["made"] = named_row(tuple(names))
        made = f"made({', '.join(terms)})"
    elif kind == "flat":
        (made,) = terms
    else:
        made = f"({', '.join(terms)},)"
    rest = " *_" if unread else ""  # behind a star no more than 255 can be named
    return eval(f"lambda rows: [{made} for {', '.join(variables)},{rest} in rows]", scope)


@lru_cache(256)
def named_row(names: tuple[str, ...]) -> Any:
    """The class of rows with these names. Its instances can be pickled."""
    kind = namedtuple("Row", names)  # type: ignore[misc]  # pyright: ignore[reportUntypedNamedTuple]
    return type("Row", (kind,), {"__slots__": (), "__reduce__": _reduced})


def _reduced(row: Any) -> Any:
    return _again, (row._fields, tuple(row))


def _again(names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    return named_row(names)(*values)


def _term(reader: Any, variables: list[str], scope: dict[str, Any]) -> str:
    """The next value of a row, or the next several as one; their variables and readers are added."""
    parts: list[str] = []
    for one in reader if isinstance(reader, tuple) else (reader,):
        number = len(variables)
        variables.append(f"v{number}")
        scope[f"c{number}"] = one
        parts.append(_read(f"v{number}", number, one))
    return f"({', '.join(parts)},)" if isinstance(reader, tuple) else parts[0]


def _read(variable: str, number: int, reader: Any) -> str:
    return variable if reader is None else f"(None if {variable} is None else c{number}({variable}))"


class _Models:
    """Generates the hydrator of model instances, with the related instances joined to them."""

    def __init__(self, row: Row, db: str, fetch_mode: Any, alone: bool) -> None:
        self.row = row
        # One row is expected, so that nothing can be shared, and neither it nor what is joined to it has peers.
        self.alone = alone
        self.scope: dict[str, Any] = {
            "Cohort": Cohort,
            "chain": chain,
            "db": db,
            "mode": fetch_mode,
            "told": FETCH_PEERS if fetch_mode is None else fetch_mode,
            "new": object.__new__,
            "ref": ref,
            "uncollected": uncollected,
        }
        self.variables: list[str] = []
        self.lines: list[str] = []
        self.lists: list[str] = []
        # The instances that several rows share, by key: the names of the dicts.
        self.known: list[str] = []
        # The values that tell whose a row is: their names, and how each is read.
        self.owner: tuple[str, ...] = ()
        self.whose: dict[str, str] = {}

    def build(self) -> Hydrator:
        self._instance(self.row, "o", "        ")
        self.scope["alone"] = lone(self.scope["db"], self.scope["mode"])
        cohort = "alone" if self.alone else "Cohort(db, (), mode)"
        starts = [*self._dicts(), *[f"cohort_{name} = {cohort}" for name in self.lists]]
        loop = self._loop([line[4:] for line in self.lines])
        if not self.alone:
            loop += [f"cohort_{name}.members = list(map(ref, all_{name}))" for name in self.lists]
            loop = _uncollected(loop)
        return self._function("rows", starts, loop)

    def build_owned(self, owner: tuple[str, ...], back: str | None, shared: bool, listed: bool) -> OwnedHydrator:
        self.owner = owner
        self._instance(self.row, "o", "        ")
        lines = [line[4:] for line in self.lines]
        if back is not None and back not in [end.slot for end, _ in self.row.related]:
            lines.append(f"    o.{back} = owners[whose]")
        else:
            listed = True  # without it a row does not keep its owner, nor this one the other rows
        key = self._key()
        if shared and key is not None and not self.row.related and {name for name, _ in self.row.extras} <= {*owner}:
            lines = [f"    o = known.get({key})", "    if o is None:", *[f"    {line}" for line in lines]]
            lines.append(f"        known[{key}] = o")
        starts = ["known = {}", *self._dicts(), *[f"cohort_{name} = Cohort(db, (), mode)" for name in self.lists[1:]]]
        terms = [self.whose[name] for name in owner]
        whose = terms[0] if len(terms) == 1 else f"({', '.join(terms)})"
        loop = self._loop([f"    whose = {whose}", *lines, "    found[whose].append(o)"])
        if listed:  # in the order of their owners, who are most likely asked one after the other
            every = "all_o" if shared else "chain(*found.values())"
            loop.append(f"cohort_o.members += map(ref, {every})")
        loop += [f"cohort_{name}.members += map(ref, all_{name})" for name in self.lists[1:]]
        return self._function("rows, found, owners, cohort_o", starts, _uncollected(loop))

    def _dicts(self) -> list[str]:
        return [f"{name} = {{}}" for name in self.known]

    def _loop(self, lines: list[str]) -> list[str]:
        unread = " *_" if self.row.unread else ""
        return [f"for {', '.join(self.variables)},{unread} in rows:", *lines]

    def _function(self, parameters: str, starts: list[str], loop: list[str]) -> Any:
        for name in self.lists:
            starts += [f"all_{name} = []", f"add_{name} = all_{name}.append"]
        parts = [f"def hydrate({parameters}):", *[f"    {line}" for line in [*starts, *loop, "return all_o"]]]
        exec("\n".join(parts), self.scope)
        return self.scope["hydrate"]

    def _key(self) -> str | None:
        """The variables that the key of a row is in, unless it needs to be converted."""
        places = {attribute.name: number for number, (attribute, _) in enumerate(self.row.attributes)}
        numbers = [places.get(attribute.name) for attribute in self.row.entity.key]
        if any(number is None or self.row.attributes[number][1] is not None for number in numbers):
            return None
        names = [f"v{number}" for number in numbers]
        return names[0] if len(names) == 1 else f"({', '.join(names)})"

    def _instance(self, row: Row, name: str, indent: str, shared: bool = False) -> None:
        """Lines that make one instance called ``name`` from the next columns of the row; rows that have the same key
        share it if it is ``shared``."""
        self.lists.append(name)
        model = row.entity.model
        self.scope[f"cls_{name}"] = model
        start = len(self.variables)
        self.variables += [f"v{start + i}" for i in range(len(row.attributes))]
        pairs: list[tuple[str, str]] = []
        for i, (attribute, reader) in enumerate(row.attributes):
            number = start + i
            self.scope[f"c{number}"] = reader
            pairs.append((attribute.name, _read(f"v{number}", number, reader)))
        if name == "o":
            self.whose = {attname: term for attname, term in pairs if attname in self.owner}
        first = row.entity.key[0].name
        key = next((pair for (a, _), pair in zip(row.attributes, pairs, strict=True) if a.name == first), None)
        optional = name != "o" and key is not None
        if optional:
            assert key is not None
            self.lines += [f"{indent}if {key[1]} is None:", f"{indent}    {name} = None", f"{indent}else:"]
        inner = indent + "    " if optional else indent
        if shared and key is not None and len(row.entity.key) == 1:
            known: str | None = f"known_{name}"
            self.known.append(f"known_{name}")
            whole, inner = inner, inner + "    "
            self.lines += [f"{whole}{name} = {known}.get({key[1]})", f"{whole}if {name} is None:"]
        else:
            known = None
        if model.__plain_init__():
            self.lines.append(f"{inner}{name} = new(cls_{name})")
            self.lines += [f"{inner}{name}.{attname} = {term}" for attname, term in pairs]
        else:
            names = tuple(attname for attname, _ in pairs)
            values = ", ".join(term for _, term in pairs)
            self.lines.append(f"{inner}{name} = cls_{name}.from_db(db, {names!r}, ({values},), fetch_mode=told)")
        self.lines.append(f"{inner}{name}._origin = cohort_{name}")
        self.lines.append(f"{inner}add_{name}({name})")
        if known is not None:
            assert key is not None
            self.lines.append(f"{inner}{known}[{key[1]}] = {name}")
        for position, (end, related) in enumerate(row.related):
            child = f"{name}_{position}"
            self._instance(related, child, inner, end.holds_key and end.inverse.is_collection and not self.alone)
            self.lines.append(f"{inner}{name}.{end.slot} = {child}")
            if end.inverse.accessor and not end.inverse.is_collection:
                self.lines += [
                    f"{inner}if {child} is not None:",
                    f"{inner}    {child}.{end.inverse.slot} = {name}",
                ]
        for attname, converters in row.extras:
            term = _term(converters, self.variables, self.scope)
            if name == "o" and attname in self.owner:
                self.whose[attname] = term
            else:
                self.lines.append(f"{inner}{_attribute(name, attname)} = {term}")


def _attribute(variable: str, name: str) -> str:
    """What to assign to, so that an instance has a value of this name: its attribute, if it can be one."""
    return f"{variable}.{name}" if name.isidentifier() and not iskeyword(name) else f"{variable}.__dict__[{name!r}]"


def _uncollected(lines: list[str]) -> list[str]:
    return ["with uncollected():", *[f"    {line}" for line in lines]]
