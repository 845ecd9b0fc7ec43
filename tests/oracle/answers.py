"""What a side answers, as values that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oracle.grammar import Question
from oracle.sides import Side
from oracle.terms import build

# Errors that are answers. Any other of Django's says that it cannot be asked this.
ANSWERS = {"DoesNotExist", "MultipleObjectsReturned", "IndexError", "EmptyResultSet", "IntegrityError"}


class Refused(Exception):
    """A side does not answer; the cause says why."""


def ask(side: Side, question: Question) -> Any:
    """The answer of one side, in plain values; raises ``Refused`` with its error as the cause."""
    try:
        if question.writes:
            return side.undone(lambda: written(side, question))
        return plain(build(question.term, side.names), question)
    except Exception as error:
        if type(error).__name__ in ANSWERS:
            return type(error).__name__
        raise Refused(f"{type(error).__name__}: {error}") from error


def written(side: Side, question: Question) -> Any:
    """The number that a write gives, and every row that is left in any table."""
    number = plain(build(question.term, side.names), question)
    left = {
        name: sorted([repr(row) for row in model.objects.order_by().values_list()]) for name, model in side.made.items()
    }
    links = side.made["Post"].tags.through.objects.order_by().values_list("post", "tag")
    return [number, left, sorted(map(repr, links))]


def plain(found: Any, question: Question) -> Any:
    """A result in plain values. Rows without an order to the last are sorted."""
    if hasattr(found, "_iterable_class") or hasattr(found, "_shape"):
        rows = [row(each, question) for each in found]
        return rows if question.ordered else sorted(rows, key=repr)
    return row(found, question)


def row(found: Any, question: Question) -> Any:
    """One row, or a value."""
    if hasattr(found, "_meta"):
        return [instance(found), {name: follow(found, name) for name in question.walk}]
    if isinstance(found, Mapping):
        return {key if isinstance(key, str) else repr(value(key)): row(x, question) for key, x in found.items()}
    if isinstance(found, tuple):
        named = getattr(found, "_fields", None)
        return [named, *[value(each) for each in found]] if named else [value(each) for each in found]
    return value(found)


def value(found: Any) -> Any:
    """A value with its type. The last digits of a float depend on the order in which a sum is made."""
    if isinstance(found, float):
        return f"float {found:.9g}"
    if isinstance(found, dict):
        return {key: value(each) for key, each in sorted(found.items())}
    if hasattr(found, "_meta"):
        return instance(found)
    return f"{type(found).__name__} {found}"


def instance(found: Any) -> Any:
    """A row: its model, and what it carries, columns and computed values."""
    meta = found._meta
    relations = {field.name for field in meta.get_fields() if field.is_relation}
    fields = {field.attname for field in meta.concrete_fields}
    deferred = found.get_deferred_fields()
    carried = {name: value(getattr(found, name)) for name in sorted(fields - deferred)}
    computed = {
        name: value(x)
        for name, x in vars(found).items()
        if name not in fields | relations and not name.startswith("_") and name != "found"
    }
    return [meta.object_name, carried, sorted(deferred), dict(sorted(computed.items()))]


def follow(found: Any, path: str) -> Any:
    """What an attribute leads to, and so on along the path."""
    name, _, rest = path.partition("__")
    try:
        there = getattr(found, name)
    except AttributeError as error:
        return type(error).__name__
    except Exception as error:  # a one-to-one without a row
        if type(error).__name__ != "RelatedObjectDoesNotExist" and not isinstance(error, LookupError):
            raise
        return "nothing"
    if there is None:
        return None
    many = hasattr(there, "all")
    rows = list(there.all()) if many else there if isinstance(there, list) else [there]
    answers = [[instance(each), follow(each, rest) if rest else None] for each in rows]
    return sorted(answers, key=repr) if many and not isinstance(there, list) else answers
