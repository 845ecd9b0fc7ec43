"""The grammar of whole questions: a queryset, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oracle.conditions import VALUES, F
from oracle.expressions import KINDS, OUTPUT, Expressions
from oracle.graph import FIELDS, RELATIONS
from oracle.terms import Apart, Call, Item, Op, Rows, code

COLUMNS = {model: {f"{n}_id": "int" for n, w in ways.items() if w.column} for model, ways in RELATIONS.items()}


@dataclass(repr=False)
class Question:
    """One question: the term to build, and how its answer is to be read."""

    model: str
    term: Any
    # Whether the order of the rows is asked for to the last row.
    ordered: bool = False
    # Attributes to follow from each row.
    walk: list[str] = field(default_factory=list)
    # Whether rows are changed, so that what is left is part of the answer and has to be taken back.
    writes: bool = False

    def __repr__(self) -> str:
        return code(self.term)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # hypothesis prints the fields of a dataclass otherwise


@dataclass
class Draft:
    """A queryset that is being made: what later steps have to know of the earlier ones."""

    model: str
    term: Any
    names: dict[str, str] = field(default_factory=dict)  # annotations, with their kinds
    grouped: bool = False
    many: bool = False  # whether rows may come several times, or differ in more than their key says
    ordered: bool = False
    distinct: bool = False
    sliced: bool = False

    def then(self, name: str, *args: Any, **kwargs: Any) -> None:
        self.term = Call(name, args, kwargs, on=self.term)


class Grammar(Expressions):
    """Makes questions."""

    def question(self) -> Question:
        """Any question."""
        how = self.chance.weighted(
            (8, self.rows), (5, self.values), (6, self.aggregated), (5, self.groups), (4, self.whole),
            (3, self.moments), (4, self.combined), (3, self.joined), (3, self.one), (4, self.written), (2, self.bulk),
        )  # fmt: skip
        found: Question = how(self.start())
        return found

    def start(self) -> Draft:
        model = self.chance.pick(["Author", "Post", "Shop", "Tag", "Reading", "Profile", "Place", "Cafe", "Note"])
        return Draft(model, Rows(model))

    # -- steps ---------------------------------------------------------------------------------------------------------

    def narrow(self, draft: Draft, most: int = 2, many: bool = True, least: int = 0) -> None:
        """A few conditions."""
        for _ in range(least + self.chance.below(most - least + 1)):
            model = draft.model
            how = self.chance.weighted((7, "filter"), (3, "exclude"))
            self.several = self.chance.happens(20)
            args = [self.condition(model, many, negated=how == "exclude")]
            if self.several:
                args.append(self.condition(model, many, 3, how == "exclude"))
            draft.then(how, *args)
            draft.many = draft.many or many

    def compute(self, draft: Draft, most: int = 2) -> None:
        """Values of the row's own, selected or only for use in the next calls."""
        for number in range(self.chance.below(most + 1)):
            kind = self.chance.pick(KINDS)
            term, name = self.expression(draft.model, kind), f"v{number}"
            select = self.chance.happens(75)
            draft.then("annotate" if select else "alias", **{name: term})
            if self.chance.happens(40):
                lookup, value = self.lookup(kind)
                draft.then(self.chance.pick(["filter", "exclude"]), **{f"{name}__{lookup}": value})
            if select:
                draft.names[name] = kind

    def order(self, draft: Draft, names: list[str] | None = None, percent: int = 70) -> None:
        """An order, mostly to the last row. Names are those that may be ordered by; None for any of the model's."""
        if not self.chance.happens(percent):
            return
        terms = []
        for _ in range(self.chance.below(3)):
            if names is None and not draft.distinct and self.chance.happens(20):
                expression = self.expression(draft.model, self.chance.pick(["text", "date", "bool"]), 1)
                if isinstance(expression, Call) and expression.name not in {"F", "Value"}:
                    terms.append(Call(self.chance.pick(["asc", "desc"]), on=expression))
                    continue
            name = self.orderable(draft, names)
            how = self.chance.pick(["asc", "desc", "first", "last"])
            if how in {"first", "last"}:
                option = {f"nulls_{how}": True}
                terms.append(Call(self.chance.pick(["asc", "desc"]), (), option, on=Call(F, (name,))))
            else:
                terms.append(name if how == "asc" else f"-{name}")
        terms += ["pk"] if names is None else names
        draft.then("order_by", *terms)
        draft.ordered = not draft.many if names is None else True
        if self.chance.happens(15):
            draft.then("reverse")

    def orderable(self, draft: Draft, names: list[str] | None) -> str:
        if names is not None:
            return self.chance.pick(names)
        if draft.names and self.chance.happens(40):
            return self.chance.pick(list(draft.names))
        if self.chance.happens(15):
            found = self.relation(draft.model, many=False)
            if found is not None:
                return found[0]
        return self.field(draft.model, many=False)[0]

    def slice(self, draft: Draft, percent: int = 30) -> None:
        if draft.ordered and self.chance.happens(percent):
            start = self.chance.pick([None, 1, 3])
            stop = (start or 0) + self.chance.pick([3, 1, 6, 0]) if self.chance.happens(80) else None
            draft.term = Item(draft.term, slice(start, stop))
            draft.sliced = True

    def end(self, draft: Draft) -> Any:
        """What is asked in the end: mostly the rows."""
        how = self.chance.weighted((8, "rows"), (1, "count"), (1, "exists"))
        if how == "rows" or (how == "exists" and draft.grouped):  # Django forgets groups by a constant there
            return draft.term
        return Call(how, on=draft.term)

    # -- questions -----------------------------------------------------------------------------------------------------

    def rows(self, draft: Draft) -> Question:
        """Instances, with what comes along with them."""
        if self.chance.happens(12):
            self.conditional(draft)
        self.narrow(draft, 3)
        self.compute(draft)
        if self.chance.happens(15):
            term, kind = self.window(draft.model)
            draft.then("annotate", w=term)
            draft.names["w"] = kind
        many = draft.many
        if self.chance.happens(20):
            draft.then("distinct")
            draft.distinct, draft.many = True, False
        walk = self.along(draft)
        if self.vendor == "postgresql" and not draft.distinct and self.chance.happens(15):
            name = self.chance.pick(list(FIELDS[draft.model]))
            draft.then("order_by", name, "pk")
            draft.then("distinct", name)
            draft.ordered = not many or True
        else:
            self.order(draft)
        if not draft.many or draft.distinct:
            self.slice(draft)
        return Question(draft.model, self.end(draft), draft.ordered, walk)

    def conditional(self, draft: Draft) -> None:
        """A relation joined under a condition, with a name of its own."""
        found = self.relation(draft.model)
        if found is None or "__" in found[0]:
            return
        name, way, many = found
        condition = self.near(draft.model, name, way.target)
        draft.then("annotate", r=Call("FilteredRelation", (name,), {"condition": condition}))
        field = self.chance.pick(list(FIELDS[way.target]))
        lookup, value = self.lookup(FIELDS[way.target][field])
        draft.then("filter", **{f"r__{field}__{lookup}": value})
        draft.many = draft.many or many

    def along(self, draft: Draft) -> list[str]:
        """Related rows that are loaded with them, or fields that are not."""
        walk: list[str] = []
        if self.chance.happens(25):
            found = self.relation(draft.model, many=False)
            if found is not None:
                draft.then("select_related", found[0])
                walk.append(found[0])
        elif self.chance.happens(20):
            names = self.chance.some([n for n in FIELDS[draft.model] if n != "id"], 1, 2)
            draft.then(self.chance.pick(["only", "defer"]), *names)
        if self.chance.happens(25):
            found = self.relation(draft.model)
            if found is not None:
                name, way, _ = found
                # A relation that is here already is asked for again by Django if the prefetch brings a queryset.
                if "__" in name or (walk and not way.many) or self.chance.happens(50):
                    draft.then("prefetch_related", name)
                    walk.append(name)
                else:
                    rows: Any = Call("filter", (self.leaf(way.target, many=False),), on=Rows(way.target))
                    rows = Call("order_by", ("-pk",), on=rows)
                    to = {"to_attr": "found"} if way.many else {}
                    draft.then("prefetch_related", Call("Prefetch", (name,), {"queryset": rows, **to}))
                    walk.append("found" if to else name)
        return walk

    def values(self, draft: Draft) -> Question:
        """Columns, those of related rows among them."""
        self.narrow(draft)
        self.compute(draft)
        names = []
        for _ in range(1 + self.chance.below(3)):
            name, _, many = self.field(draft.model)
            names.append(name)
            draft.many = draft.many or many
        names = list(dict.fromkeys([*names, *self.chance.some(list(draft.names), 0, 2)]))
        if self.chance.happens(15):
            return self.computed_values(draft, names)
        how = self.chance.pick(["values", "values_list", "flat", "named"])
        if how == "flat":
            names = names[:1]
            draft.then("values_list", *names, flat=True)
        elif how == "named":
            draft.then("values_list", *names, named=True)
        else:
            draft.then(how, *names)
        if self.chance.happens(30):
            draft.then("distinct")
            self.order(draft, names)
        else:
            self.order(draft)
        self.slice(draft)
        return Question(draft.model, self.end(draft), draft.ordered)

    def computed_values(self, draft: Draft, names: list[str]) -> Question:
        """``values()`` with expressions of its own."""
        kind = self.chance.pick(["text", "int", "date", "bool"])
        draft.then("values", *names, x=self.expression(draft.model, kind))
        if self.chance.happens(50):
            lookup, value = self.lookup(kind)
            draft.then("filter", **{f"x__{lookup}": value})
        self.order(draft, [*names, "x"])
        self.slice(draft)
        return Question(draft.model, self.end(draft), draft.ordered)

    def aggregated(self, draft: Draft) -> Question:
        """Rows with aggregates over one to-many relation, or over several."""
        self.narrow(draft, 1, many=False)
        draft.many = False
        ways = [name for name, way in RELATIONS[draft.model].items() if way.many]
        if not ways:
            return self.groups(draft)
        chosen = self.chance.some(ways, 1, 1 if self.chance.happens(60) else 3)
        if len(chosen) == 1 and self.chance.happens(30):
            # The rows that a condition has found are those that are aggregated.
            target = RELATIONS[draft.model][chosen[0]].target
            field, kind, _ = self.field(target, many=False, most=1)
            lookup, value = self.lookup(kind)
            draft.then("filter", **{f"{chosen[0]}__{field}__{lookup}": value})
        for number, name in enumerate(chosen):
            target = RELATIONS[draft.model][name].target
            if self.chance.happens(20):  # further on, over a second relation
                further = self.ways(target, many=True)
                if further:
                    step = self.chance.pick(list(further))
                    name, target = f"{name}__{step}", further[step].target
            term, kind = self.aggregate(draft.model, name, target, True)
            alias = f"a{number}"
            draft.then("annotate", **{alias: Apart(draft.model, term) if len(chosen) > 1 else term})
            draft.names[alias] = kind
        if self.chance.happens(20):
            name = self.chance.pick(list(draft.names))
            draft.then("annotate", b=self.of_aggregate(name, draft.names[name]))
            draft.names["b"] = draft.names[name]
        if self.chance.happens(40):
            self.having(draft)
        if self.chance.happens(30):
            self.narrow(draft, 1, many=False)
            draft.many = False
        if self.chance.happens(30):
            draft.then("values", *self.chance.some([*FIELDS[draft.model], *draft.names], 1, 3))
        self.order(draft)
        self.slice(draft)
        return Question(draft.model, self.end(draft), draft.ordered)

    def of_aggregate(self, name: str, kind: str) -> Any:
        """Something computed from an aggregate, or from two."""
        value = Call("Value", (self.value(kind),), {"output_field": OUTPUT[kind]})
        if kind in {"int", "float"} and self.chance.happens(50):
            return Op(self.chance.pick("+-*"), Call(F, (name,)), self.value(kind))
        if self.chance.happens(50):
            when = Call("When", (Call("Q", kwargs={f"{name}__isnull": True}),), {"then": value})
            return Call("Case", (when,), {"default": Call(F, (name,))})
        return Call("Coalesce", (Call(F, (name,)), value))

    def having(self, draft: Draft) -> None:
        """A condition on what was computed."""
        name = self.chance.pick(list(draft.names))
        kind = draft.names[name]
        lookup, value = self.lookup(kind, nullable=False)
        condition: Any = Call("Q", kwargs={f"{name}__{lookup}": value})
        if self.chance.happens(40):
            condition = Op(self.chance.pick("&|"), condition, self.own(draft.model))
        draft.then(self.chance.pick(["filter", "exclude"]), condition)

    def groups(self, draft: Draft) -> Question:
        """``values()`` before aggregates: groups."""
        self.narrow(draft, 1, many=False)
        keys = []
        for _ in range(1 + self.chance.below(2)):
            if self.chance.happens(30):
                kind = self.chance.pick(["int", "text", "date", "bool"])
                name, key = f"k{len(keys)}", self.expression(draft.model, kind)
                if "F(" not in code(key):  # Django forgets a constant when it counts groups
                    continue
                draft.then("annotate", **{name: key})
                keys.append(name)
            else:
                keys.append(self.field(draft.model, many=False)[0])
        keys = list(dict.fromkeys(keys)) or ["id"]
        draft.then("values", *keys)
        draft.grouped = True
        ways = ["", *[name for name, way in RELATIONS[draft.model].items()]]
        path = self.chance.pick(ways) if self.chance.happens(50) else ""
        target = RELATIONS[draft.model][path].target if path else draft.model
        for number in range(1 + self.chance.below(2)):
            term, kind = self.aggregate(draft.model, path, target, bool(path))
            draft.then("annotate", **{f"a{number}": term})
            draft.names[f"a{number}"] = kind
        if self.chance.happens(30):
            name = self.chance.pick(list(draft.names))
            lookup, value = self.lookup(draft.names[name], nullable=False)
            draft.then("filter", **{f"{name}__{lookup}": value})
        if self.chance.happens(60):
            self.order(draft, keys, 100)
        self.slice(draft)
        return Question(draft.model, self.end(draft), draft.ordered)

    def whole(self, draft: Draft) -> Question:
        """``aggregate()``: values over all rows, of a slice or of distinct rows too."""
        self.narrow(draft)
        self.compute(draft, 1)
        if self.chance.happens(20):
            draft.then("distinct")
            draft.many = False
        elif not draft.many:
            self.order(draft, percent=30)
            self.slice(draft)
        found: dict[str, Any] = {}
        for number in range(1 + self.chance.below(2)):
            if draft.names and self.chance.happens(30):
                name = self.chance.pick(list(draft.names))
                found[f"a{number}"] = Call("Count", (name,))
            else:
                found[f"a{number}"] = self.aggregate(draft.model, "", draft.model, False)[0]
        return Question(draft.model, Call("aggregate", (), found, on=draft.term))

    def moments(self, draft: Draft) -> Question:
        """``dates()`` and ``datetimes()``."""
        model, name, how = self.chance.pick(
            [("Author", "born", "dates"), ("Shop", "opened", "dates"), ("Post", "sent", "datetimes"),
             ("Post", "sent", "dates"), ("Cafe", "opened", "dates")]
        )  # fmt: skip
        draft = Draft(model, Rows(model))
        self.narrow(draft)
        kinds = ["year", "month", "week", "day"]
        if how == "datetimes":
            kinds += ["hour", "minute", "second"]
        order = {"order": "DESC"} if self.chance.happens(40) else {}
        draft.then(how, name, self.chance.pick(kinds), **order)
        draft.ordered = True
        self.slice(draft)
        return Question(model, self.end(draft), True)

    def combined(self, draft: Draft) -> Question:
        """``union()``, ``intersection()`` and ``difference()``."""
        columns = self.chance.happens(60)
        names = self.chance.some([*FIELDS[draft.model]], 1, 2)
        parts = []
        for _ in range(2 + self.chance.below(2)):
            part = Draft(draft.model, Rows(draft.model))
            self.narrow(part)
            part.then("order_by")  # SQLite takes no order in a part, not even that of Meta
            if columns:
                part.then("values_list", *names)
            parts.append(part.term)
        how = self.chance.pick(["union", "intersection", "difference", "all"])
        first, *others = parts
        options = {"all": True} if how == "all" else {}
        draft.term = Call("union" if how == "all" else how, tuple(others), options, on=first)
        if self.chance.happens(50):
            draft.then("order_by", *(names if columns else ["id"]))
            draft.ordered = True
            self.slice(draft)
        term = self.end(draft)
        if draft.sliced and isinstance(term, Call) and term.name == "exists":  # Django asks each part for one row only
            term = draft.term
        return Question(draft.model, term, draft.ordered)

    def joined(self, draft: Draft) -> Question:
        """Two querysets of one model, joined by ``&`` or ``|``."""
        other = Draft(draft.model, Rows(draft.model))
        many = self.chance.happens(50)
        self.negates_many = False  # Django ties such a subquery of the second side to a table of the first
        # Of a side without a condition Django keeps the joins of the other, and so each row several times.
        self.narrow(draft, many=many, least=1)
        self.narrow(other, many=many, least=1)
        draft.term = Op(self.chance.pick("&|"), draft.term, other.term)
        draft.many = many
        if self.chance.happens(40):
            draft.then("distinct")
            draft.many = False
        self.order(draft)
        return Question(draft.model, self.end(draft), draft.ordered)

    def one(self, draft: Draft) -> Question:
        """One row of them: first, last, get, earliest, latest, or by its place."""
        self.narrow(draft, many=self.chance.happens(50))
        how = self.chance.pick(["first", "last", "get", "earliest", "latest", "index"])
        if how == "get":
            name = self.chance.pick(list(FIELDS[draft.model]))
            lookup, value = self.lookup(FIELDS[draft.model][name])
            term: Any = Call("get", kwargs={f"{name}__{lookup}": value}, on=draft.term)
        elif how in {"earliest", "latest"}:
            names = [self.chance.pick(["", "-"]) + self.chance.pick(list(FIELDS[draft.model])), "pk"]
            term = Call(how, tuple(names), on=draft.term)
        elif how == "index":
            term = Item(Call("order_by", ("-pk",), on=draft.term), self.chance.below(3))
        else:
            self.order(draft)
            term = Call(how, on=draft.term)
        return Question(draft.model, term)

    def bulk(self, draft: Draft) -> Question:
        """``in_bulk()``."""
        self.narrow(draft)
        keys = self.chance.some(range(1, 9), 0, 4)
        args = (keys,) if self.chance.happens(60) else ()
        if draft.model == "Profile" and self.chance.happens(30):
            return Question(draft.model, Call("in_bulk", args, {"field_name": "author"}, on=draft.term))
        return Question(draft.model, Call("in_bulk", args, on=draft.term))

    def written(self, draft: Draft) -> Question:
        """``update()`` and ``delete()``: the number that they give, and the rows that are left."""
        self.narrow(draft)
        if self.chance.happens(35):
            return Question(draft.model, Call("delete", on=draft.term), writes=True)
        values: dict[str, Any] = {}
        fields = {n: kind for n, kind in FIELDS[draft.model].items() if n != "id"}
        for name in self.chance.some(list(fields), 1, 2):
            kind = fields[name]
            if kind == "text" or kind == "uuid" or name in {"seats", "object_id"} or self.chance.happens(40):
                values[name] = self.chance.pick(VALUES[kind])
            else:
                values[name] = self.updated(draft.model, kind)
        return Question(draft.model, Call("update", (), values, on=draft.term), writes=True)

    def updated(self, model: str, kind: str) -> Any:
        """An expression of the row's own columns, which is all that ``update()`` may use, or of a subquery.

        A row of an inherited model lies in several tables, and the update of one does not see the columns of another.
        """
        if model in {"Shop", "Cafe"}:
            return Call("Value", (self.value(kind),), {"output_field": OUTPUT[kind]})
        names = [name for name, own in FIELDS[model].items() if own == kind]
        other = Call(F, (self.chance.pick(names),))
        default = Call("Value", (self.value(kind),), {"output_field": OUTPUT[kind]})
        if kind in {"int", "float"} and self.chance.happens(50):
            return Op(self.chance.pick("+-*"), Call("Coalesce", (other, default)), self.value(kind))
        if self.chance.happens(40):
            when = Call("When", (self.own(model),), {"then": default})
            return Call("Case", (when,), {"default": Call("Coalesce", (other, default))})
        return Call("Coalesce", (self.subquery(model, kind), default))
