"""Parts of dates and times, and moments cut short. The ones that are look-ups: ``filter(sent__date__year__gte=2020)``.

With ``USE_TZ`` a moment is taken apart in the current time zone, or in the function's ``tzinfo``. The zone is a
parameter that is filled when the statement is sent, so one statement serves all zones.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from crowsfoot import timezones
from crowsfoot.conf import settings
from crowsfoot.errors import UnknownPart
from crowsfoot.query.func import Func
from crowsfoot.query.inference import INT
from crowsfoot.query.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
    Lookup,
    Range,
    Transform,
)  # fmt: skip
from crowsfoot.query.resolved import ExpressionList, Param, ResolvedOuterRef
from crowsfoot.schema import types
from crowsfoot.schema.types import ValueType

__all__ = [
    "Extract", "ExtractDay", "ExtractHour", "ExtractIsoWeekDay", "ExtractIsoYear", "ExtractMinute", "ExtractMonth",
    "ExtractQuarter", "ExtractSecond", "ExtractWeek", "ExtractWeekDay", "ExtractYear", "Now", "Trunc", "TruncDate",
    "TruncDay", "TruncHour", "TruncMinute", "TruncMonth", "TruncQuarter", "TruncSecond", "TruncTime", "TruncWeek",
    "TruncYear",
]  # fmt: skip

DATE_PARTS = ("year", "iso_year", "quarter", "month", "week", "week_day", "iso_week_day", "day")
TIME_PARTS = ("hour", "minute", "second")
TEMPORAL = ("date", "datetime", "time")


class Zone(types.Type):
    """A time zone, or ``CURRENT``: the one that is current when a statement is sent."""

    kind = "zone"


ZONE = Zone()


class _Current:
    def __reduce__(self) -> str:
        return "CURRENT"


CURRENT = _Current()


def zone_name(zone: Any) -> str:
    """A zone's name, or its offset from UTC as ``+05:30``; empty where moments are not converted."""
    if not settings.USE_TZ:
        return ""
    zone = timezones.get_current_timezone() if zone is CURRENT else zone
    offset = zone.utcoffset(None)
    if offset is None or not isinstance(zone, datetime.timezone):
        return str(zone)
    minutes = int(offset.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


class _Zoned(Transform):
    """A function of a date, a time or a moment; of a moment, in a time zone."""

    null_strict = True
    tzinfo: datetime.tzinfo | None = None
    zone: Any = None

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: Any = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        if self.is_resolved:
            return self
        node = super().resolve_expression(query, allow_joins, reuse, summarize, for_save)
        unknown = any(isinstance(part, ResolvedOuterRef) for part in node.flatten())  # the query around it knows
        if not unknown:
            node.check()
        if unknown or node.source_kind == "datetime":
            zone = self.tzinfo or CURRENT
            node.zone = Param(query.computed(lambda: zone), ZONE)
            node.zone.cast = True
        elif self.tzinfo is not None:
            raise ValueError("tzinfo can only be used with DateTimeField.")
        return node

    def get_source_expressions(self) -> list[Any]:
        return self.source_expressions if self.zone is None else [*self.source_expressions, self.zone]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        size = len(self.source_expressions)
        self.source_expressions = list(exprs[:size])
        if len(exprs) > size:
            self.zone = exprs[size]

    @property
    def is_zoned(self) -> bool:
        return self.zone is not None and self.source_kind == "datetime"

    def check_source(self) -> None:
        """``check``, once the query around a subquery has told the type of what is referred to there."""
        if self.source_kind != "any":
            self.check()

    def check(self) -> None:
        """Raise ``ValueError`` or ``TypeError`` where the function says nothing about such a value."""

    @property
    def source_kind(self) -> str:
        known = self.lhs._output_field_or_none
        return "any" if known is None else known.kind

    @property
    def source_name(self) -> str:
        """The field's name, for messages."""
        return str(getattr(self.lhs.value_type, "name", self.lhs))

    def parts(self, compiler: Any) -> tuple[str, str, list[Any]]:
        """The value's SQL, the zone's (an empty text where there is none), and their parameters in this order."""
        sql, params = compiler.compile(self.lhs)
        if not self.is_zoned:
            return sql, "''", params
        zone, more = compiler.compile(self.zone)
        return sql, zone, [*params, *more]

    def local(self, compiler: Any) -> tuple[str, list[Any]]:
        """For PostgreSQL: the value as it is in the zone, without one."""
        sql, zone, params = self.parts(compiler)
        return (f"({sql} AT TIME ZONE {zone})" if self.is_zoned else sql), params


# -- parts -------------------------------------------------------------------------------------------------------------


class Extract(_Zoned):
    """A part of a date, a time or a moment as a number: ``Extract("sent", "year")``."""

    _output_field = INT

    def __init__(
        self, expression: Any, lookup_name: str | None = None, tzinfo: datetime.tzinfo | None = None, **extra: Any
    ) -> None:
        if self.lookup_name is None:
            self.lookup_name = lookup_name
        if self.lookup_name is None:
            raise ValueError("lookup_name must be provided")
        if self.lookup_name not in (*DATE_PARTS, *TIME_PARTS):
            raise ValueError(
                f"Invalid lookup_name: {self.lookup_name!r}. It is one of {', '.join((*DATE_PARTS, *TIME_PARTS))}."
            )
        self.tzinfo = tzinfo
        super().__init__(expression, **extra)

    def check(self) -> None:
        kind = self.source_kind
        if kind not in (*TEMPORAL, "duration"):
            raise ValueError("Extract input expression must be DateField, DateTimeField, TimeField, or DurationField.")
        if kind == "date" and self.lookup_name in TIME_PARTS:
            raise ValueError(f"Cannot extract time component '{self.lookup_name}' from DateField '{self.source_name}'.")
        if kind == "duration" and self.lookup_name in DATE_PARTS and self.lookup_name != "day":
            raise ValueError(f"Cannot extract component '{self.lookup_name}' from DurationField '{self.source_name}'.")
        if kind == "time" and self.lookup_name in DATE_PARTS:
            raise ValueError(f"Cannot extract date component '{self.lookup_name}' from TimeField '{self.source_name}'.")

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        sql, params = self.local(compiler)
        return compiler.dialect.part_of(self.lookup_name, sql), params

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        sql, zone, params = self.parts(compiler)
        return compiler.dialect.part_of(self.lookup_name, sql, zone), params


class ExtractYear(Extract):
    lookup_name = "year"


class ExtractIsoYear(Extract):
    """The year that an ISO week belongs to."""

    lookup_name = "iso_year"


class ExtractMonth(Extract):
    lookup_name = "month"


class ExtractDay(Extract):
    lookup_name = "day"


class ExtractWeek(Extract):
    """The number of the ISO week, 1 to 53."""

    lookup_name = "week"


class ExtractWeekDay(Extract):
    """1 for Sunday to 7 for Saturday."""

    lookup_name = "week_day"


class ExtractIsoWeekDay(Extract):
    """1 for Monday to 7 for Sunday."""

    lookup_name = "iso_week_day"


class ExtractQuarter(Extract):
    lookup_name = "quarter"


class ExtractHour(Extract):
    lookup_name = "hour"


class ExtractMinute(Extract):
    lookup_name = "minute"


class ExtractSecond(Extract):
    """The whole seconds."""

    lookup_name = "second"


for _type in (types.Date, types.DateTime):
    for _part in (
        ExtractYear, ExtractIsoYear, ExtractQuarter, ExtractMonth, ExtractWeek, ExtractWeekDay, ExtractIsoWeekDay,
        ExtractDay,
    ):  # fmt: skip
        _type.register_lookup(_part)
for _type_with_time in (types.DateTime, types.Time):
    for _part_of_time in (ExtractHour, ExtractMinute, ExtractSecond):
        _type_with_time.register_lookup(_part_of_time)


# -- years as ranges ---------------------------------------------------------------------------------------------------


class _Year(Lookup):
    """A year compared with a number is a comparison of the date itself, which an index can serve."""

    # The plain look-up, and which of the year's first and last moment it compares with.
    plain: ClassVar[type[Lookup]]
    bounds: ClassVar[tuple[int, ...]]

    def preparer(self) -> Callable[[Any], Any]:
        return self.prepare

    def prepare(self, value: Any) -> Any:
        first, last = year_days(int(value), iso=self.lhs.lookup_name == "iso_year")
        if self.lhs.source_kind == "date":
            return first, last
        zone = self.lhs.tzinfo
        start = datetime.datetime.combine(first, datetime.time.min)
        end = datetime.datetime.combine(last, datetime.time.max)
        if not settings.USE_TZ:
            return start, end
        return timezones.make_aware(start, zone), timezones.make_aware(end, zone)

    def decided(self, value: Any) -> bool | None:
        return None

    def bind(self, index: int) -> Lookup:
        inner = self.lhs.lhs
        params = [Param(index, inner.value_type, item) for item in self.bounds]
        return self.plain(inner, params[0] if len(params) == 1 else ExpressionList(*params))


def year_days(year: int, *, iso: bool) -> tuple[datetime.date, datetime.date]:
    """The first and the last day of a year, or of the weeks that belong to it."""
    if not iso:
        return datetime.date(year, 1, 1), datetime.date(year, 12, 31)
    return datetime.date.fromisocalendar(year, 1, 1), datetime.date(year, 12, 28) + datetime.timedelta(
        days=7 - datetime.date(year, 12, 28).isoweekday()
    )


class YearExact(_Year, Exact):
    plain, bounds = Range, (0, 1)


class YearGt(_Year, GreaterThan):
    plain, bounds = GreaterThan, (1,)


class YearGte(_Year, GreaterThanOrEqual):
    plain, bounds = GreaterThanOrEqual, (0,)


class YearLt(_Year, LessThan):
    plain, bounds = LessThan, (0,)


class YearLte(_Year, LessThanOrEqual):
    plain, bounds = LessThanOrEqual, (1,)


for _lookup in (YearExact, YearGt, YearGte, YearLt, YearLte):
    ExtractYear.register_lookup(_lookup)
    ExtractIsoYear.register_lookup(_lookup)


# -- moments cut short -------------------------------------------------------------------------------------------------


class TruncBase(_Zoned):
    """A date, a time or a moment with everything smaller than ``kind`` set to its beginning."""

    kind: str = ""

    def __init__(
        self,
        expression: Any,
        output_field: ValueType | None = None,
        tzinfo: datetime.tzinfo | None = None,
        **extra: Any,
    ) -> None:
        self.tzinfo = tzinfo
        super().__init__(expression, output_field=output_field, **extra)

    def check(self) -> None:
        source, target = self.source_kind, self.value_type.kind
        if source not in TEMPORAL:
            raise TypeError(f"{self.source_name!r} isn't a DateField, TimeField, or DateTimeField.")
        if target not in TEMPORAL:
            raise ValueError("output_field must be either DateField, TimeField, or DateTimeField")
        lacking = {"date": (*TIME_PARTS, "time"), "time": (*DATE_PARTS, "date"), "datetime": ()}[source]
        if self.kind in lacking or (source != "datetime" and target == "datetime"):
            fixed = type(self)._output_field
            shown = type(fixed or self.value_type).__name__.removesuffix("Field")
            shown = "DateTime" if fixed is None and target == source else shown
            raise ValueError(f"Cannot truncate {source.capitalize()}Field '{self.source_name}' to {shown}Field.")

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        sql, params = self.local(compiler)
        if self.kind not in ("date", "time"):
            sql = f"DATE_TRUNC('{self.kind}', {sql})"
        target = self.value_type.kind
        if target != "datetime":
            return f"({sql})::{target}", params
        zone, more = compiler.compile(self.zone)
        return f"({sql} AT TIME ZONE {zone})", [*params, *more]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        sql, zone, params = self.parts(compiler)
        return f"crowsfoot_trunc('{self.kind}', '{self.value_type.kind}', {sql}, {zone})", params

    def convert_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Moments are read in the zone that they were cut in."""
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            return value.astimezone(self.tzinfo or timezones.get_current_timezone())
        return value


class Trunc(TruncBase):
    """``Trunc("sent", "month")``; ``kind`` is one of year, quarter, month, week, day, hour, minute and second.

    Raises ``UnknownPart`` for any other.
    """

    def __init__(
        self,
        expression: Any,
        kind: str,
        output_field: ValueType | None = None,
        tzinfo: datetime.tzinfo | None = None,
        **extra: Any,
    ) -> None:
        if kind not in TRUNCATED:
            raise UnknownPart(f"Invalid kind: {kind!r}. It is one of {', '.join(TRUNCATED)}.")
        self.kind = kind
        super().__init__(expression, output_field, tzinfo, **extra)


TRUNCATED = ("year", "quarter", "month", "week", "day", *TIME_PARTS, "date", "time")


class TruncYear(TruncBase):
    kind = "year"


class TruncQuarter(TruncBase):
    kind = "quarter"


class TruncMonth(TruncBase):
    kind = "month"


class TruncWeek(TruncBase):
    """The Monday of the week."""

    kind = "week"


class TruncDay(TruncBase):
    kind = "day"


class TruncHour(TruncBase):
    kind = "hour"


class TruncMinute(TruncBase):
    kind = "minute"


class TruncSecond(TruncBase):
    kind = "second"


class TruncDate(TruncBase):
    """The day of a moment."""

    kind = lookup_name = "date"
    _output_field = types.Date()


class TruncTime(TruncBase):
    """The time of day of a moment."""

    kind = lookup_name = "time"
    _output_field = types.Time()


types.DateTime.register_lookup(TruncDate)
types.DateTime.register_lookup(TruncTime)


class Now(Func):
    """The moment at which the statement began."""

    template = "STATEMENT_TIMESTAMP()"
    arity = 0
    _output_field = types.DateTime()
    sql: ClassVar = {"sqlite": "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW')"}
