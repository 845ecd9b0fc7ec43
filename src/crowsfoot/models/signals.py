"""The signals of models: told when they are made, saved, deleted and linked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crowsfoot.database import run_here
from crowsfoot.drivers.run import Operation, Outside
from crowsfoot.models.dispatch import Awaiting, Signal, receiver


class ModelSignal(Signal):
    """A signal whose sender may be given as ``"app.Model"``, before that model is there."""

    def connect(
        self,
        receiver: Callable[..., Any],
        sender: Any = None,
        weak: bool = True,
        dispatch_uid: Any = None,
        apps: Any = None,
    ) -> None:
        def connect(model: Any) -> None:
            super(ModelSignal, self).connect(receiver, model, weak, dispatch_uid)

        self._with_sender(connect, sender, apps)

    def disconnect(
        self, receiver: Any = None, sender: Any = None, dispatch_uid: Any = None, apps: Any = None
    ) -> bool | None:
        """Forget a receiver; True where it was connected, None where the sender is given by its name."""

        def disconnect(model: Any) -> bool | None:
            return super(ModelSignal, self).disconnect(receiver, model, dispatch_uid)

        found: bool | None = self._with_sender(disconnect, sender, apps)
        return found

    def _with_sender(self, function: Callable[[Any], Any], sender: Any, apps: Any) -> Any:
        if isinstance(sender, str):
            (apps or type(self).apps).lazy_model_operation(function, sender)
            return None
        return function(sender)

    # The models of the process. Set by `models.model`.
    apps: Any


def tell(signal: Signal, sender: Any, **named: Any) -> Operation[None]:
    """``send()`` as part of an operation: coroutine functions are awaited by who drives it, on its connection."""
    if signal.receivers:
        plain, waiting = signal._live_receivers(sender)
        signal._call(plain, False, sender, named)
        if waiting:
            yield Told(lambda: signal._await(waiting, False, sender, named))


class Told(Outside):
    """A request of an operation: await the receivers of a signal."""

    def __init__(self, receivers: Awaiting) -> None:
        self.receivers = receivers

    def perform_here(self) -> Any:
        return run_here(self.receivers)

    async def aperform(self) -> Any:
        return await self.receivers()


pre_init = ModelSignal()
post_init = ModelSignal()
pre_save = ModelSignal()
post_save = ModelSignal()
pre_delete = ModelSignal()
post_delete = ModelSignal()
m2m_changed = ModelSignal()
class_prepared = Signal()
pre_migrate = Signal()
post_migrate = Signal()

__all__ = [
    "ModelSignal", "Signal", "Told", "class_prepared", "m2m_changed", "post_delete", "post_init", "post_migrate",
    "post_save", "pre_delete", "pre_init", "pre_migrate", "pre_save", "receiver", "tell",
]  # fmt: skip
