"""The JSON encoder for what models hold."""

from __future__ import annotations

import datetime
import json
import uuid
from decimal import Decimal
from typing import Any

import pytest

from crowsfoot.encoder import DjangoJSONEncoder
from crowsfoot.functional import lazystr

MOMENT = datetime.datetime(2026, 5, 4, 3, 2, 1, 123456)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (MOMENT, "2026-05-04T03:02:01.123"),
        (MOMENT.replace(microsecond=0, tzinfo=datetime.UTC), "2026-05-04T03:02:01Z"),
        (MOMENT.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=2))), "2026-05-04T03:02:01.123+02:00"),
        (MOMENT.date(), "2026-05-04"),
        (MOMENT.time(), "03:02:01.123"),
        (datetime.timedelta(days=1, seconds=2), "P1DT00H00M02S"),
        (Decimal("1.50"), "1.50"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (lazystr("later"), "later"),
    ],
)
def test_what_models_hold_is_written(value: Any, text: str) -> None:
    assert json.loads(json.dumps({"a": [value]}, cls=DjangoJSONEncoder)) == {"a": [text]}


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware times"):
        json.dumps(MOMENT.time().replace(tzinfo=datetime.UTC), cls=DjangoJSONEncoder)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(object(), cls=DjangoJSONEncoder)
