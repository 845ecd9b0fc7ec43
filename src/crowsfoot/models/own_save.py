"""What models and fields of one's own want of saving: a ``save()`` is called wherever rows are created one by one."""

from __future__ import annotations

from typing import Any

from crowsfoot.drivers.run import Operation
from crowsfoot.persistence.session import Session


def is_usual(method: Any) -> bool:
    """Whether a method is the package's own, and not one of the model's author."""
    return getattr(method, "is_usual", False)


def save_through(session: Session, obj: Any, options: dict[str, Any]) -> Operation[None]:
    """Save ``obj``, through its model's own ``save()`` where it has one: it holds for rows made in any way.

    Raises ``SynchronousOnlyOperation`` where that has to run in async code.
    """
    if is_usual(type(obj).save):
        yield from obj._save(session, options)
    else:
        obj.save(using=session.alias, **options)


def always_returned(field: Any) -> bool:
    """Whether a field's class wants its value back from every INSERT: ``db_returning = True``."""
    return type(field).db_returning is True
