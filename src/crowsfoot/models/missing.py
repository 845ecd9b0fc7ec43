"""What models answer for a name that Python does not find: a field's path on the class, on an instance a value that is
not loaded yet, else an error with the nearest name."""

from __future__ import annotations

import inspect
from typing import Any

from crowsfoot.errors import unknown_name
from crowsfoot.models import typed
from crowsfoot.models.deferred import load_deferred


def class_attribute(cls: Any, name: str) -> Any:
    """What the metaclass answers where the class has nothing of that name: a field's path."""
    near = ""
    if not name.startswith("_"):
        meta = cls.__dict__.get("_meta")
        if meta is not None:
            try:
                return typed.step(cls, name)
            except AttributeError as error:
                near = str(error).partition(" Did you mean ")[2].partition("?")[0]
    declared = next((klass.__dict__[name] for klass in cls.__mro__ if name in klass.__dict__), None)
    kind: Any = type(declared)
    if hasattr(kind, "__get__"):  # a descriptor refused, such as the manager of a swapped model
        return kind.__get__(declared, None, cls)
    hint = f". Did you mean {near}?" if near else ""
    raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}{hint}")


def missing_attribute(instance: Any, name: str) -> Any:
    """Only what is missing comes here: a deferred field, or a relation that was not linked when its class was made.

    Python also comes here when a descriptor raised ``AttributeError``: that one is raised again.
    """
    unanswered = instance.__dict__.pop("_unanswered", None)
    if unanswered is not None:
        raise unanswered
    declared = inspect.getattr_static(type(instance), name, None)
    if hasattr(type(declared), "__get__"):
        try:
            return type(declared).__get__(declared, instance, type(instance))
        finally:
            instance.__dict__.pop("_unanswered", None)
    meta = type(instance)._meta
    if not name.startswith("__"):
        attribute = meta.entity.attributes.get(name)
        if attribute is not None:
            return load_deferred(instance, attribute)
        if meta.apps.registry.pending:
            before = len(meta.apps.registry.pending)
            meta.apps.link()
            if len(meta.apps.registry.pending) < before:
                return getattr(instance, name)
        waiting = [one for one in meta.apps.registry.pending if one.owner is meta.entity and one.name == name]
        for one in waiting:
            raise AttributeError(one.unready(meta.apps.registry.entities[one.target_label]))
    raise AttributeError(_no_attribute(instance, name))


def _no_attribute(instance: Any, name: str) -> str:
    cls = type(instance)
    names = [n for n in dir(cls) if not n.startswith("_")] + [f.name for f in cls._meta.fields]
    hint = unknown_name("attribute", name, cls.__name__, names).partition(" Did you mean ")[2].partition("?")[0]
    return f"{cls.__name__!r} object has no attribute {name!r}" + (f". Did you mean {hint}?" if hint else "")
