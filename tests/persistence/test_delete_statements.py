"""What a delete sends, asserted on entities made by hand: no model and no database."""

from __future__ import annotations

from typing import Any

import pytest
from ddl_models import entity, identity, key_column, text

from crowsfoot.persistence.consequences import Consequences
from crowsfoot.persistence.delete_statements import DeleteStatements, Known
from crowsfoot.query.lookups import Exact
from crowsfoot.query.resolved import Col, Param
from crowsfoot.query.statements import Query
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.relation import (
    CASCADE,
    PROTECT,
    RESTRICT,
    SET_NULL,
    KeyOf,
    OnDelete,
    Relation,
    generic,
    many_to_one,
)
from crowsfoot.sql.dialect import Dialect
from crowsfoot.sql.postgresql import PostgreSQL
from crowsfoot.sql.sqlite import SQLite

ONE, MANY = Known(0, many=False), Known(0)


def table(name: str, *keys: str) -> Entity:
    return entity(f"blog_{name}", identity(), text("name"), *[key_column(key, null=True) for key in keys])


def point(
    owner: Entity, column: str, target: Entity, rule: OnDelete, to: str = "id", is_parent: bool = False
) -> Relation:
    found = many_to_one(
        owner, column.removesuffix("_id"), target, (column,), (to,), rule,
        accessor=None, query_name=f"{owner.name}_{column}", nullable=True, is_parent=is_parent,
    )  # fmt: skip
    for end in found.ends:
        end.owner.add_end(end)
    if is_parent:
        owner.parents.append(found.forward)
    return found


def plan(
    root: Entity,
    given: Known | None = ONE,
    query: Query | None = None,
    dialect: Dialect | None = None,
    hooked: frozenset[Entity] = frozenset(),
    keep_parents: bool = False,
) -> DeleteStatements:
    found = Consequences(root, keep_parents, lambda entity: False)
    return DeleteStatements(dialect or SQLite(), found, query or Query(root), given, hooked)


def deletes(made: DeleteStatements) -> list[str]:
    """The DELETE statements in the order in which they are sent."""
    return [sql(made.delete(entity)) for group in made.consequences.order for entity in group]


def sql(statement: Any) -> str:
    assert statement is not None
    return str(statement.sql)


def named(root: Entity) -> Query:
    """The rows of ``root`` whose name is in slot 0."""
    attribute = root.attributes["name"]
    node = Exact(Col((), attribute), Param(0, attribute.value_type))
    node.is_resolved = True
    return Query(root, (node,), size=1)


@pytest.fixture
def blog() -> tuple[Entity, Entity, Entity]:
    author, post, comment = table("author"), table("post", "author_id"), table("comment", "post_id")
    point(post, "author_id", author, CASCADE)
    point(comment, "post_id", post, CASCADE)
    return author, post, comment


def test_children_go_first_and_lead_back_to_the_row_by_subqueries(blog: tuple[Entity, ...]) -> None:
    made = plan(blog[0])
    assert deletes(made) == [
        'DELETE FROM "blog_comment" WHERE "blog_comment"."post_id" IN '
        '(SELECT "blog_post"."id" FROM "blog_post" WHERE "blog_post"."author_id" = ?)',
        'DELETE FROM "blog_post" WHERE "blog_post"."author_id" = ?',
        'DELETE FROM "blog_author" WHERE "blog_author"."id" = ?',
    ]
    assert not made.seeds


def test_several_keys_are_one_parameter(blog: tuple[Entity, ...]) -> None:
    made = plan(blog[1], MANY, dialect=PostgreSQL())
    assert deletes(made) == [
        'DELETE FROM "blog_comment" WHERE "blog_comment"."post_id" = ANY($1::bigint[])',
        'DELETE FROM "blog_post" WHERE "blog_post"."id" = ANY($1::bigint[])',
    ]


