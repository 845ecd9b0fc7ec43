"""Functions of text."""

from __future__ import annotations

from typing import Any, ClassVar

from crowsfoot.query.expressions import Value
from crowsfoot.query.func import Func
from crowsfoot.query.inference import INT, TEXT, is_text
from crowsfoot.query.lookups import Transform
from crowsfoot.schema.types import ValueType

__all__ = [
    "MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "Chr", "Concat", "ConcatPair", "LPad", "LTrim", "Left",
    "Length", "Lower", "Ord", "RPad", "RTrim", "Repeat", "Replace", "Reverse", "Right", "StrIndex", "Substr", "Trim",
    "Upper",
]  # fmt: skip

EMPTY = Value("")


def whole(number: Any) -> Any:
    """A plain number as the ``integer`` that text functions take."""
    return number if hasattr(number, "resolve_expression") or number is None else Value(number, output_field=INT)


def text(value: Any) -> Any:
    """A plain string as a value; elsewhere among a function's arguments a string is a field's name."""
    return value if hasattr(value, "resolve_expression") else Value(value)


class Upper(Transform):
    function = "UPPER"
    lookup_name = "upper"
    null_strict = True


class Lower(Transform):
    function = "LOWER"
    lookup_name = "lower"
    null_strict = True


class Trim(Transform):
    function = "TRIM"
    lookup_name = "trim"
    null_strict = True


class LTrim(Transform):
    function = "LTRIM"
    lookup_name = "ltrim"
    null_strict = True


class RTrim(Transform):
    function = "RTRIM"
    lookup_name = "rtrim"
    null_strict = True


class Reverse(Transform):
    function = "REVERSE"
    lookup_name = "reverse"
    null_strict = True
    sql: ClassVar = {"sqlite": "crowsfoot_reverse(%(expressions)s)"}


class Length(Transform):
    """The number of characters."""

    function = "LENGTH"
    lookup_name = "length"
    null_strict = True
    _output_field = INT


class Chr(Transform):
    """The character with a number in the database's character set."""

    function = "CHR"
    lookup_name = "chr"
    _output_field = TEXT
    sql: ClassVar = {"sqlite": "CHAR(%(expressions)s)", "postgresql": "CHR((%(expressions)s)::integer)"}


class Ord(Transform):
    """The number of the first character."""

    function = "ASCII"
    lookup_name = "ord"
    _output_field = INT
    sql: ClassVar = {"sqlite": "UNICODE(%(expressions)s)"}


class ConcatPair(Func):
    """Texts in a row, NULL counting as an empty one."""

    def _resolve_output_field(self) -> ValueType | None:
        return TEXT

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        parts: list[str] = []
        params: list[Any] = []
        for source in self.source_expressions:
            sql, more = compiler.compile(source)
            known = source._output_field_or_none
            if known is None or not is_text(known):
                sql = compiler.dialect.cast(sql, TEXT)
            parts.append(f"COALESCE({sql}, '')")
            params += more
        return f"({' || '.join(parts)})", params


class Concat(ConcatPair):
    """Two or more texts in a row, NULL counting as an empty one."""

    def __init__(self, *expressions: Any, **extra: Any) -> None:
        if len(expressions) < 2:
            raise ValueError("Concat must take at least two expressions")
        super().__init__(*expressions, **extra)


class Left(Func):
    """The first ``length`` characters."""

    function = "LEFT"
    arity = 2
    _output_field = TEXT
    sql: ClassVar = {"sqlite": "crowsfoot_left(%(expressions)s)"}

    def __init__(self, expression: Any, length: Any, **extra: Any) -> None:
        if not hasattr(length, "resolve_expression") and length < 1:
            raise ValueError("'length' must be greater than 0.")
        super().__init__(expression, whole(length), **extra)


class Right(Left):
    """The last ``length`` characters."""

    function = "RIGHT"
    sql: ClassVar = {"sqlite": "crowsfoot_right(%(expressions)s)"}


class LPad(Func):
    """Text filled up to ``length`` characters on its left, or cut to them."""

    function = "LPAD"
    _output_field = TEXT
    sql: ClassVar = {"sqlite": "crowsfoot_lpad(%(expressions)s)"}

    def __init__(self, expression: Any, length: Any, fill_text: Any = " ", **extra: Any) -> None:
        if not hasattr(length, "resolve_expression") and length is not None and length < 0:
            raise ValueError("'length' must be greater or equal to 0.")
        super().__init__(expression, whole(length), text(fill_text), **extra)


class RPad(LPad):
    """Text filled up to ``length`` characters on its right, or cut to them."""

    function = "RPAD"
    sql: ClassVar = {"sqlite": "crowsfoot_rpad(%(expressions)s)"}


class Repeat(Func):
    """Text ``number`` times in a row."""

    function = "REPEAT"
    _output_field = TEXT
    sql: ClassVar = {"sqlite": "crowsfoot_repeat(%(expressions)s)"}

    def __init__(self, expression: Any, number: Any, **extra: Any) -> None:
        if not hasattr(number, "resolve_expression") and number is not None and number < 0:
            raise ValueError("'number' must be greater or equal to 0.")
        super().__init__(expression, whole(number), **extra)


class Replace(Func):
    """Text with every ``text`` in it replaced."""

    function = "REPLACE"
    null_strict = True

    def __init__(self, expression: Any, text: Any, replacement: Any = EMPTY, **extra: Any) -> None:
        super().__init__(expression, text, replacement, **extra)


class StrIndex(Func):
    """Where a text begins in another, counted from 1; 0 where it is not in it."""

    function = "INSTR"
    arity = 2
    null_strict = True
    _output_field = INT
    sql: ClassVar = {"postgresql": "STRPOS(%(expressions)s)"}


class Substr(Func):
    """Part of a text: ``length`` characters from ``pos`` on, counted from 1."""

    function = "SUBSTRING"
    _output_field = TEXT
    sql: ClassVar = {"sqlite": "SUBSTR(%(expressions)s)"}

    def __init__(self, expression: Any, pos: Any, length: Any = None, **extra: Any) -> None:
        if not hasattr(pos, "resolve_expression") and pos < 1:
            raise ValueError("'pos' must be greater than 0")
        super().__init__(expression, whole(pos), *([] if length is None else [whole(length)]), **extra)


class _Digest(Transform):
    """A text's digest in hexadecimal digits."""

    null_strict = True
    _output_field = TEXT

    def __init_subclass__(cls) -> None:
        name = cls.__name__.lower()
        cls.lookup_name = name
        cls.sql = {
            "sqlite": f"crowsfoot_digest('{name}', %(expressions)s)",
            "postgresql": f"ENCODE({name.upper()}(CONVERT_TO(%(expressions)s, 'UTF8')), 'hex')",
            **cls.__dict__.get("sql", {}),
        }


class MD5(_Digest):
    sql: ClassVar = {"postgresql": "MD5(%(expressions)s)"}


class SHA1(_Digest):
    """PostgreSQL needs its extension pgcrypto for this one."""

    sql: ClassVar = {"postgresql": "ENCODE(DIGEST(%(expressions)s, 'sha1'), 'hex')"}


class SHA224(_Digest):
    pass


class SHA256(_Digest):
    pass


class SHA384(_Digest):
    pass


class SHA512(_Digest):
    pass
