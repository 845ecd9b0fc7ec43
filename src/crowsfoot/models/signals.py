"""Signals: functions that are told when models are made, saved, deleted and linked."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from typing import Any


class Signal:
    """A list of receivers. Receivers are held weakly unless ``weak=False``; ``dispatch_uid`` connects one only once."""

    def __init__(self, use_caching: bool = False) -> None:
        self.receivers: list[tuple[Any, Any, Any]] = []  # (key, sender reference, receiver reference)

    def connect(
        self, receiver: Callable[..., Any], sender: Any = None, weak: bool = True, dispatch_uid: Any = None
    ) -> None:
        """Call ``receiver(sender=…, **arguments)`` when the signal is sent, by ``sender`` alone where one is given."""
        if not callable(receiver):
            raise TypeError("Signal receivers must be callable.")
        key = (dispatch_uid if dispatch_uid is not None else _identity(receiver), _sender_id(sender))
        if any(key == known for known, _, _ in self.receivers):
            return
        reference: Any = receiver
        if weak:
            reference = weakref.WeakMethod(receiver) if inspect.ismethod(receiver) else weakref.ref(receiver)
        self.receivers.append((key, sender, _Held(reference, weak)))

    def disconnect(self, receiver: Any = None, sender: Any = None, dispatch_uid: Any = None) -> bool:
        """Forget a receiver; True where it was connected."""
        key = (dispatch_uid if dispatch_uid is not None else _identity(receiver), _sender_id(sender))
        before = len(self.receivers)
        self.receivers = [item for item in self.receivers if item[0] != key]
        return len(self.receivers) < before

    def has_listeners(self, sender: Any = None) -> bool:
        return bool(self.receivers) and bool(self._live(sender))

    def _live(self, sender: Any) -> list[Any]:
        found = []
        for _, wanted, held in list(self.receivers):
            receiver = held.get()
            if receiver is None:
                self.receivers = [item for item in self.receivers if item[2] is not held]
            elif wanted is None or wanted is sender:
                found.append(receiver)
        return found

    def send(self, sender: Any, **named: Any) -> list[tuple[Any, Any]]:
        """Call the receivers in the order they were connected; an exception of one stops the rest."""
        if not self.receivers:
            return []
        return [(receiver, receiver(signal=self, sender=sender, **named)) for receiver in self._live(sender)]

    def send_robust(self, sender: Any, **named: Any) -> list[tuple[Any, Any]]:
        """As ``send``, but an exception is the receiver's answer and the rest go on."""
        found: list[tuple[Any, Any]] = []
        for receiver in self._live(sender):
            try:
                found.append((receiver, receiver(signal=self, sender=sender, **named)))
            except Exception as error:
                found.append((receiver, error))
        return found


class _Held:
    __slots__ = ("reference", "weak")

    def __init__(self, reference: Any, weak: bool) -> None:
        self.reference, self.weak = reference, weak

    def get(self) -> Any:
        return self.reference() if self.weak else self.reference


def _identity(receiver: Any) -> Any:
    if inspect.ismethod(receiver):
        return id(receiver.__self__), id(receiver.__func__)
    return id(receiver)


def _sender_id(sender: Any) -> Any:
    return None if sender is None else id(sender)


class ModelSignal(Signal):
    """A signal whose sender may be given as ``"app.Model"``."""

    def connect(
        self, receiver: Callable[..., Any], sender: Any = None, weak: bool = True, dispatch_uid: Any = None
    ) -> None:
        super().connect(receiver, self.find(sender), weak, dispatch_uid)

    def disconnect(self, receiver: Any = None, sender: Any = None, dispatch_uid: Any = None) -> bool:
        return super().disconnect(receiver, self.find(sender), dispatch_uid)

    # Set by `models.model`, which knows the models.
    get_model: Callable[[str], Any]

    def find(self, sender: Any) -> Any:
        return type(self).get_model(sender) if isinstance(sender, str) else sender


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


def receiver(signal: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: connect the function to a signal, or to several."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for one in signal if isinstance(signal, (list, tuple)) else [signal]:
            one.connect(function, **options)
        return function

    return decorate
