"""Look-ups of composite keys: several columns compared with a tuple of values, as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from crowsfoot.query import lookups
from crowsfoot.query.inference import TupleType
from crowsfoot.query.lookups import Lookup
from crowsfoot.query.resolved import ColumnTuple, Param


class TupleLookup(Lookup):
    """A comparison of a composite key. Its value is one slot, from which each part is taken."""

    def prepare(self, value: Any) -> Any:
        return self._parts(value, f"{self.lookup_name!r} lookup of {self.named}")

    def preparer(self) -> Callable[[Any], Any]:
        return self.prepare

    @property
    def named(self) -> str:
        """How messages name the key: by the relation it arrives by, or as ``pk``."""
        ends = getattr(self.lhs.get_source_expressions()[0], "ends", ())
        return repr(ends[-1].name if ends else "pk")

    def _parts(self, value: Any, what: str) -> tuple[Any, ...]:
        if not isinstance(value, (tuple, list)):
            raise ValueError(f"{what} must be a tuple or a list, not {value!r}")
        parts = self.lhs.output_field.parts
        if len(value) != len(parts):
            raise ValueError(f"{what} must have {len(parts)} elements, not {len(value)}: {value!r}")
        return tuple(part.prepare(item) for part, item in zip(parts, value, strict=True))

    def bind(self, index: int) -> Lookup:
        parts = self.lhs.output_field.parts
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
class TupleIsNull(lookups.IsNull):
    """True where any part is NULL: then the key points at nothing."""


@TupleType.register_lookup
class TupleIn(TupleLookup, lookups.In):
    """One of a list of tuples, bound as one value. A tuple with None in it is no key and left out."""

    takes_list: ClassVar[bool] = True

    def no_list(self, value: Any) -> Exception:
        return ValueError(f"'in' lookup of {self.named} must be a tuple or a list, not {value!r}")

    def prepare(self, value: Any) -> Any:
        what = f"'in' lookup of {self.named}"
        items = [item for item in value if item is not None]
        if not all(isinstance(item, (tuple, list)) for item in items):
            raise ValueError(f"{what} must be a collection of tuples or lists, not {value!r}")
        width = len(self.lhs.output_field.parts)
        wrong = next((item for item in items if len(item) != width), None)
        if wrong is not None:
            raise ValueError(f"{what} must have {width} elements each, not {len(wrong)}: {wrong!r}")
        prepared = [self._parts(item, what) for item in items]
        return list(dict.fromkeys(item for item in prepared if None not in item))

    @classmethod
    def is_missing(cls, item: Any) -> bool:
        return item is None or (isinstance(item, (tuple, list)) and None in item)
