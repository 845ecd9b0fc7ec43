"""A JSON encoder for what models hold, such as moments and decimals: ``JSONField(encoder=DjangoJSONEncoder)``."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from crowsfoot.dateparse import duration_iso_string
from crowsfoot.functional import Promise
from crowsfoot.timezones import is_aware

__all__ = ["DjangoJSONEncoder"]


class DjangoJSONEncoder(json.JSONEncoder):
    """Writes date-times, dates, times and durations by ISO 8601, decimals, UUIDs and promises as text.

    Of a second three digits are kept, as JavaScript has them. Raises ``ValueError`` for a time with a time zone.
    """

    def default(self, o: Any) -> Any:
        if isinstance(o, datetime.datetime):
            text = o.isoformat(timespec="milliseconds" if o.microsecond else "auto")
            return f"{text.removesuffix('+00:00')}Z" if text.endswith("+00:00") else text
        if isinstance(o, datetime.date):
            return o.isoformat()
        if isinstance(o, datetime.time):
            if is_aware(o):
                raise ValueError("JSON can't represent timezone-aware times.")
            return o.isoformat(timespec="milliseconds" if o.microsecond else "auto")
        if isinstance(o, datetime.timedelta):
            return duration_iso_string(o)
        if isinstance(o, (Decimal, UUID, Promise)):
            return str(o)
        return super().default(o)
