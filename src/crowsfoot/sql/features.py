"""``connection.features``: what a database can do, under the names by which code written for Django asks.

What the dialect says already is read from it; the rest is declared here, as differences from what both have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from crowsfoot.sql.dialect import Dialect


class Features:
    """Facts about one database. A name that is no fact about it is not here."""

    # -- statements ----------------------------------------------------------------------------------------------------

    allow_sliced_subqueries_with_in = True
    allows_group_by_select_index = True
    can_return_columns_from_insert = True
    can_return_rows_from_bulk_insert = True
    can_return_rows_from_update = True
    delete_can_self_reference_subquery = True
    has_bulk_insert = True
    insert_test_table_with_defaults = "INSERT INTO {} DEFAULT VALUES"
    supports_aggregate_filter_clause = True
    supports_aggregate_order_by_clause = True
    supports_bit_aggregations = True
    supports_boolean_expr_in_select_clause = True
    supports_default_in_bit_aggregations = True
    supports_ignore_conflicts = True
    supports_over_clause = True
    supports_select_difference = True
    supports_select_intersection = True
    supports_select_union = True
    supports_tuple_lookups = True
    supports_update_conflicts = True
    supports_update_conflicts_with_target = True
    update_can_self_select = True

    # -- values --------------------------------------------------------------------------------------------------------

    has_case_insensitive_like = False
    has_zoneinfo_database = True
    interprets_empty_strings_as_nulls = False
    json_key_contains_list_matching_requires_list = False
    nulls_order_largest = False
    related_fields_match_type = False
    rounds_to_even = False
    supports_json_field = True
    supports_primitives_in_json_field = True
    supports_timezones = False
    # Digits after the second that a cast to a time keeps.
    time_cast_precision = 6
    # What ``Now()`` is in UTC, for templates of one's own.
    test_now_utc_template: ClassVar[str | None] = None
    # Collations that every database of this kind has, by what they are for.
    test_collations: ClassVar[Mapping[str, str | None]] = {}

    # -- tables --------------------------------------------------------------------------------------------------------

    can_introspect_json_field = True
    can_rollback_ddl = True
    ignores_table_name_case = False
    indexes_foreign_keys = True
    supports_collation_on_charfield = True
    supports_collation_on_textfield = True
    supports_expression_defaults = True
    supports_expression_indexes = True
    supports_foreign_keys = True
    supports_index_column_ordering = True
    supports_index_on_text_field = True
    supports_no_precision_decimalfield = True
    supports_nullable_unique_constraints = True
    supports_on_delete_db_cascade = True
    supports_on_delete_db_default = True
    supports_on_delete_db_null = True
    supports_partial_indexes = True
    supports_partially_nullable_unique_constraints = True
    supports_stored_generated_columns = True
    supports_table_check_constraints = True
    supports_unlimited_charfield = True
    supports_virtual_generated_columns = True

    # -- transactions --------------------------------------------------------------------------------------------------

    can_defer_constraint_checks = True
    select_for_update_of_column = False
    supports_transactions = True
    uses_savepoints = True

    def __init__(self, dialect: Dialect, has_one_connection: bool, read_version: Callable[[], int]) -> None:
        self.dialect = dialect
        self.has_one_connection = has_one_connection
        self._read_version = read_version

    @property
    def max_query_params(self) -> int:
        return self.dialect.max_query_params

    @property
    def can_distinct_on_fields(self) -> bool:
        return self.dialect.distinct_on

    @property
    def supported_explain_formats(self) -> frozenset[str]:
        return self.dialect.explain_formats

    @property
    def supports_comments(self) -> bool:
        return self.dialect.comments

    @property
    def supports_covering_indexes(self) -> bool:
        return self.dialect.index_options

    supports_deferrable_unique_constraints = supports_covering_indexes
    supports_nulls_distinct_unique_constraints = supports_covering_indexes

    @property
    def has_native_uuid_field(self) -> bool:
        return self.dialect.column_types["uuid"] == "uuid"

    @property
    def has_native_duration_field(self) -> bool:
        return self.dialect.column_types["duration"] == "interval"

    @property
    def has_native_json_field(self) -> bool:
        return self.dialect.column_types["json"] == "jsonb"

    @property
    def has_select_for_update(self) -> bool:
        return bool(self.dialect.lock(False, False, [], False))

    has_select_for_update_nowait = has_select_for_update
    has_select_for_update_skip_locked = has_select_for_update
    has_select_for_update_of = has_select_for_update
    has_select_for_no_key_update = has_select_for_update

    @property
    def test_db_allows_multiple_connections(self) -> bool:
        """Whether there is more than one connection to this very database: not where it is in memory."""
        return not self.has_one_connection


class SQLiteFeatures(Features):
    has_case_insensitive_like = True
    ignores_table_name_case = True
    time_cast_precision = 3
    test_collations: ClassVar[Mapping[str, str | None]] = {
        "ci": "nocase", "cs": "binary", "non_default": "nocase", "virtual": "nocase",
    }  # fmt: skip


class PostgreSQLFeatures(Features):
    json_key_contains_list_matching_requires_list = True
    nulls_order_largest = True
    supports_timezones = True
    test_now_utc_template = "STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC'"
    test_collations: ClassVar[Mapping[str, str | None]] = {
        "deterministic": "C", "non_default": "sv-x-icu", "swedish_ci": "sv-x-icu", "virtual": "sv-x-icu",
    }  # fmt: skip

    @cached_property
    def server_version(self) -> int:
        """180001, say. One query, the first time."""
        return self._read_version()

    @property
    def supports_virtual_generated_columns(self) -> bool:  # type: ignore[override]
        return self.is_postgresql_18

    @property
    def is_postgresql_16(self) -> bool:
        return self.server_version >= 160000

    @property
    def is_postgresql_17(self) -> bool:
        return self.server_version >= 170000

    @property
    def is_postgresql_18(self) -> bool:
        return self.server_version >= 180000


FEATURES: dict[str, Any] = {"sqlite": SQLiteFeatures, "postgresql": PostgreSQLFeatures}
