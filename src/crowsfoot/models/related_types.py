"""`Related` and `RelatedOne`: how a model tells type checkers of a relation that another model declares to it.

    class Author(models.Model):
        name = models.CharField(max_length=100)
        posts: models.Related["Post"]       # Post has author = ForeignKey(Author, related_name="posts", …)

An annotation and nothing else: it changes nothing at run time. When the models are resolved it is compared with the
relation that is there, so that it cannot say what is not so.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from typing import Any, ForwardRef, Generic, TypeVar, get_args, get_origin, overload

from crowsfoot.errors import unknown_name
from crowsfoot.models.related_managers import RelatedManager

if sys.version_info >= (3, 14):
    import annotationlib

M = TypeVar("M")


class Related(Generic[M]):
    """The type of a way back to many rows: ``posts: Related["Post"]``. On an instance it is their manager."""

    @overload
    def __get__(self, instance: None, owner: Any) -> type[M]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> RelatedManager[M]: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        raise NotImplementedError("Related is for annotations only; the relation puts its own accessor on the class.")


class RelatedOne(Generic[M]):
    """The type of the way back of a one-to-one: ``profile: RelatedOne["Profile"]``. On an instance it is the related
    row; where there is none, touching it raises that model's ``DoesNotExist``."""

    @overload
    def __get__(self, instance: None, owner: Any) -> type[M]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> M: ...
    def __get__(self, instance: Any, owner: Any) -> Any:
        raise NotImplementedError(
            "RelatedOne is for annotations only; the relation puts its own accessor on the class."
        )

    def __set__(self, instance: Any, value: M) -> None:
        raise NotImplementedError(
            "RelatedOne is for annotations only; the relation puts its own accessor on the class."
        )


NAMES: dict[str, Any] = {"Related": Related, "RelatedOne": RelatedOne}


def misfits(model: Any) -> list[str]:
    """Where the annotations of ``model`` say something else than its relations, one sentence each."""
    meta = model._meta
    if meta.swapped:
        return []
    found: list[str] = []
    for klass in _declaring(model):
        for name, kind, target in _annotated(klass):
            said = f'{meta.label}.{name} is annotated {kind.__name__}["{target}"]'
            end = next((end for end in _ways_back(meta.entity) if end.accessor == name), None)
            if end is None:
                found.append(f"{said}, but {_lacking(meta, name, target)}")
                continue
            right = f'{(Related if end.is_collection else RelatedOne).__name__}["{end.target.name}"]'
            if end.target.name != target:
                found.append(f"{said}, but it is the way back of {end.field}. Write {right}.")
            elif (kind is Related) is not end.is_collection:
                rows = "any number of rows" if end.is_collection else "one row"
                found.append(f"{said}, but {end.field} leads back to {rows}. Write {right}.")
    return found


def _declaring(model: Any) -> Iterator[Any]:
    """The classes whose annotations are this model's own: itself, and what it inherits from that has no table."""
    for klass in model.__mro__:
        meta = klass.__dict__.get("_meta")
        if klass is model or meta is None or meta.abstract:
            yield klass


def _annotated(klass: Any) -> Iterator[tuple[str, Any, str]]:
    """The annotations of a class that are meant here: name, `Related` or `RelatedOne`, name of the target."""
    if sys.version_info >= (3, 14):
        annotations = annotationlib.get_annotations(klass, format=annotationlib.Format.STRING)
    else:
        annotations = inspect.get_annotations(klass)
    for name, annotation in annotations.items():
        read = _read_text(annotation, klass.__module__) if isinstance(annotation, str) else _read_alias(annotation)
        if read is not None:
            yield name, read[0], read[1].rpartition(".")[2]


def _read_alias(annotation: Any) -> tuple[Any, str] | None:
    kind = get_origin(annotation)
    if kind not in NAMES.values():
        return None
    target = get_args(annotation)[0]
    return kind, target.__forward_arg__ if isinstance(target, ForwardRef) else target.__name__


def _read_text(annotation: str, module: str) -> tuple[Any, str] | None:
    """An annotation as it is written. Its names need not exist at run time: some are for type checkers only."""
    try:
        written = ast.parse(annotation, mode="eval").body
    except SyntaxError:
        return None
    if isinstance(written, ast.Constant) and isinstance(written.value, str):  # quoted once more than needed
        return _read_text(written.value, module)
    if not isinstance(written, ast.Subscript):
        return None
    first, *others = ast.unparse(written.value).split(".")
    kind = vars(sys.modules[module]).get(first) if module in sys.modules else None
    for other in others:
        kind = getattr(kind, other, None)
    if kind is None:
        kind = NAMES.get([first, *others][-1])
    if kind not in NAMES.values():
        return None
    target = written.slice
    return kind, target.value if isinstance(target, ast.Constant) and isinstance(target.value, str) else ast.unparse(
        target
    )


def _ways_back(entity: Any) -> Iterator[Any]:
    """The ends of relations that other models declare to this one, or to one that it inherits from."""
    yield from (end for end in entity.ends.values() if not end.is_forward)
    for link in entity.parents:
        yield from _ways_back(link.target)


def _lacking(meta: Any, name: str, target: str) -> str:
    entities = [entity for entity in meta.apps.registry.entities.values() if entity.name == target]
    if not entities:
        known = [model.__name__ for model in meta.apps.get_models()]
        return unknown_name("model", target, "the project", known)
    others = [end for end in _ways_back(meta.entity) if end.target.name == target and end.accessor]
    sentence = f"no relation of {entities[0].label} has related_name={name!r}."
    for end in others:
        sentence += f" The way back of {end.field} is called {end.accessor!r}."
    return sentence
