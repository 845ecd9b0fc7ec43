"""Expressions, where Django has them: ``models.expressions.RawSQL``."""

from crowsfoot.query.expressions import (
    Combinable,
    CombinedExpression,
    Expression,
    ExpressionWrapper,
    F,
    NegatedExpression,
    OrderBy,
    OuterRef,
    RawSQL,
    Value,
)
from crowsfoot.query.func import Case, Collate, Func, When
from crowsfoot.query.nodes import BaseExpression
from crowsfoot.query.resolved import Col, ExpressionList, Ref, Star
from crowsfoot.query.subqueries import Exists, Subquery
from crowsfoot.query.windows import RowRange, ValueRange, Window, WindowFrame, WindowFrameExclusion

__all__ = [
    "BaseExpression", "Case", "Col", "Collate", "Combinable", "CombinedExpression", "Exists", "Expression",
    "ExpressionList", "ExpressionWrapper", "F", "Func", "NegatedExpression", "OrderBy", "OuterRef", "RawSQL", "Ref",
    "RowRange", "Star", "Subquery", "Value", "ValueRange", "When", "Window", "WindowFrame", "WindowFrameExclusion",
]  # fmt: skip
