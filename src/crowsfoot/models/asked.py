"""What a queryset asks, as a value of its own: ``queryset.query``."""

from __future__ import annotations

from typing import Any

from crowsfoot.errors import EmptyResultSet
from crowsfoot.models.plans import select_plan
from crowsfoot.sql.literals import with_values


class AskedQuery:
    """The question of a queryset. ``str()`` is its SQL with the values in it; nothing is sent.

    It stands for the queryset wherever that is a subquery (``filter(pk__in=posts.query)``), is pickled without rows,
    and can be given to another queryset of the model: ``others.query = posts.query``. Parts of the description, such
    as ``distinct`` or ``is_sliced``, are its attributes.
    """

    def __init__(self, queryset: Any) -> None:
        self.queryset = queryset

    @property
    def model(self) -> Any:
        """The model whose rows are asked for."""
        return self.queryset.model

    def sql_with_params(self) -> tuple[str, tuple[Any, ...]]:
        """The SQL as the queryset's database gets it, and the parameters.

        Raises ``EmptyResultSet`` where no row can match, so that nothing would be sent.
        """
        asked = self.queryset
        database, high = asked._database, asked._high
        if high is not None and high <= asked._low:
            raise _nothing(asked)
        try:
            plan = select_plan(
                asked._query, database.dialect, database.alias, "select", asked._low > 0, high is not None, None
            )
        except EmptyResultSet:
            raise _nothing(asked) from None
        return plan.sql, plan.bind(asked._all_values())

    def __str__(self) -> str:
        """The SQL with the values in it, to be read and to be tried by hand. Raises as ``sql_with_params()``."""
        sql, params = self.sql_with_params()
        return with_values(sql, params, self.queryset._database.dialect.numbered_parameters)

    def resolve_expression(self, query: Any = None, *args: Any, **kwargs: Any) -> Any:
        return self.queryset.resolve_expression(query, *args, **kwargs)

    @property
    def __entity__(self) -> Any:
        return self.queryset.__entity__

    def __getattr__(self, name: str) -> Any:
        """What a subquery is asked for, and the parts of the description."""
        if name.startswith("__") or name == "queryset":
            raise AttributeError(name)
        described = self.queryset._query
        return getattr(described, name) if hasattr(described, name) else getattr(self.queryset, name)

    def __getstate__(self) -> dict[str, Any]:
        return {"queryset": self.queryset.unread()}

    def __repr__(self) -> str:
        return f"<Query of {self.queryset._query.entity.label}>"


def _nothing(queryset: Any) -> EmptyResultSet:
    return EmptyResultSet(f"No {queryset.model._meta.label} can match this query, so there is no SQL for it.")
