"""UUIDs that the database makes."""

from __future__ import annotations

from typing import ClassVar

from crowsfoot.query.func import Func
from crowsfoot.schema import types

__all__ = ["UUID4", "UUID7"]


class UUID4(Func):
    """A random UUID."""

    function = "GEN_RANDOM_UUID"
    arity = 0
    _output_field = types.UUID()
    sql: ClassVar = {"sqlite": "crowsfoot_uuid4()"}


class UUID7(Func):
    """A UUID that begins with the time, so that later ones are larger. PostgreSQL has it from version 18 on."""

    function = "UUIDV7"
    arity = 0
    _output_field = types.UUID()
    sql: ClassVar = {"sqlite": "crowsfoot_uuid7()"}
