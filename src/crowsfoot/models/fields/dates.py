"""Fields of dates, times and durations."""

from __future__ import annotations

import datetime
from typing import Any, TypeVar

from crowsfoot import timezones
from crowsfoot.models.fields.base import Field
from crowsfoot.schema import types

T = TypeVar("T")


class _Moment(Field[T]):
    empty_strings_allowed = False

    def __init__(
        self, verbose_name: Any = None, name: Any = None, auto_now: bool = False, auto_now_add: bool = False, **kwargs: Any
    ) -> None:
        self.auto_now, self.auto_now_add = auto_now, auto_now_add
        if auto_now or auto_now_add:
            kwargs["editable"] = False
            kwargs["blank"] = True
        super().__init__(verbose_name, name, **kwargs)

    def now(self) -> Any:
        raise NotImplementedError

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        if self.auto_now or (self.auto_now_add and add):
            value = self.now()
            setattr(model_instance, self.attname, value)
            return value
        return super().pre_save(model_instance, add)


class DateField(_Moment[T]):
    def now(self) -> Any:
        return datetime.date.today()

    def make_type(self) -> types.Type:
        return types.Date()


class DateTimeField(DateField[T]):
    def now(self) -> Any:
        return timezones.now()

    def make_type(self) -> types.Type:
        return types.DateTime()


class TimeField(_Moment[T]):
    def now(self) -> Any:
        return datetime.datetime.now().time()

    def make_type(self) -> types.Type:
        return types.Time()


class DurationField(Field[T]):
    empty_strings_allowed = False

    def make_type(self) -> types.Type:
        return types.Duration()