def test_a_condition_on_own_columns_is_repeated_and_nothing_is_looked_up(blog: tuple[Entity, ...]) -> None:
    made = plan(blog[1], None, named(blog[1]))
    assert not made.seeds
    assert deletes(made) == [
        'DELETE FROM "blog_comment" WHERE "blog_comment"."post_id" IN '
        '(SELECT "blog_post"."id" FROM "blog_post" WHERE "blog_post"."name" = ?)',
        'DELETE FROM "blog_post" WHERE "blog_post"."name" = ?',
    ]


def test_a_condition_on_other_tables_is_asked_once_before_rows_go(blog: tuple[Entity, ...]) -> None:
    author, post, comment = blog
    attribute = comment.attributes["name"]
    node = Exact(
        Col((author.ends["Post_author_id"], post.ends["Comment_post_id"]), attribute, 1), Param(0, attribute.value_type)
    )
    node.is_resolved = True
    made = plan(author, None, Query(author, (node,), size=1))
    assert sql(made.key_lookup(author)).startswith('SELECT "blog_author"."id" FROM "blog_author" INNER JOIN')
    assert deletes(made)[-1] == 'DELETE FROM "blog_author" WHERE "blog_author"."id" IN (SELECT value FROM json_each(?))'


def test_a_table_reached_twice_is_one_statement(blog: tuple[Entity, ...]) -> None:
    author, post, _ = blog
    note = table("note", "author_id", "post_id")
    point(note, "author_id", author, CASCADE)
    point(note, "post_id", post, CASCADE)
    assert [text for text in deletes(plan(author)) if text.startswith('DELETE FROM "blog_note"')] == [
        'DELETE FROM "blog_note" WHERE "blog_note"."post_id" IN (SELECT "blog_post"."id" FROM "blog_post" '
        'WHERE "blog_post"."author_id" = ?) OR "blog_note"."author_id" = ?'
    ]


def test_keys_that_lead_to_other_columns_than_the_key() -> None:
    food, meal = table("food"), table("meal", "food_id")
    point(meal, "food_id", food, CASCADE, to="name")
    assert deletes(plan(food))[0] == (
        'DELETE FROM "blog_meal" WHERE "blog_meal"."food_id" IN '
        '(SELECT "blog_food"."name" FROM "blog_food" WHERE "blog_food"."id" = ?)'
    )


def test_an_emptied_key(blog: tuple[Entity, ...]) -> None:
    author, post, _ = blog
    review = table("review", "post_id")
    point(review, "post_id", post, SET_NULL)
    made = plan(author)
    (edge,) = made.updates
    assert sql(made.update(edge)) == (
        'UPDATE "blog_review" SET "post_id" = ? WHERE "blog_review"."post_id" IN '
        '(SELECT "blog_post"."id" FROM "blog_post" WHERE "blog_post"."author_id" = ?)'
    )


def test_protected_rows_are_asked_for_by_their_own_key(blog: tuple[Entity, ...]) -> None:
    author, post, _ = blog
    award = table("award", "post_id")
    point(award, "post_id", post, PROTECT)
    made = plan(author)
    (edge,) = made.protects
    assert edge.label == "Award.post"
    assert edge.top.label == "Post.author"
    assert "blog_award" not in " ".join(deletes(made))
    assert made.loading(edge).entity is award


def test_restricted_rows_that_go_anyway_do_not_count(blog: tuple[Entity, ...]) -> None:
    author, _, comment = blog
    point(comment, "name", author, RESTRICT)
    made = plan(author)
    (edge,) = made.restricts
    assert sql(made.question(edge)) == (
        'SELECT 1 AS "a" FROM "blog_comment" WHERE "blog_comment"."name" = ? AND NOT ("blog_comment"."id" IN '
        '(SELECT "blog_comment_2"."id" FROM "blog_comment" "blog_comment_2" WHERE "blog_comment_2"."post_id" IN '
        '(SELECT "blog_post"."id" FROM "blog_post" WHERE "blog_post"."author_id" = ?))) LIMIT 1'
    )


