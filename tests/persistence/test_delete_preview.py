"""What is sent to read a delete plan, asserted on entities made by hand: no model and no database."""

from __future__ import annotations

from ddl_models import entity, identity, key_column, text

from crowsfoot.persistence.consequences import Consequences, Edge
from crowsfoot.persistence.delete_preview import DeleteCounts
from crowsfoot.persistence.delete_statements import Known
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.relation import CASCADE, DB_CASCADE, SET_NULL, OnDelete, many_to_one
from crowsfoot.sql.sqlite import SQLite


def table(name: str, *keys: str) -> Entity:
    return entity(f"shop_{name}", identity(), text("name"), *[key_column(key, null=True) for key in keys])


def point(owner: Entity, column: str, target: Entity, rule: OnDelete) -> None:
    found = many_to_one(
        owner, column, target, (column,), ("id",), rule, accessor=None, query_name=f"{owner.name}_{column}"
    )
    for end in found.ends:
        end.owner.add_end(end)


def counts(root: Entity) -> DeleteCounts:
    found = Consequences(root, False, lambda entity: False, whole=True)
    return DeleteCounts(SQLite(), found, Query(root), Known(0, many=False))


def sql(made: DeleteCounts, what: Entity | Edge) -> str:
    statement = made.count(what)
    assert statement is not None
    return statement.sql


def test_each_relation_is_one_count_that_stops_at_the_limit() -> None:
    order, line = table("order"), table("line", "order_id")
    point(line, "order_id", order, DB_CASCADE)
    made = counts(order)
    (edge,) = made.consequences.edges
    assert sql(made, order) == (
        'SELECT COUNT(*) FROM (SELECT "shop_order"."id" FROM "shop_order" WHERE "shop_order"."id" = ? LIMIT ?) '
        '"subquery"'
    )
    assert sql(made, edge) == (
        'SELECT COUNT(*) FROM (SELECT "shop_line"."id" FROM "shop_line" WHERE "shop_line"."order_id" = ? LIMIT ?) '
        '"subquery"'
    )


def test_rows_that_hang_on_rows_of_their_own_table_are_found_in_the_statement() -> None:
    folder = table("folder", "parent_id", "copied_id")
    point(folder, "parent_id", folder, CASCADE)
    point(folder, "copied_id", folder, SET_NULL)
    made = counts(folder)
    assert not made.seeds
    tree = (
        'WITH RECURSIVE "found" ("id", "parent_id") AS (SELECT "shop_folder_2"."id", "shop_folder_2"."parent_id" FROM '
        '"shop_folder" "shop_folder_2" WHERE "shop_folder_2"."id" = ? UNION SELECT "shop_folder"."id", '
        '"shop_folder"."parent_id" FROM "shop_folder" INNER JOIN "found" ON '
        '("shop_folder"."parent_id" = "found"."id")) SELECT "found"."id" FROM "found"'
    )
    assert sql(made, folder) == (
        'SELECT COUNT(*) FROM (SELECT "shop_folder"."id" FROM "shop_folder" WHERE "shop_folder"."id" IN '
        f'({tree}) LIMIT ?) "subquery"'
    )
    emptied = next(edge for edge in made.consequences.edges if edge.rule is SET_NULL)
    assert ' AND NOT ("shop_folder"."id" IN (' in sql(made, emptied)  # those that go are not said to stay
