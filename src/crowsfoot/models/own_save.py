"""What models and fields of one's own want of saving: a ``save()`` is called wherever rows are created one by one."""

from __future__ import annotations

from typing import Any

from crowsfoot.drivers.run import Operation, Outside
from crowsfoot.persistence.session import Session


def is_usual(method: Any) -> bool:
    """Whether a method is the package's own, and not one of the model's author."""
    return getattr(method, "is_usual", False)


def save_through(session: Session, obj: Any, options: dict[str, Any]) -> Operation[None]:
    """Save ``obj``, through its model's own ``save()`` where it has one: it holds for rows made in any way.

    In async code that is its own ``asave()``, which is awaited in the transaction of the operation. Raises
    ``SynchronousOnlyOperation`` where the model has none.
    """
    if is_usual(type(obj).save) and is_usual(type(obj).asave):
        yield from obj._save(session, options)
    else:
        yield OwnSave(obj, session.alias, options)


class OwnSave(Outside):
    """A request of an operation: save ``obj`` as its model says."""

    __slots__ = ("obj", "options")

    def __init__(self, obj: Any, alias: str, options: dict[str, Any]) -> None:
        self.obj, self.options = obj, {**options, "using": alias}

    def perform_here(self) -> None:
        self.obj.save(**self.options)

    async def aperform(self) -> None:
        await self.obj.asave(**self.options)


def always_returned(field: Any) -> bool:
    """Whether a field's class wants its value back from every INSERT: ``db_returning = True``."""
    return type(field).db_returning is True
