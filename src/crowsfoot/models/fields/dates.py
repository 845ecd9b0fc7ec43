"""Fields of dates, times and durations."""

from __future__ import annotations

import datetime
from functools import partialmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, Unpack, overload

from crowsfoot import dateparse, timezones
from crowsfoot.conf import settings
from crowsfoot.functional import evaluated
from crowsfoot.models.fields.conversion import ConvertedField, TypedField
from crowsfoot.models.fields.keywords import FieldOptions
from crowsfoot.schema.types import aware

T = TypeVar("T")


class _MomentField(ConvertedField[T]):
    """What dates and times share: ``auto_now`` sets the value at each save, ``auto_now_add`` at the first."""

    def __init__(
        self,
        verbose_name: str | None = None,
        name: str | None = None,
        auto_now: bool = False,
        auto_now_add: bool = False,
        **kwargs: Any,
    ) -> None:
        self.auto_now, self.auto_now_add = auto_now, auto_now_add
        if auto_now or auto_now_add:
            kwargs["editable"] = False
            kwargs["blank"] = True
        super().__init__(verbose_name, name, **kwargs)

    def now(self) -> Any:
        """The present as a value of this field."""
        raise NotImplementedError

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        if not (self.auto_now or (self.auto_now_add and add)):
            return super().pre_save(model_instance, add)
        value = self.now()
        setattr(model_instance, self.attname, value)
        return value

    def value_to_string(self, obj: Any) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else value.isoformat()

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if self.auto_now:
            kwargs["auto_now"] = True
        if self.auto_now_add:
            kwargs["auto_now_add"] = True
        if self.auto_now or self.auto_now_add:
            del kwargs["editable"], kwargs["blank"]
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        found = super().check(**kwargs)
        if bool(self.auto_now) + bool(self.auto_now_add) + self.has_default() > 1:
            found.append(f"{self}: auto_now, auto_now_add and default exclude each other. Write only one of them.")
        return found

    def check_warnings(self) -> list[str]:
        found = super().check_warnings()
        moment = self._fixed(self.default)
        if moment is not None and abs(moment - _naive(timezones.now())) < datetime.timedelta(seconds=10):
            found.append(
                f"{self}: the default is the moment at which the model was made, and stays so. "
                "For the present write the function without calling it: default=timezone.now."
            )
        return found

    def _fixed(self, default: Any) -> datetime.datetime | None:
        """The moment, in UTC, that a default which is a constant stands for."""
        if isinstance(default, datetime.datetime):
            return _naive(default)
        if isinstance(default, datetime.date) and default == timezones.now().date():
            return _naive(timezones.now())
        if isinstance(default, datetime.time):
            return datetime.datetime.combine(_naive(timezones.now()).date(), default.replace(tzinfo=None))
        return None


def _naive(moment: datetime.datetime) -> datetime.datetime:
    return timezones.make_naive(moment, datetime.UTC) if timezones.is_aware(moment) else moment


