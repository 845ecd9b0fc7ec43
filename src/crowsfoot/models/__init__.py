"""What users touch: models, fields, managers and querysets. ``from crowsfoot import models`` is the front door."""

from typing import TYPE_CHECKING

from crowsfoot.enums import Choices, IntegerChoices, TextChoices
from crowsfoot.errors import ObjectDoesNotExist, ProtectedError, RestrictedError
from crowsfoot.later import later
from crowsfoot.models.constants import Deferrable
from crowsfoot.models.fields import (
    NOT_PROVIDED,
    AutoField,
    BigAutoField,
    BigIntegerField,
    BinaryField,
    BooleanField,
    CharField,
    DatabaseDefault,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    EmailField,
    Field,
    FilePathField,
    FloatField,
    GeneratedField,
    GenericIPAddressField,
    IntegerField,
    JSONField,
    PositiveBigIntegerField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SlugField,
    SmallAutoField,
    SmallIntegerField,
    TextField,
    TimeField,
    URLField,
    UUIDField,
)
from crowsfoot.models.fields.composite import CompositePrimaryKey
from crowsfoot.models.fields.foreign_key import ForeignKey, OneToOneField
from crowsfoot.models.fields.many_to_many import ManyToManyField
from crowsfoot.models.link_managers import ManyRelatedManager
from crowsfoot.models.manager import Manager
from crowsfoot.models.model import DEFERRED, Model
from crowsfoot.models.places import OrderWrt
from crowsfoot.models.prefetch import Prefetch, aprefetch_related_objects, prefetch_related_objects
from crowsfoot.models.queryset import QuerySet
from crowsfoot.models.related_managers import RelatedManager
from crowsfoot.models.related_types import Related, RelatedOne
from crowsfoot.models.rels import ForeignObjectRel, ManyToManyRel, ManyToOneRel, OneToOneRel
from crowsfoot.models.state import FETCH_ONE, FETCH_PEERS, FETCH_RAISE
from crowsfoot.query.aggregates import (
    Aggregate,
    AnyValue,
    Avg,
    BitAnd,
    BitOr,
    BitXor,
    Count,
    Max,
    Min,
    StdDev,
    StringAgg,
    Sum,
    Variance,
)
from crowsfoot.query.conditions import Q
from crowsfoot.query.expressions import Expression, ExpressionWrapper, F, OrderBy, OuterRef, Value
from crowsfoot.query.filtered import FilteredRelation
from crowsfoot.query.func import Case, Func, When
from crowsfoot.query.json import JSONNull
from crowsfoot.query.lookups import Lookup, Transform
from crowsfoot.query.subqueries import Exists, Subquery
from crowsfoot.schema.relation import (
    CASCADE,
    DB_CASCADE,
    DB_SET_DEFAULT,
    DB_SET_NULL,
    DO_NOTHING,
    PROTECT,
    RESTRICT,
    SET,
    SET_DEFAULT,
    SET_NULL,
)

# What few programs use, and what brings much with it.
if TYPE_CHECKING:
    from crowsfoot.models import aggregates, expressions, functions, lookups
    from crowsfoot.models.constraints import BaseConstraint, CheckConstraint, UniqueConstraint
    from crowsfoot.models.delete_plan import DeletePlan
    from crowsfoot.models.fields.files import FileField, ImageField
    from crowsfoot.models.fields.foreign_object import ForeignObject
    from crowsfoot.models.fields.removed import CommaSeparatedIntegerField, IPAddressField, NullBooleanField
    from crowsfoot.models.indexes import Index
    from crowsfoot.query.windows import RowRange, ValueRange, Window, WindowFrame, WindowFrameExclusion
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "crowsfoot.models.aggregates": "",
            "crowsfoot.models.expressions": "",
            "crowsfoot.models.functions": "",
            "crowsfoot.models.lookups": "",
            "crowsfoot.models.constraints": "BaseConstraint CheckConstraint UniqueConstraint",
            "crowsfoot.models.delete_plan": "DeletePlan",
            "crowsfoot.models.fields.files": "FileField ImageField",
            "crowsfoot.models.fields.foreign_object": "ForeignObject",
            "crowsfoot.models.fields.removed": "CommaSeparatedIntegerField IPAddressField NullBooleanField",
            "crowsfoot.models.indexes": "Index",
            "crowsfoot.query.windows": "RowRange ValueRange Window WindowFrame WindowFrameExclusion",
        },
    )

__all__ = [
    "CASCADE",
    "DB_CASCADE",
    "DB_SET_DEFAULT",
    "DB_SET_NULL",
    "DEFERRED",
    "DO_NOTHING",
    "FETCH_ONE",
    "FETCH_PEERS",
    "FETCH_RAISE",
    "NOT_PROVIDED",
    "PROTECT",
    "RESTRICT",
    "SET",
    "SET_DEFAULT",
    "SET_NULL",
    "Aggregate",
    "AnyValue",
    "AutoField",
    "Avg",
    "BaseConstraint",
    "BigAutoField",
    "BigIntegerField",
    "BinaryField",
    "BitAnd",
    "BitOr",
    "BitXor",
    "BooleanField",
    "Case",
    "CharField",
    "CheckConstraint",
    "Choices",
    "CommaSeparatedIntegerField",
    "CompositePrimaryKey",
    "Count",
    "DatabaseDefault",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "Deferrable",
    "DeletePlan",
    "DurationField",
    "EmailField",
    "Exists",
    "Expression",
    "ExpressionWrapper",
    "F",
    "Field",
    "FileField",
    "FilePathField",
    "FilteredRelation",
    "FloatField",
    "ForeignKey",
    "ForeignObject",
    "ForeignObjectRel",
    "Func",
    "GeneratedField",
    "GenericIPAddressField",
    "IPAddressField",
    "ImageField",
    "Index",
    "IntegerChoices",
    "IntegerField",
    "JSONField",
    "JSONNull",
    "Lookup",
    "Manager",
    "ManyRelatedManager",
    "ManyToManyField",
    "ManyToManyRel",
    "ManyToOneRel",
    "Max",
    "Min",
    "Model",
    "NullBooleanField",
    "ObjectDoesNotExist",
    "OneToOneField",
    "OneToOneRel",
    "OrderBy",
    "OrderWrt",
    "OuterRef",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "Prefetch",
    "ProtectedError",
    "Q",
    "QuerySet",
    "Related",
    "RelatedManager",
    "RelatedOne",
    "RestrictedError",
    "RowRange",
    "SlugField",
    "SmallAutoField",
    "SmallIntegerField",
    "StdDev",
    "StringAgg",
    "Subquery",
    "Sum",
    "TextChoices",
    "TextField",
    "TimeField",
    "Transform",
    "URLField",
    "UUIDField",
    "UniqueConstraint",
    "Value",
    "ValueRange",
    "Variance",
    "When",
    "Window",
    "WindowFrame",
    "WindowFrameExclusion",
    "aggregates",
    "aprefetch_related_objects",
    "expressions",
    "functions",
    "lookups",
    "prefetch_related_objects",
]
