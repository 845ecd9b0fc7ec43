"""Several columns compared with a tuple of values, as one: composite keys, and relations of several columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from crowsfoot.query import lookups
from crowsfoot.query.expressions import Expression, F
from crowsfoot.query.inference import TupleType
from crowsfoot.query.lookups import Lookup
from crowsfoot.query.resolved import ColumnTuple, Param


class Tuple(Expression):
    """Several expressions as one, to be compared with tuples: ``TupleExact((F("a"), F("b")), (1, 2))``."""

    allows_composite_expressions = True

    def __init__(self, *expressions: Any) -> None:
        super().__init__()
        self.expressions = list(expressions)

    def get_source_expressions(self) -> list[Any]:
        return self.expressions

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.expressions = list(exprs)

    def resolve_expression(self, query: Any = None, *args: Any, **kwargs: Any) -> Any:
        return ColumnTuple([expression.resolve_expression(query, *args, **kwargs) for expression in self.expressions])


class Composite(Lookup):
    """A look-up whose left side is several columns: resolved already, or given as ``F("pk")`` or a tuple of names."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        super().__init__(Tuple(*lhs) if isinstance(lhs, (tuple, list)) else lhs, rhs)
        if isinstance(self.lhs, (Tuple, F)):
            self.check(rhs)

    def check(self, rhs: Any) -> None:
        """Raise ``ValueError`` for a right side that cannot be compared, as the look-up is written by hand."""

    @property
    def width(self) -> int | None:
        """The number of columns, where it is known."""
        if isinstance(self.lhs, Tuple):
            return len(self.lhs.expressions)
        return None if isinstance(self.lhs, F) else len(self.lhs.value_type.parts)

    @property
    def what(self) -> str:
        """How messages name the look-up."""
        return f"{self.lookup_name!r} lookup of {self.named}"

    @property
    def named(self) -> str:
        """How messages name the columns: by the relation they arrive by, as ``pk``, or each."""
        if isinstance(self.lhs, F):
            return repr(self.lhs._path)
        if isinstance(self.lhs, Tuple):
            return f"({', '.join(repr(getattr(e, '_path', str(e))) for e in self.lhs.expressions)})"
        ends = self.relation
        return repr(ends[-1].name if ends else "pk")

    @property
    def relation(self) -> tuple[Any, ...]:
        """The relations that lead to the columns."""
        return getattr(self.lhs.get_source_expressions()[0], "ends", ())


class TupleLookup(Composite):
    """A comparison of several columns. Its value is one slot, from which each part is taken."""

    def check(self, rhs: Any) -> None:
        if not hasattr(rhs, "resolve_expression"):
            self._whole(rhs, self.what)

    def prepare(self, value: Any) -> Any:
        return self._parts(value, self.what)

    def preparer(self) -> Callable[[Any], Any]:
        return self.prepare

    def _whole(self, value: Any, what: str) -> Any:
        """``value``, if it has as many elements as there are columns. Raises ``ValueError``."""
        if not isinstance(value, (tuple, list)):
            if isinstance(self.lhs, (Tuple, F)) or not self.relation:
                raise ValueError(f"{what} must be a tuple or a list, not {value!r}")
            raise ValueError(f"{what} must have {self.width} elements, in a tuple or a list, not {value!r}")
        if self.width is not None and len(value) != self.width:
            raise ValueError(f"{what} must have {self.width} elements, not {len(value)}: {value!r}")
        return value

    def _parts(self, value: Any, what: str) -> tuple[Any, ...]:
        parts = self.lhs.value_type.parts
        return tuple(part.prepare(item) for part, item in zip(parts, self._whole(value, what), strict=True))

    def bind(self, index: int) -> Lookup:
        parts = self.lhs.value_type.parts
        self.rhs = ColumnTuple([Param(index, part, position) for position, part in enumerate(parts)])
        return self

    def bind_expressions(self, expressions: Sequence[Any]) -> None:
        self.rhs = ColumnTuple(list(expressions))


@TupleType.register_lookup
class TupleExact(TupleLookup, lookups.Exact):
    pass


@TupleType.register_lookup
class TupleGreaterThan(TupleLookup, lookups.GreaterThan):
    """Lexicographic, as tuples are in Python."""


@TupleType.register_lookup
class TupleGreaterThanOrEqual(TupleLookup, lookups.GreaterThanOrEqual):
    pass


@TupleType.register_lookup
class TupleLessThan(TupleLookup, lookups.LessThan):
    pass


@TupleType.register_lookup
class TupleLessThanOrEqual(TupleLookup, lookups.LessThanOrEqual):
    pass


@TupleType.register_lookup
class TupleIsNull(Composite, lookups.IsNull):
    """True where any part is NULL: then the key points at nothing."""


@TupleType.register_lookup
class TupleIn(TupleLookup, lookups.In):
    """One of a list of tuples, bound as one value. A tuple with None in it is no key and left out."""

    takes_list: ClassVar[bool] = True

    def check(self, rhs: Any) -> None:
        if hasattr(rhs, "as_subquery"):
            return
        if hasattr(rhs, "as_sql"):
            kind = type(rhs).__name__
            raise ValueError(f"'in' subquery lookup of {self.named} must be a Query object (received {kind!r})")
        if not isinstance(rhs, (tuple, list)):
            raise self.no_list(rhs)
        self._items(rhs)

    def no_list(self, value: Any) -> Exception:
        return ValueError(f"{self.what} must be a tuple or a list, not {value!r}")

    def _items(self, value: Any) -> list[Any]:
        """The elements of the list, each a tuple of the right length. None among them is left out of a relation's."""
        by_hand = isinstance(self.lhs, (Tuple, F))
        items: list[Any] = [item for item in value if item is not None or by_hand]
        if not all(isinstance(item, (tuple, list)) for item in items):
            if by_hand or not self.relation:
                raise ValueError(f"{self.what} must be a collection of tuples or lists, not {value!r}")
            raise ValueError(f"{self.what} must have {self.width} elements each, in tuples or lists, not {value!r}")
        wrong = next((item for item in items if self.width is not None and len(item) != self.width), None)
        if wrong is not None:
            raise ValueError(f"{self.what} must have {self.width} elements each, not {len(wrong)}: {wrong!r}")
        return items

    def prepare(self, value: Any) -> Any:
        prepared = [self._parts(item, self.what) for item in self._items(value)]
        return list(dict.fromkeys(item for item in prepared if None not in item))

    @classmethod
    def is_missing(cls, item: Any) -> bool:
        return item is None or (isinstance(item, (tuple, list)) and None in item)