class DateField(_MomentField[T]):
    """Dates. ``YYYY-MM-DD`` is read, and of a date-time the day it is in the default time zone.

    ``auto_now`` sets it at each save, ``auto_now_add`` at the first. Raises ``ValidationError`` for what is no date.
    """

    description = "Date (without time)"
    internal_type: ClassVar[str | None] = "DateField"
    default_error_messages: ClassVar[dict[str, str]] = {
        "invalid": "“%(value)s” value has an invalid date format. It must be in YYYY-MM-DD format.",
        "invalid_date": "“%(value)s” value has the correct format (YYYY-MM-DD) but it is an invalid date.",
    }

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: DateField[datetime.date],
            verbose_name: str | None = None,
            name: str | None = None,
            auto_now: bool = False,
            auto_now_add: bool = False,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[datetime.date]],
        ) -> None: ...
        @overload
        def __init__(
            self: DateField[datetime.date | None],
            verbose_name: str | None = None,
            name: str | None = None,
            auto_now: bool = False,
            auto_now_add: bool = False,
            *,
            null: bool,
            **options: Unpack[FieldOptions[datetime.date | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def now(self) -> Any:
        return datetime.date.today()

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        if not self.null:
            step = cls._get_next_or_previous_by_FIELD
            setattr(cls, f"get_next_by_{self.name}", partialmethod(step, field=self, is_next=True))
            setattr(cls, f"get_previous_by_{self.name}", partialmethod(step, field=self, is_next=False))


class DateTimeField(DateField[T]):
    """Moments: a date and a time. ``YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ]`` and dates are read.

    With ``USE_TZ`` values are aware; one that is not is taken to be in the default time zone, with a warning.
    ``auto_now`` sets it at each save, ``auto_now_add`` at the first. Raises ``ValidationError`` for what is no moment.
    """

    description = "Date (with time)"
    internal_type = "DateTimeField"
    default_error_messages: ClassVar[dict[str, str]] = {
        "invalid": (
            "“%(value)s” value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format."
        ),
        "invalid_date": "“%(value)s” value has the correct format (YYYY-MM-DD) but it is an invalid date.",
        "invalid_datetime": (
            "“%(value)s” value has the correct format (YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ]) "
            "but it is an invalid date/time."
        ),
    }

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: DateTimeField[datetime.datetime],
            verbose_name: str | None = None,
            name: str | None = None,
            auto_now: bool = False,
            auto_now_add: bool = False,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[datetime.datetime]],
        ) -> None: ...
        @overload
        def __init__(
            self: DateTimeField[datetime.datetime | None],
            verbose_name: str | None = None,
            name: str | None = None,
            auto_now: bool = False,
            auto_now_add: bool = False,
            *,
            null: bool,
            **options: Unpack[FieldOptions[datetime.datetime | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def now(self) -> Any:
        return timezones.now()

    def to_python(self, value: Any) -> Any:
        if value is None or isinstance(value, datetime.datetime):
            return value
        if isinstance(value, datetime.date):
            return self._aware(datetime.datetime(value.year, value.month, value.day))
        if not isinstance(value, str):
            raise self.refusal(value)
        try:
            moment = dateparse.parse_datetime(value)
        except ValueError:
            raise self.refusal(value, "invalid_datetime") from None
        if moment is not None:
            return moment
        try:
            day = dateparse.parse_date(value)
        except ValueError:
            raise self.refusal(value, "invalid_date") from None
        if day is None:
            raise self.refusal(value)
        return datetime.datetime(day.year, day.month, day.day)

    def get_prep_value(self, value: Any) -> Any:
        found = self.to_python(evaluated(value))
        return self.type.prepare(found if found is None else self._aware(found))

    def _aware(self, value: datetime.datetime) -> datetime.datetime:
        """``value`` with a time zone where ``USE_TZ`` wants one."""
        model = getattr(self, "model", None)
        where = "(unbound)" if model is None else f"{model.__name__}.{self.name}"
        return aware(value, where) if settings.USE_TZ else value


class TimeField(_MomentField[T]):
    """Times of day, without a time zone. ``HH:MM[:ss[.uuuuuu]]`` is read, and the time of a date-time.

    ``auto_now`` sets it at each save, ``auto_now_add`` at the first. Raises ``ValidationError`` for what is no time.
    """

    description = "Time"
    internal_type = "TimeField"
    default_error_messages: ClassVar[dict[str, str]] = {
        "invalid": "“%(value)s” value has an invalid format. It must be in HH:MM[:ss[.uuuuuu]] format.",
        "invalid_time": "“%(value)s” value has the correct format (HH:MM[:ss[.uuuuuu]]) but it is an invalid time.",
    }

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: TimeField[datetime.time],
            verbose_name: str | None = None,
            name: str | None = None,
            auto_now: bool = False,
            auto_now_add: bool = False,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[datetime.time]],
        ) -> None: ...
        @overload
        def __init__(
            self: TimeField[datetime.time | None],
            verbose_name: str | None = None,
            name: str | None = None,
            auto_now: bool = False,
            auto_now_add: bool = False,
            *,
            null: bool,
            **options: Unpack[FieldOptions[datetime.time | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def now(self) -> Any:
        return datetime.datetime.now().time()


class DurationField(TypedField[T]):
    """Durations. ``[DD] [[HH:]MM:]ss[.uuuuuu]`` and ISO 8601 are read. Raises ``ValidationError`` for what is none."""

    description = "Duration"
    internal_type = "DurationField"
    default_error_messages: ClassVar[dict[str, str]] = {
        "invalid": "“%(value)s” value has an invalid format. It must be in [DD] [[HH:]MM:]ss[.uuuuuu] format.",
    }

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: DurationField[datetime.timedelta],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions[datetime.timedelta]],
        ) -> None: ...
        @overload
        def __init__(
            self: DurationField[datetime.timedelta | None],
            verbose_name: str | None = None,
            name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions[datetime.timedelta | None]],
        ) -> None: ...
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def value_to_string(self, obj: Any) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else dateparse.duration_string(value)
