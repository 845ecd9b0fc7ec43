"""What the grammar makes, as plain data, and what becomes of it: Python code, and by that a queryset of either library.

The libraries have equal names, so one text serves both, and what a failing example prints is what was run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """A call of a name, or of a method of ``on``."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    on: Any = None


@dataclass(frozen=True)
class Rows:
    """All rows of a model, before anything is asked of them."""

    model: str


@dataclass(frozen=True)
class Op:
    """Two terms with a sign between them, or one with a sign before it."""

    sign: str
    left: Any
    right: Any = None


@dataclass(frozen=True)
class Item:
    """``on[index]``; an index may be a slice."""

    on: Any
    index: Any


@dataclass(frozen=True)
class Apart:
    """An aggregate beside another to-many relation.

    Django joins both relations and so computes over pairs of rows, which its documentation calls wrong ("Combining
    multiple aggregations with annotate() will yield the wrong results"). The right answer is what each gives alone, and
    that is what Django is asked for here: in a subquery of its own. Crowsfoot is asked for the aggregate as it is.
    """

    model: str
    aggregate: Any

    def alone(self) -> Any:
        own = Call("filter", kwargs={"pk": Call("OuterRef", ("pk",))}, on=Rows(self.model))
        one = Call("values", ("alone",), on=Call("annotate", kwargs={"alone": self.aggregate}, on=own))
        return Call("Subquery", (one,))


def code(term: Any, apart: bool = False) -> str:
    """``term`` as Python code. ``apart`` says whether aggregates have to stand alone."""

    def inner(term: Any) -> str:
        match term:
            case Call(name, args, kwargs, on):
                given = [*map(inner, args), *[f"{key}={inner(x)}" for key, x in kwargs.items()]]
                return f"{'' if on is None else inner(on) + '.'}{name}({', '.join(given)})"
            case Rows(model):
                return f"{model}.objects.all()"
            case Op("~", left):
                return f"~{inner(left)}"
            case Op(sign, left, right):
                return f"({inner(left)} {sign} {inner(right)})"
            case Item(on, slice(start=start, stop=stop)):
                return f"{inner(on)}[{start if start is not None else ''}:{stop if stop is not None else ''}]"
            case Item(on, index):
                return f"{inner(on)}[{index}]"
            case Apart(_, aggregate):
                return inner(term.alone() if apart else aggregate)
            case list():
                return f"[{', '.join(map(inner, term))}]"
            case tuple():
                return f"({', '.join(map(inner, term))}{',' if len(term) == 1 else ''})"
            case _:
                return repr(term)

    return inner(term)


def build(term: Any, names: dict[str, Any]) -> Any:
    """What ``term`` stands for, made of one library's ``names``; ``names["apart"]`` is ``apart`` of `code`."""
    return eval(code(term, names["apart"]), names)
