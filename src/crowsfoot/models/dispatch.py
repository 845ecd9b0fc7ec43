"""`Signal`: functions that are told when something happens (``django.dispatch``)."""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable
from contextvars import copy_context
from typing import Any, NamedTuple

from crowsfoot import loops
from crowsfoot.database import run_here, take_over
from crowsfoot.naming import log

Answers = list[tuple[Any, Any]]


class Receiver(NamedTuple):
    """One connection of a function to a signal. ``key`` is equal for the same function, sender and signal."""

    key: Any
    sender: Callable[[], Any] | None
    function: Callable[[], Any]
    is_async: bool

    @property
    def is_alive(self) -> bool:
        return self.function() is not None and (self.sender is None or self.sender() is not None)


class Signal:
    """A list of receivers: functions, or coroutine functions. Each is called with ``signal``, ``sender`` and what else
    is sent, as keyword arguments.

    Receivers are held weakly unless ``weak=False``; ``dispatch_uid`` connects one only once. ``use_caching`` is
    Django's: here there is nothing to cache.
    """

    def __init__(self, use_caching: bool = False) -> None:
        self.use_caching = use_caching
        self.lock = threading.Lock()
        self.receivers: list[Receiver] = []

    def connect(
        self, receiver: Callable[..., Any], sender: Any = None, weak: bool = True, dispatch_uid: Any = None
    ) -> None:
        """Have ``receiver(signal=…, sender=…, **arguments)`` called when the signal is sent, by ``sender`` alone where
        one is given. Raises ``TypeError`` for what cannot be called and ``ValueError`` for what takes no keywords."""
        if not callable(receiver):
            raise TypeError("Signal receivers must be callable.")
        if not _takes_keywords(receiver):
            raise ValueError("Signal receivers must accept keyword arguments (**kwargs).")
        key = _key(receiver, sender, dispatch_uid)
        held = _weak(receiver) if weak else _strong(receiver)
        with self.lock:
            self._clear_dead_receivers()
            if all(key != known.key for known in self.receivers):
                found = Receiver(key, None if sender is None else _weak(sender), held, _is_async(receiver))
                self.receivers = [*self.receivers, found]

    def disconnect(self, receiver: Any = None, sender: Any = None, dispatch_uid: Any = None) -> bool | None:
        """Forget a receiver; True where it was connected."""
        key = _key(receiver, sender, dispatch_uid)
        with self.lock:
            self._clear_dead_receivers()
            before = len(self.receivers)
            self.receivers = [known for known in self.receivers if known.key != key]
            return len(self.receivers) < before

    def has_listeners(self, sender: Any = None) -> bool:
        return bool(self.receivers) and any(map(bool, self._live_receivers(sender)))

    def _clear_dead_receivers(self) -> None:
        """Forget what is gone. To be called with the lock."""
        self.receivers = [known for known in self.receivers if known.is_alive]

    def _live_receivers(self, sender: Any) -> tuple[list[Any], list[Any]]:
        """The functions to call for ``sender``, and the coroutine functions."""
        plain: list[Any] = []
        waiting: list[Any] = []
        dead = False
        for known in self.receivers:
            function = known.function()
            wanted = None if known.sender is None else known.sender()
            if function is None or (wanted is None and known.sender is not None):
                dead = True
            elif wanted is None or wanted is sender:
                (waiting if known.is_async else plain).append(function)
        if dead:
            with self.lock:
                self._clear_dead_receivers()
        return plain, waiting

    # -- sending -------------------------------------------------------------------------------------------------------

    def send(self, sender: Any, **named: Any) -> Answers:
        """Call the receivers in the order they were connected, coroutine functions last; an exception stops the rest.

        Those are run to their end, on the connections of this thread and in its transactions. Raises
        ``SynchronousOnlyOperation`` for them in a running event loop: ``asend`` awaits them.
        """
        return self._send(False, sender, named) if self.receivers else []

    def send_robust(self, sender: Any, **named: Any) -> Answers:
        """As ``send``, but an exception is logged, is the receiver's answer, and the rest go on."""
        return self._send(True, sender, named) if self.receivers else []

    async def asend(self, sender: Any, **named: Any) -> Answers:
        """``send`` in async code: plain functions are called in a thread, then coroutine functions are awaited here,
        one after the other, so that they are in the transaction of this task."""
        return await self._asend(False, sender, named) if self.receivers else []

    async def asend_robust(self, sender: Any, **named: Any) -> Answers:
        return await self._asend(True, sender, named) if self.receivers else []

    def _send(self, robust: bool, sender: Any, named: dict[str, Any]) -> Answers:
        plain, waiting = self._live_receivers(sender)
        found = self._call(plain, robust, sender, named)
        return found + run_here(lambda: self._await(waiting, robust, sender, named)) if waiting else found

    async def _asend(self, robust: bool, sender: Any, named: dict[str, Any]) -> Answers:
        plain, waiting = self._live_receivers(sender)
        found: Answers = []
        if plain:
            context = copy_context()
            loop = loops.running()
            found = await loop.run_in_executor(None, lambda: context.run(self._call, plain, robust, sender, named))
            take_over(context)
        return found + await self._await(waiting, robust, sender, named)

    def _call(self, functions: Iterable[Any], robust: bool, sender: Any, named: dict[str, Any]) -> Answers:
        found: Answers = []
        for function in functions:
            try:
                found.append((function, function(signal=self, sender=sender, **named)))
            except Exception as error:
                found.append((function, self._failed(function, error, robust)))
        return found

    async def _await(self, functions: Iterable[Any], robust: bool, sender: Any, named: dict[str, Any]) -> Answers:
        found: Answers = []
        for function in functions:
            try:
                found.append((function, await function(signal=self, sender=sender, **named)))
            except Exception as error:
                found.append((function, self._failed(function, error, robust)))
        return found

    def _failed(self, function: Any, error: Exception, robust: bool) -> Exception:
        if not robust:
            raise error
        name = getattr(function, "__qualname__", repr(function))
        log("dispatch").error("Error calling %s in Signal.send_robust() (%s)", name, error, exc_info=error)
        return error


def receiver(signal: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: connect the function to a signal, or to several."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for one in signal if isinstance(signal, (list, tuple)) else [signal]:
            one.connect(function, **options)
        return function

    return decorate


# -- references --------------------------------------------------------------------------------------------------------


def _weak(target: Any) -> Callable[[], Any]:
    try:
        return weakref.WeakMethod(target) if inspect.ismethod(target) else weakref.ref(target)
    except TypeError:  # it takes no weak references
        return _strong(target)


def _strong(target: Any) -> Callable[[], Any]:
    return lambda: target


def _key(function: Any, sender: Any, dispatch_uid: Any) -> Any:
    own = dispatch_uid if dispatch_uid is not None else _make_id(function)
    return own, None if sender is None else _make_id(sender)


def _make_id(target: Any) -> Any:
    if inspect.ismethod(target):
        return id(target.__self__), id(target.__func__)
    return id(target)


def _takes_keywords(function: Any) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of a function written in C
        return True
    return any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)


def _is_async(function: Any) -> bool:
    return any(map(inspect.iscoroutinefunction, (function, getattr(function, "__call__", None))))  # noqa: B004


Awaiting = Callable[[], Coroutine[Any, Any, Any]]
