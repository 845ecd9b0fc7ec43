"""`GenericPrefetch`: how the targets of a generic foreign key are prefetched, model by model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowsfoot.models.prefetch import Prefetch


class GenericPrefetch(Prefetch):
    """A generic foreign key to prefetch; of ``querysets`` each says which rows of its model and how.

    The rows of other models are read as they are. Raises ``ValueError`` for a queryset that does not make instances.
    """

    def __init__(self, lookup: str, querysets: Sequence[Any], to_attr: str | None = None) -> None:
        for queryset in querysets:
            Prefetch(lookup, queryset)  # refuses what is no queryset of instances
        super().__init__(lookup, to_attr=to_attr)
        self.querysets = querysets

    @property
    def given_querysets(self) -> Sequence[Any]:
        return [queryset for queryset in self.querysets if queryset is not None]

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state["querysets"] = [queryset.unread() for queryset in self.given_querysets]
        return state
