"""The grammar of expressions: what is computed for each row, over rows that belong to it, and over a window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oracle.conditions import OUTER, Conditions, F, Q
from oracle.graph import FIELDS, RELATIONS
from oracle.terms import Call, Item, Op, Rows

OUTPUT = {
    "int": Call("IntegerField"), "text": Call("CharField"), "bool": Call("BooleanField"), "date": Call("DateField"),
    "moment": Call("DateTimeField"), "float": Call("FloatField"), "span": Call("DurationField"),
    "decimal": Call("DecimalField", kwargs={"max_digits": 12, "decimal_places": 2}), "uuid": Call("UUIDField"),
}  # fmt: skip
KINDS = ["int", "text", "bool", "date", "moment", "float", "decimal", "span"]


class Expressions(Conditions):
    """Makes expressions of a kind, about rows of a model."""

    def expression(self, model: str, kind: str, depth: int = 0) -> Any:
        """Something of this kind; only relations to one row are passed."""
        simple: Callable[[], Any] = lambda: self.plain(model, kind)  # noqa: E731
        if depth > 1 or kind == "uuid":
            return simple()
        own = getattr(self, f"as_{kind}", None)
        options: list[tuple[int, Any]] = [
            (4, simple),
            (2, lambda: self.case(model, kind, depth)),
            (2, lambda: self.coalesce(model, kind, depth)),
            (1, lambda: self.subquery(model, kind)),
        ]
        if own is not None:
            options.append((5, lambda: own(model, depth)))
        return self.chance.weighted(*options)()

    def plain(self, model: str, kind: str) -> Any:
        name, found, _ = self.field(model, kind, many=False)
        if found != kind or self.chance.happens(8):
            return self.constant(kind)
        return Call(F, (name,))

    def constant(self, kind: str) -> Any:
        return Call("Value", (self.value(kind),), {"output_field": OUTPUT[kind]})

    def case(self, model: str, kind: str, depth: int) -> Any:
        whens = [
            Call("When", (self.condition(model, False, 2),), {"then": self.expression(model, kind, depth + 1)})
            for _ in range(1 + self.chance.below(2))
        ]
        if self.chance.happens(60):
            return Call("Case", tuple(whens), {"default": self.expression(model, kind, depth + 1)})
        return Call("Case", tuple(whens))

    def coalesce(self, model: str, kind: str, depth: int) -> Any:
        two = (self.expression(model, kind, depth + 1), self.expression(model, kind, depth + 1))
        if kind in {"int", "float", "date"} and self.chance.happens(30):
            return Call(self.chance.pick(["Greatest", "Least"]), two)
        if kind in {"int", "text"} and self.chance.happens(20):
            return Call("NullIf", two)
        return Call("Coalesce", two)

    def subquery(self, model: str, kind: str) -> Any:
        """A value of the first row that belongs to this one."""
        back = [
            (other, name)
            for other, ways in RELATIONS.items()
            for name, way in ways.items()
            if way.target == model and kind in FIELDS[other].values()
        ]
        if not back:
            return self.plain(model, kind)
        other, name = self.chance.pick(back)
        rows: Any = Call("filter", kwargs={name: Call(OUTER, ("pk",))}, on=Rows(other))
        if self.chance.happens(40):
            rows = Call("exclude", (self.leaf(other, many=False),), on=rows)
        field = self.chance.pick([n for n, own in FIELDS[other].items() if own == kind])
        rows = Call("values", (field,), on=Call("order_by", (self.chance.pick(["", "-"]) + "pk",), on=rows))
        return Call("Subquery", (Item(rows, slice(None, 1)),))

    # -- by kind -------------------------------------------------------------------------------------------------------

    def as_int(self, model: str, depth: int) -> Any:
        def number() -> Any:
            return self.expression(model, "int", depth + 1)

        how = self.chance.pick(["sign", "Length", "Abs", "extract", "Mod", "count", "Cast", "StrIndex"])
        if how == "sign":
            right = self.value("int") if self.chance.happens(50) else number()
            return Op(self.chance.pick("+-*"), number(), right)
        if how == "Length":
            return Call("Length", (self.expression(model, "text", depth + 1),))
        if how == "Abs":
            return Call("Abs", (Op("-", number(), 2),))
        if how == "Mod":
            return Op("%", number(), 3)
        if how == "StrIndex":
            return Call("StrIndex", (self.expression(model, "text", depth + 1), Call("Value", ("b",))))
        if how == "Cast":
            return Call("Cast", (self.expression(model, "bool", depth + 1), OUTPUT["int"]))
        if how == "extract":
            kind = self.chance.pick(["date", "moment"])
            name, found, _ = self.field(model, kind, many=False)
            if found == kind:
                part = self.chance.pick(["ExtractYear", "ExtractMonth", "ExtractDay", "ExtractWeekDay", "ExtractWeek"])
                return Call(part, (name,))
        return self.counted(model)

    def counted(self, model: str) -> Any:
        """How many rows of some model belong to this one, by a subquery."""
        back = [(other, n) for other, ways in RELATIONS.items() for n, way in ways.items() if way.target == model]
        if not back:
            return self.plain(model, "int")
        other, name = self.chance.pick(back)
        rows = Call("filter", kwargs={name: Call(OUTER, ("pk",))}, on=Rows(other))
        grouped = Call("values", (name,), on=Call("order_by", on=rows))
        one = Call("values", ("n",), on=Call("annotate", kwargs={"n": Call("Count", ("*",))}, on=grouped))
        return Call("Subquery", (one,))

    def as_text(self, model: str, depth: int) -> Any:
        text = self.expression(model, "text", depth + 1)
        how = self.chance.pick(
            ["Lower", "Upper", "Trim", "Concat", "Substr", "Left", "Right", "Replace", "LPad", "Cast"]
        )
        if how == "Concat":
            return Call("Concat", (text, Call("Value", ("-",)), self.expression(model, "text", depth + 1)))
        if how == "Substr":
            return Call("Substr", (text, 1 + self.chance.below(2), 1))
        if how in {"Left", "Right"}:
            return Call(how, (text, 1 + self.chance.below(2)))
        if how == "Replace":
            return Call("Replace", (text, Call("Value", ("a",)), Call("Value", ("xy",))))
        if how == "LPad":
            return Call("LPad", (text, 3, Call("Value", ("*",))))
        if how == "Cast":
            return Call("Cast", (self.expression(model, "int", depth + 1), OUTPUT["text"]))
        return Call(how, (text,))

    def as_bool(self, model: str, depth: int) -> Any:
        if self.chance.happens(40):
            return self.by_rows(model)
        return Call(
            "ExpressionWrapper", (Call(Q, (self.condition(model, False, 2),)),), {"output_field": OUTPUT["bool"]}
        )

    def as_date(self, model: str, depth: int) -> Any:
        if self.chance.happens(40):
            name, found, _ = self.field(model, "moment", many=False)
            if found == "moment":
                return Call("TruncDate", (name,))
        if depth:
            return self.plain(
                model, "date"
            )  # on PostgreSQL Django gives a datetime for a date cut off inside of another
        part = self.chance.pick(["TruncYear", "TruncMonth", "TruncWeek", "TruncQuarter"])
        name, found, _ = self.field(model, "date", many=False)
        return Call(part, (name,)) if found == "date" else self.constant("date")

    def as_moment(self, model: str, depth: int) -> Any:
        name, found, _ = self.field(model, "moment", many=False)
        if found != "moment":
            return self.constant("moment")
        if self.chance.happens(40):
            total = Op(self.chance.pick("+-"), Call(F, (name,)), self.value("span"))
            return Call("ExpressionWrapper", (total,), {"output_field": OUTPUT["moment"]})
        return Call(self.chance.pick(["TruncDay", "TruncHour", "TruncMonth", "TruncMinute", "TruncYear"]), (name,))

    def as_float(self, model: str, depth: int) -> Any:
        number = self.expression(model, "float", depth + 1)
        if self.chance.happens(40):
            return Call(self.chance.pick(["Abs", "Ceil", "Floor", "Sqrt", "Sign"]), (Call("Abs", (number,)),))
        if self.chance.happens(40):
            return Call("Cast", (self.expression(model, "int", depth + 1), OUTPUT["float"]))
        return Op(self.chance.pick("+*-"), number, self.expression(model, "float", depth + 1))

    def as_decimal(self, model: str, depth: int) -> Any:
        total = Op(self.chance.pick("+-"), self.plain(model, "decimal"), self.plain(model, "decimal"))
        return Call("ExpressionWrapper", (total,), {"output_field": OUTPUT["decimal"]})

    def as_span(self, model: str, depth: int) -> Any:
        name, found, _ = self.field(model, "moment", many=False)
        if found != "moment":
            return self.plain(model, "span")
        total = Op("-", Call(F, (name,)), self.value("moment"))
        return Call("ExpressionWrapper", (total,), {"output_field": OUTPUT["span"]})

    # -- aggregates ----------------------------------------------------------------------------------------------------

    def aggregate(self, model: str, path: str, target: str, many: bool) -> tuple[Any, str]:
        """An aggregate over what a path leads to, and its kind; its filter speaks of the same rows."""
        options: dict[str, Any] = {}
        if self.chance.happens(30):
            options["filter"] = self.near(model, path, target)
        names = list(FIELDS[target])
        count = self.chance.happens(45)
        if count:
            if self.chance.happens(30):
                options["distinct"] = True
            what = (
                path if path and self.chance.happens(50) else "__".join(filter(None, [path, self.chance.pick(names)]))
            )
            return Call("Count", (what,), options), "int"
        name = self.chance.pick([n for n in names if FIELDS[target][n] not in {"bool", "uuid", "span"}])
        kind = FIELDS[target][name]
        what = "__".join(filter(None, [path, name]))
        # Of a key Django gives the sum as the database does, on PostgreSQL a Decimal.
        if kind in {"int", "float", "decimal"} and name != "id" and self.chance.happens(60):
            function = self.chance.pick(["Sum", "Avg", "StdDev", "Variance"] if kind != "decimal" else ["Sum", "Avg"])
            if kind in {"int", "float"} and self.chance.happens(20):
                return Call(function, (self.inside(what, kind),), options), "int" if function == "Sum" else "float"
            if function in {"Sum", "Avg"} and self.chance.happens(20):
                options["distinct"] = True
            if function == "Sum" and kind == "int" and self.chance.happens(20):
                options["default"] = 0
            return Call(
                function, (what,), options
            ), kind if function == "Sum" else "float" if kind != "decimal" else kind
        return Call(self.chance.pick(["Max", "Min"]), (what,), options), kind

    def inside(self, what: str, kind: str) -> Any:
        """What is computed for each row that is aggregated."""
        number = Call(F, (what,))
        if self.chance.happens(50):
            return Op(self.chance.pick("+*"), number, self.value(kind))
        lookup, value = self.lookup(kind)
        when = Call("When", (Call(Q, kwargs={f"{what}__{lookup}": value}),), {"then": number})
        return Call("Case", (when,), {"default": Call("Value", (self.value(kind),), {"output_field": OUTPUT[kind]})})

    def near(self, model: str, path: str, target: str) -> Any:
        """A condition on the rows that are aggregated, or on the row itself."""
        if path and self.chance.happens(30):
            return self.own(model)
        name = self.chance.pick(list(FIELDS[target]))
        lookup, value = self.lookup(FIELDS[target][name])
        return Call(Q, kwargs={"__".join(filter(None, [path, name, lookup])): value})

    # -- windows -------------------------------------------------------------------------------------------------------

    def window(self, model: str) -> tuple[Any, str]:
        """A window function and its kind, ordered by the key last, so that its answer does not depend on chance."""
        name, kind, _ = self.field(model, many=False)
        options: dict[str, Any] = {}
        if self.chance.happens(60):
            options["partition_by"] = [Call(F, (self.field(model, many=False, most=1)[0],))]
        order = Call(F, (self.field(model, many=False, most=1)[0],))
        if self.chance.happens(50):
            order = Call(self.chance.pick(["asc", "desc"]), on=order)
        options["order_by"] = [order, Call(F, ("pk",))]
        how = self.chance.pick(["rank", "Sum", "Lag", "value", "Count"])
        if how == "rank":
            function = Call(self.chance.pick(["RowNumber", "Rank", "DenseRank"]))
            return Call("Window", (function,), options), "int"
        if how == "Lag":
            function = Call(self.chance.pick(["Lag", "Lead"]), (name,), {"offset": 1 + self.chance.below(2)})
            return Call("Window", (function,), options), kind
        if self.chance.happens(50):
            start, end = self.chance.pick([(None, 0), (-1, 1), (0, None), (-2, 0), (None, None)])
            options["frame"] = Call("RowRange", kwargs={"start": start, "end": end})
        elif self.chance.happens(30):
            options["frame"] = Call("ValueRange", kwargs={"start": None, "end": 0})
        if how == "value":
            return Call("Window", (Call(self.chance.pick(["FirstValue", "LastValue"]), (name,)),), options), kind
        if how == "Sum" and kind == "int":
            functions = ["Max", "Min"] if name.endswith("id") else ["Sum", "Max", "Min"]
            return Call("Window", (Call(self.chance.pick(functions), (name,)),), options), "int"
        return Call("Window", (Call("Count", (name,)),), options), "int"
