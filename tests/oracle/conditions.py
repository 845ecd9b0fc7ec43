"""The grammar of paths, values and conditions."""

from __future__ import annotations

import datetime
import uuid
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from oracle.chance import Chance
from oracle.graph import FIELDS, RELATIONS, Way
from oracle.terms import Call, Op, Rows

Q, F, OUTER = "Q", "F", "OuterRef"
DAYS = [date(2024, 1, 1), date(2023, 12, 31), date(2024, 2, 29), date(2024, 1, 28)]
VALUES: dict[str, list[Any]] = {
    "int": [1, 0, 2, 3, 5, 9],
    "text": ["a", "b", "c", "ab", "A", "", "%", "Ba"],
    "float": [1.0, 0.5, 2.25, 3.5],
    "decimal": [Decimal("1.00"), Decimal("0.50"), Decimal("2.25"), Decimal("3")],
    "bool": [True, False],
    "date": DAYS,
    "moment": [datetime.datetime(2024, month, 28, hour, 30, 15, tzinfo=UTC) for month in (1, 2) for hour in (0, 9, 23)],
    "span": [timedelta(minutes=5), timedelta(days=1), timedelta(days=1, seconds=2)],
    "uuid": [uuid.UUID(int=number) for number in (1, 2, 9)],
}
ORDERED = ["gt", "gte", "lt", "lte", "range"]
LOOKUPS: dict[str, list[str]] = {
    "int": ["exact", "in", "isnull", *ORDERED],
    "text": [
        "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "in",
        "isnull", "regex", "iregex", *ORDERED,
    ],
    "float": ["exact", "in", "isnull", *ORDERED],
    "decimal": ["exact", "in", *ORDERED],
    "bool": ["exact", "in"],
    "date": ["exact", "in", "isnull", *ORDERED, "year", "month", "day", "week_day", "quarter", "iso_year", "week"],
    "moment": ["exact", "in", "isnull", *ORDERED, "year", "month", "day", "hour", "minute", "second", "date"],
    "span": ["exact", "in", "isnull", *ORDERED],
    "uuid": ["exact", "in"],
}  # fmt: skip
PARTS = {"year": [2024, 2023], "iso_year": [2023, 2024], "month": [1, 2, 12], "week": [1, 9, 52], "quarter": [1, 4]}
JSON = [
    ("data__lang", "en"), ("data__by__age__gt", 1), ("data__n", None), ("data__n__isnull", True), ("data__by__age", 3),
    ("data__has_key", "lang"), ("data__has_any_keys", ["n", "by"]), ("data__lang__startswith", "d"), ("data", {}),
    ("data__lang__in", ["en", "fr"]), ("data__has_keys", ["n", "lang"]),
]  # fmt: skip


class Path:
    """A path from a model to a field or a relation."""

    def __init__(self, steps: list[str], model: str, many: bool) -> None:
        self.steps = steps
        self.model = model
        self.many = many

    def __call__(self, *more: str) -> str:
        return "__".join([*self.steps, *more])


