"""The fields of models: one class for each kind of value that a column holds."""

from typing import TYPE_CHECKING

from crowsfoot.later import later
from crowsfoot.models.fields.base import NOT_PROVIDED, DatabaseDefault, Field
from crowsfoot.models.fields.dates import DateField, DateTimeField, DurationField, TimeField
from crowsfoot.models.fields.numbers import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    DecimalField,
    FloatField,
    IntegerField,
    PositiveBigIntegerField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SmallAutoField,
    SmallIntegerField,
)
from crowsfoot.models.fields.other import BinaryField, GeneratedField, JSONField
from crowsfoot.models.fields.text import (
    CharField,
    EmailField,
    FilePathField,
    GenericIPAddressField,
    SlugField,
    TextField,
    URLField,
    UUIDField,
)
from crowsfoot.query.inference import FIELD_CLASSES

__all__ = [
    "NOT_PROVIDED",
    "AutoField",
    "BigAutoField",
    "BigIntegerField",
    "BinaryField",
    "BooleanField",
    "CharField",
    "DatabaseDefault",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DurationField",
    "EmailField",
    "Field",
    "FilePathField",
    "FloatField",
    "GeneratedField",
    "GenericIPAddressField",
    "IntegerField",
    "JSONField",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "SlugField",
    "SmallAutoField",
    "SmallIntegerField",
    "TextField",
    "TimeField",
    "URLField",
    "UUIDField",
]

if TYPE_CHECKING:
    from crowsfoot.models.fields import files as files
    from crowsfoot.models.fields import foreign_object as foreign_object
    from crowsfoot.models.fields import json as json
    from crowsfoot.models.fields import removed as removed
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "crowsfoot.models.fields.files": "",
            "crowsfoot.models.fields.foreign_object": "",
            "crowsfoot.models.fields.json": "",
            "crowsfoot.models.fields.removed": "",
        },
    )

FIELD_CLASSES.update(
    {
        "smallint": SmallIntegerField, "integer": IntegerField, "bigint": IntegerField, "float": FloatField,
        "decimal": DecimalField, "boolean": BooleanField, "char": CharField, "text": CharField,
        "binary": BinaryField, "date": DateField, "datetime": DateTimeField, "time": TimeField,
        "duration": DurationField, "uuid": UUIDField, "inet": GenericIPAddressField, "json": JSONField,
    }
)  # fmt: skip
