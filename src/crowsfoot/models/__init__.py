"""What users touch: models, fields, managers and querysets. ``from crowsfoot import models`` is the front door."""

from crowsfoot.enums import Choices, IntegerChoices, TextChoices
from crowsfoot.errors import ObjectDoesNotExist, ProtectedError, RestrictedError
from crowsfoot.models.constraints import BaseConstraint, CheckConstraint, Deferrable, UniqueConstraint
from crowsfoot.models.fields import *  # noqa: F403
from crowsfoot.models.fields import NOT_PROVIDED
from crowsfoot.models.fields.related import ForeignKey, ManyToManyField, OneToOneField
from crowsfoot.models.indexes import Index
from crowsfoot.models.manager import Manager
from crowsfoot.models.model import DEFERRED, Model
from crowsfoot.models.prefetch import Prefetch
from crowsfoot.models.queryset import QuerySet
from crowsfoot.models.rels import ManyToManyRel, ManyToOneRel, OneToOneRel
from crowsfoot.models.state import FETCH_ONE, FETCH_PEERS, FETCH_RAISE
from crowsfoot.query.aggregates import (
    Aggregate,
    AnyValue,
    Avg,
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
from crowsfoot.query.func import Case, Func, When
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