def test_only_the_branch_with_a_hook_is_looked_up(blog: tuple[Entity, ...]) -> None:
    author, post, _ = blog
    made = plan(author, hooked=frozenset({post}))
    assert list(made.seeds) == [post]
    assert deletes(made) == [
        'DELETE FROM "blog_comment" WHERE "blog_comment"."post_id" IN (SELECT value FROM json_each(?))',
        'DELETE FROM "blog_post" WHERE "blog_post"."id" IN (SELECT value FROM json_each(?))',
        'DELETE FROM "blog_author" WHERE "blog_author"."id" = ?',
    ]


def test_a_tree_is_found_by_one_recursive_statement() -> None:
    folder = table("folder", "parent_id")
    point(folder, "parent_id", folder, CASCADE)
    statement, links = plan(folder).closure(folder)
    assert len(links) == 1
    assert sql(statement) == (
        'WITH RECURSIVE "found" ("id", "parent_id") AS (SELECT "blog_folder"."id", "blog_folder"."parent_id" '
        'FROM "blog_folder" WHERE "blog_folder"."id" = ? UNION SELECT "blog_folder"."id", "blog_folder"."parent_id" '
        'FROM "blog_folder" INNER JOIN "found" ON ("blog_folder"."parent_id" = "found"."id")) '
        'SELECT "found"."id", "found"."parent_id", "found"."id" FROM "found"'
    )


def test_inherited_rows_share_the_key_and_are_not_looked_up() -> None:
    place, bar = table("place"), entity("blog_bar", key_column("place_ptr_id"), primary_key=["place_ptr_id"])
    point(bar, "place_ptr_id", place, CASCADE, is_parent=True)
    made = plan(bar)
    assert not made.seeds
    assert deletes(made) == [
        'DELETE FROM "blog_bar" WHERE "blog_bar"."place_ptr_id" = ?',
        'DELETE FROM "blog_place" WHERE "blog_place"."id" = ?',
    ]
    assert deletes(plan(bar, keep_parents=True)) == deletes(made)[:1]
    assert deletes(plan(place)) == [deletes(made)[0], deletes(made)[1]]


def test_a_generic_relation_takes_the_rows_whose_type_is_this_ones() -> None:
    """Which number the type has, the database finds out as it deletes."""
    author, kind = table("author"), table("kind")
    award = entity("blog_award", identity(), key_column("type_id"), key_column("object_id"))
    whose = KeyOf(kind, (("id", 7),))
    held = award.attributes["object_id"]
    relation = generic(author, "awards", award, ("id",), held, (("type_id", whose),), query_name="author+")
    author.add_end(relation.forward)
    assert deletes(plan(author))[0] == (
        'DELETE FROM "blog_award" WHERE "blog_award"."object_id" = ? '
        'AND "blog_award"."type_id" = (SELECT "id" FROM "blog_kind" WHERE "id" = ?)'
    )


def test_many_ways_to_one_table_are_not_spelled_out() -> None:
    """Each step of a ladder doubles the ways; from some step on the keys are looked up."""
    steps = [table("start")]
    for number in range(12):
        sides = [table(f"side{number}{side}", "up_id") for side in "ab"]
        bottom = table(f"step{number}", "a_id", "b_id")
        for side, column in zip(sides, ("a_id", "b_id"), strict=True):
            point(side, "up_id", steps[-1], CASCADE)
            point(bottom, column, side, CASCADE)
        steps.append(bottom)
    made = plan(steps[0])
    assert 0 < len(made.seeds) < 6
    assert max(len(text) for text in deletes(made)) < 20_000


def test_keys_that_forbid_each_other_are_checked_at_the_end(blog: tuple[Entity, ...]) -> None:
    author, post, _ = blog
    assert not plan(author).consequences.defers
    point(author, "name", post, RESTRICT)
    assert plan(author).consequences.defers
