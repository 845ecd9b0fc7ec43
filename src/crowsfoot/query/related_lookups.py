"""Comparisons under the names by which Django registers them for relations.

An instance given as a value becomes its key for any look-up of a relation, so these add nothing but a class to build
one's own upon.
"""

from __future__ import annotations

from crowsfoot.query import lookups


class RelatedExact(lookups.Exact):
    pass


class RelatedIn(lookups.In):
    pass


class RelatedLessThan(lookups.LessThan):
    pass


class RelatedLessThanOrEqual(lookups.LessThanOrEqual):
    pass


class RelatedGreaterThan(lookups.GreaterThan):
    pass


class RelatedGreaterThanOrEqual(lookups.GreaterThanOrEqual):
    pass


class RelatedIsNull(lookups.IsNull):
    pass