class Conditions:
    """Makes conditions about rows of a model."""

    def __init__(self, chance: Chance, vendor: str) -> None:
        self.chance = chance
        self.vendor = vendor
        self.negates_many = chance.happens(40)
        self.walks_negated = False
        self.several = False  # whether a call has more than one argument
        self.misses = True

    # -- paths ---------------------------------------------------------------------------------------------------------

    def path(self, model: str, many: bool = True, most: int = 3) -> Path:
        """No step, or some; only relations to one row unless ``many``."""
        steps: list[str] = []
        passed = False
        for _ in range(min(most, self.chance.weighted((4, 0), (4, 1), (2, 2), (1, 3)))):
            ways = self.ways(model, many)
            if not ways:
                break
            name = self.chance.pick(list(ways))
            steps.append(name)
            passed = passed or ways[name].many
            model = ways[name].target
        return Path(steps, model, passed)

    def ways(self, model: str, many: bool) -> dict[str, Way]:
        """The relations to go on by. Where those to many rows are negated, Django takes ``parent`` for ``children``."""
        ways = RELATIONS[model].items()
        return {n: way for n, way in ways if not way.many or (many and not (self.negates_many and way.target == model))}

    def relation(self, model: str, many: bool = True) -> tuple[str, Way, bool] | None:
        """A path that ends with a relation, and whether it passes any that leads to many rows."""
        path = self.path(model, many, 1)
        ways = self.ways(path.model, many)
        if not ways:
            return None
        name = self.chance.pick(list(ways))
        return path(name), ways[name], path.many or ways[name].many

    def field(self, model: str, kind: str | None = None, many: bool = True, most: int = 3) -> tuple[str, str, bool]:
        """The name, the kind and whether to-many of a field; of this kind, if there is one on the way."""
        path = self.path(model, many, most)
        names = [name for name, own in FIELDS[path.model].items() if kind in (None, own)]
        if not names:
            path = Path([], model, False)
            names = [name for name, own in FIELDS[model].items() if kind in (None, own)]
        if not names:
            return "", "", False
        name = self.chance.pick(names)
        return path(name), FIELDS[path.model][name], path.many

    # -- look-ups ------------------------------------------------------------------------------------------------------

    def value(self, kind: str) -> Any:
        return self.chance.pick(VALUES[kind])

    def lookup(self, kind: str, nullable: bool = True) -> tuple[str, Any]:
        """A look-up for a value of this kind, and what it compares with."""
        name = self.chance.pick(LOOKUPS[kind])
        if name == "isnull":
            return name, self.chance.pick([True, False])
        if name == "in":
            values = [self.value(kind) for _ in range(1 + self.chance.below(3))]
            return name, [*values, None] if nullable and self.chance.happens(15) else values
        if name == "range":
            return name, (self.value(kind), self.value(kind))
        if name in {"regex", "iregex"}:
            return name, self.chance.pick(["[ab]", "^a", "b$", "^.$", "A|c"])
        if name == "date":
            return name, self.chance.pick(DAYS)
        if kind in {"date", "moment"} and name not in {"exact", *ORDERED}:
            part = self.chance.pick(PARTS.get(name, [1, 28, 9, 30]))
            return (name, part) if self.chance.happens(60) else (f"{name}__gte", part)
        return name, self.value(kind)

    def by_lookup(self, model: str, many: bool) -> Any:
        """A look-up of a field on some path."""
        name, kind, _ = self.field(model, many=many)
        lookup, value = self.lookup(kind)
        if lookup == "isnull":
            value = value and self.misses
        if lookup == "exact" and self.chance.happens(50):
            return Call(Q, kwargs={name: value})
        return Call(Q, kwargs={f"{name}__{lookup}": value})

    def by_relation(self, model: str, many: bool) -> Any:
        """A relation that is there or not, or leads to certain rows."""
        found = self.relation(model, many)
        if found is None:
            return self.by_lookup(model, many)
        name, way, _ = found
        how = self.chance.pick(["isnull", "exact", "in", "rows"])
        if how == "isnull":
            return Call(Q, kwargs={f"{name}__isnull": self.chance.pick([True, False]) and self.misses})
        if how == "exact":
            return Call(Q, kwargs={name: self.chance.pick([1, 2, 3, 4, 5])})
        if how == "in":
            return Call(Q, kwargs={f"{name}__in": self.chance.some([1, 2, 3, 4, 5, 6], 1, 3)})
        return Call(Q, kwargs={f"{name}__in": self.chosen(way.target, many=True)})

    def by_field(self, model: str, many: bool) -> Any:
        """Two fields of one kind, compared; the one on the right may be reached and computed with."""
        name, kind, _ = self.field(model, many=many)
        # Behind a relation that is negated Django takes a table joined for the right side for that relation's.
        other, found, _ = self.field(model, kind, many=False, most=0 if many and self.negates_many else 3)
        if not other or kind == "bool":
            return self.by_lookup(model, many)
        right: Any = Call(F, (other,))
        if kind in {"int", "float"} and found == kind and self.chance.happens(40):
            right = Op(self.chance.pick("+-*"), right, self.value(kind))
        lookup = self.chance.pick(["exact", "gt", "lte", "lt", "gte"])
        if kind == "text" and self.chance.happens(30):
            lookup = self.chance.pick(["contains", "startswith", "iexact", "iendswith"])
        return Call(Q, kwargs={f"{name}__{lookup}": right})

    def by_rows(self, model: str) -> Any:
        """Whether rows exist whose field equals one of this row."""
        return Call("Exists", (self.correlated(model),))

    def correlated(self, model: str) -> Any:
        """Rows of some model that belong to the outer row: by a relation back, or by equal values."""
        back = [(other, n) for other, ways in RELATIONS.items() for n, way in ways.items() if way.target == model]
        if back and self.chance.happens(70):
            other, name = self.chance.pick(back)
            tied = {name: Call(OUTER, ("pk",))}
        else:
            other = self.chance.pick(list(FIELDS))
            name, kind, _ = self.field(other, most=1, many=False)
            outer, same, _ = self.field(model, kind, many=False, most=1)
            if not outer or same == "bool":
                return self.chosen(other, many=False)
            tied = {name: Call(OUTER, (outer,))}
        rows = Call("filter", kwargs=tied, on=Rows(other))
        if self.chance.happens(50):
            rows = Call("filter", (self.leaf(other, many=False),), on=rows)
        return rows

    def chosen(self, model: str, many: bool) -> Any:
        """Rows of a model, for the right side of ``in``."""
        rows: Any = Call("filter", (self.leaf(model, many),), on=Rows(model))
        return Call("values", ("pk",), on=rows) if self.chance.happens(30) else rows

    def leaf(self, model: str, many: bool = True) -> Any:
        """One condition."""
        if model == "Post" and self.chance.happens(6):
            name, value = self.chance.pick(JSON)
            return Call(Q, kwargs={name: value})
        how = self.chance.weighted((8, self.by_lookup), (3, self.by_relation), (2, self.by_field))
        return how(model, many)

    # -- conditions ----------------------------------------------------------------------------------------------------

    def condition(self, model: str, many: bool = True, depth: int = 0, negated: bool = False) -> Any:
        """Conditions joined by ``&``, ``|``, ``^`` and ``~``, at most four deep.

        Some things that Django gets wrong are left out. It ties the subquery of a NOT to the wrong table where a
        condition has joined the same to-many relation: in one question only what is negated goes there, or only what
        is not (``negates_many``). And in a NOT it forgets that a row may be missing where a condition beside it has
        joined the relation: in one tree only what is negated walks relations, or only what is not
        (``walks_negated``), and what is negated with others does not ask for a row that is missing (``misses``).
        """
        if depth == 0:
            self.walks_negated = negated or self.chance.happens(40)
        how = self.chance.weighted((9, "leaf"), (3, "~"), (4, "&"), (3, "|"), (1, "^"), (2, "rows"))
        if how == "leaf" or depth > 2:
            self.misses = not (negated and (depth or self.several))
            if depth and negated is not self.walks_negated:
                return self.own(model)
            return self.leaf(model, many and negated is self.negates_many)
        if how == "rows":
            return Call(Q, (self.by_rows(model),)) if depth else self.by_rows(model)
        if how == "~":
            return Op("~", self.own(model) if negated else self.condition(model, many, depth + 1, True))
        if how == "^":
            # Django joins the tables of an XOR by INNER, which loses rows: its sides stay on the model's own table.
            return Op("^", self.own(model), self.own(model))
        one, other = (self.condition(model, many, depth + 1, negated) for _ in range(2))
        return Op(how, one, other)

    def own(self, model: str) -> Any:
        name = self.chance.pick(list(FIELDS[model]))
        lookup, value = self.lookup(FIELDS[model][name])
        return Call(Q, kwargs={f"{name}__{lookup}": value})
