"""Values that are computed later: `lazy`, `SimpleLazyObject` and more of ``django.utils.functional``."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from functools import cached_property, wraps
from types import MethodType
from typing import Any, Generic, TypeVar

T = TypeVar("T")

__all__ = [
    "LazyObject", "Promise", "SimpleLazyObject", "cached_property", "classproperty", "empty", "evaluated", "lazy",
    "lazystr", "unwrapped",
]  # fmt: skip


class Promise:
    """What a `lazy` function gives. Where a field takes text, it takes a promise of text."""


class classproperty(Generic[T]):
    """A property of the class: ``Model.name`` calls the function with the class, and so does an instance's."""

    def __init__(self, method: Callable[[Any], T] | None = None) -> None:
        self.fget = method

    def __get__(self, instance: Any, owner: Any = None) -> T:
        assert self.fget is not None
        return self.fget(owner)

    def getter(self, method: Callable[[Any], T]) -> classproperty[T]:
        self.fget = method
        return self


# -- lazy --------------------------------------------------------------------------------------------------------------


def lazy(func: Callable[..., T], *resultclasses: type) -> Callable[..., Any]:
    """A function that calls ``func`` only when something is asked of its result, and each time anew.

    The result has the methods of ``resultclasses``, which say what ``func`` returns.
    """
    made = _promise_class(resultclasses)

    @wraps(func)
    def promise(*args: Any, **kwargs: Any) -> Any:
        return made(func, args, kwargs, resultclasses)

    return promise


def lazystr(text: Any) -> Any:
    """``str(text)``, made when it is needed."""
    return lazy(str, str)(text)


class _Lazy(Promise):
    """A call that is made when something is asked of what it returns."""

    def __init__(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], classes: tuple[type, ...]
    ) -> None:
        self._call = func, args, kwargs, classes

    def _value(self) -> Any:
        func, args, kwargs, _ = self._call
        return func(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(self._value())

    def __str__(self) -> str:
        return str(self._value())

    def __eq__(self, other: object) -> bool:
        return bool(self._value() == evaluated(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return bool(self._value() < evaluated(other))

    def __hash__(self) -> int:
        return hash(self._value())

    def __format__(self, spec: str) -> str:
        return format(self._value(), spec)

    def __add__(self, other: Any) -> Any:
        return self._value() + evaluated(other)

    def __radd__(self, other: Any) -> Any:
        return evaluated(other) + self._value()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __reduce__(self) -> Any:
        return _promised, self._call


def _promised(func: Any, args: Any, kwargs: Any, classes: Any) -> Any:
    return lazy(func, *classes)(*args, **kwargs)


_CLASSES: dict[tuple[type, ...], type] = {}
# What a promise does not leave to its value: how it is made, copied and kept.
_OWN = frozenset(dir(_Lazy)) - {"__gt__", "__ge__", "__le__", "__format__", "__sizeof__"}


def _promise_class(classes: tuple[type, ...]) -> Any:
    if classes not in _CLASSES:
        names = {name for klass in classes for name in dir(klass) if callable(getattr(klass, name))}
        methods = {name: _forwarded(name) for name in names - _OWN}
        _CLASSES[classes] = type("_Lazy", (_Lazy,), methods)
    return _CLASSES[classes]


def _forwarded(name: str) -> Callable[..., Any]:
    def call(self: _Lazy, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._value(), name)(*[evaluated(arg) for arg in args], **kwargs)

    call.__name__ = name
    return call


# -- lazy objects ------------------------------------------------------------------------------------------------------

# What ``_wrapped`` holds until it is needed.
empty: Any = object()


def _through(function: Callable[..., Any]) -> Any:
    """A method of a lazy object that does ``function`` to what it stands for."""

    def call(self: Any, *args: Any) -> Any:
        return function(unwrapped(self), *args)

    return call


class LazyObject:
    """Stands for an object that ``_setup()`` puts into ``_wrapped`` when it is first needed; subclasses say how."""

    _wrapped: Any = empty

    def __init__(self) -> None:
        self._wrapped = empty

    def _setup(self) -> None:
        raise NotImplementedError("subclasses of LazyObject must provide a _setup() method")

    def __getattribute__(self, name: str) -> Any:
        if name in _CONTAINING:  # it has them where its object has
            return getattr(unwrapped(self), name)
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_wrapped":
            self.__dict__["_wrapped"] = value
        else:
            setattr(unwrapped(self), name, value)

    def __delattr__(self, name: str) -> None:
        if name == "_wrapped":
            raise TypeError("can't delete _wrapped.")
        delattr(unwrapped(self), name)

    __getattr__ = _through(getattr)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return unwrapped(self).__class__

    def __reduce__(self) -> Any:
        return unwrapped, (unwrapped(self),)

    def __copy__(self) -> Any:
        if _is_empty(self):
            return type(self)()
        return copy.copy(unwrapped(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if _is_empty(self):
            found = memo[id(self)] = type(self)()
            return found
        return copy.deepcopy(unwrapped(self), memo)

    __bytes__ = _through(bytes)
    __str__ = _through(str)
    __repr__ = _through(repr)
    __bool__ = _through(bool)
    __dir__ = _through(dir)
    __eq__ = _through(operator.eq)
    __ne__ = _through(operator.ne)
    __lt__ = _through(operator.lt)
    __gt__ = _through(operator.gt)
    __hash__ = _through(hash)
    __getitem__ = _through(operator.getitem)
    __setitem__ = _through(operator.setitem)
    __delitem__ = _through(operator.delitem)
    __iter__ = _through(iter)
    __len__ = _through(len)
    __contains__ = _through(operator.contains)


class SimpleLazyObject(LazyObject):
    """Stands for what ``func()`` returns, which is called once, when it is first needed: ``request.user``, say."""

    def __init__(self, func: Callable[[], Any]) -> None:
        self.__dict__["_setupfunc"] = func
        super().__init__()

    def _setup(self) -> None:
        self._wrapped = self._setupfunc()

    def __repr__(self) -> str:
        held = self._setupfunc if _is_empty(self) else self._wrapped
        if isinstance(held, MethodType):  # which may be one of this object, and would ask for its repr in turn
            held = f"<bound method {held.__name__}>"
        return f"<{type(self).__name__}: {held!r}>"

    def __copy__(self) -> Any:
        return SimpleLazyObject(self._setupfunc) if _is_empty(self) else copy.copy(self._wrapped)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if _is_empty(self):
            found = memo[id(self)] = SimpleLazyObject(self._setupfunc)
            return found
        return copy.deepcopy(self._wrapped, memo)

    __add__ = _through(operator.add)

    def __radd__(self, other: Any) -> Any:
        return other + unwrapped(self)


_CONTAINING = frozenset(("__getitem__", "__setitem__", "__delitem__", "__iter__", "__len__", "__contains__"))


def _is_empty(lazy_object: LazyObject) -> bool:
    return lazy_object.__dict__.get("_wrapped", empty) is empty


def unwrapped(value: Any) -> Any:
    """What a lazy object stands for; any other value is itself."""
    if not issubclass(type(value), LazyObject):
        return value
    if _is_empty(value):
        value._setup()
    return value.__dict__["_wrapped"]


def evaluated(value: Any) -> Any:
    """What a promise or a lazy object stands for; any other value is itself."""
    return value._value() if isinstance(value, _Lazy) else unwrapped(value)
