"""Names as Django 6.1 gives them, recorded from its schema editor."""

from __future__ import annotations

import pytest

from crowsfoot.sql import names

LONG = "a_table_name_that_is_so_long_that_it_nearly_fills_the_limit_of"
LONG_KEY = "a_very_long_field_name_indeed_so_that_it_overflows_id"
LONG_TEXT = "other_long_field_name_that_is_quite_long_too"
LONG_LINK = "a_table_name_that_is_so_long_that_it_nearly_fills_the_limit8917"


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("blog_post", "title", "blog_post_title_adf2f203"),
        ("blog_post", "author_id", "blog_post_author_id_dd7a8485"),
        ("blog_post_tags", "tag_id", "blog_post_tags_tag_id_0875c551"),
        (LONG, LONG_KEY, "a_table_name_that_is_so_lo_a_very_long_field_name_ind_674a305e"),
        (LONG, LONG_TEXT, "a_table_name_that_is_so_lo_other_long_field_name_that_cb56c8c4"),
        (LONG_LINK, "long_id", "a_table_name_that_is_so_lo_long_id_219d3cae"),
    ],
)
def test_index(table: str, column: str, expected: str) -> None:
    assert names.index_name(table, [column]) == expected


def test_index_where_nothing_limits_names() -> None:
    assert names.index_name(LONG, [LONG_KEY], limit=None) == f"{LONG}_{LONG_KEY}_674a305e"
    assert len(names.index_name(LONG * 4, [LONG_KEY], limit=None)) <= 200


def test_index_of_a_table_that_begins_with_an_underscore() -> None:
    name = names.index_name("_" * 70, ["x"])
    assert name.startswith("D_")
    assert len(name) <= 63


def test_like_index() -> None:
    assert names.like_index_name("blog_author", "email") == "blog_author_email_8354ab3e_like"
    expected = "a_table_name_that_is_so__other_long_field_name_th_cb56c8c4_like"
    assert names.like_index_name(LONG, LONG_TEXT) == expected


def test_unique() -> None:
    assert names.unique_name("blog_post", ["slug"]) == "blog_post_slug_b95473f2_uniq"
    assert names.unique_name("blog_post", ["title", "author_id"]) == "blog_post_title_author_id_6fc015c6_uniq"
    expected = "a_table_name_that_is_so__a_very_long_field_name_i_bbf446d1_uniq"
    assert names.unique_name(LONG, [LONG_KEY, LONG_TEXT]) == expected
    expected = "blog_post_friends_from_post_id_to_post_id_6fc2f4d5_uniq"
    assert names.unique_name("blog_post_friends", ["from_post_id", "to_post_id"]) == expected


def test_foreign_key() -> None:
    found = names.foreign_key_name("blog_post", ["author_id"], "blog_author", ["id"])
    assert found == "blog_post_author_id_dd7a8485_fk_blog_author_id"
    found = names.foreign_key_name("blog_post", ["tag_id"], "blog_tag", ["slug"])
    assert found == "blog_post_tag_id_69b4acaa_fk_blog_tag_slug"
    found = names.foreign_key_name(LONG, [LONG_KEY], "blog_author", ["id"])
    assert found == "a_table_name_that_is_a_very_long_field_na_674a305e_fk_blog_auth"
    found = names.foreign_key_name(LONG_LINK, ["long_id"], LONG, ["id"])
    assert found == "a_table_name_that_is_long_id_219d3cae_fk_a_table_n"


def test_link_table() -> None:
    assert names.link_table_name("blog_post", "tags") == "blog_post_tags"
    many = "_".join(["many"] * 10)
    assert names.link_table_name(LONG, many) == LONG_LINK
    assert names.link_table_name(LONG, many, limit=None) == f"{LONG}_{many}"


def test_truncating_spares_the_schema() -> None:
    assert names.truncate_name("short") == "short"
    assert names.truncate_name('app"."' + LONG + "_x", 20).startswith('app"."a_table_name_tha')
    assert names.split_name('app"."post') == ("app", "post")
    assert names.index_name('app"."post', ["n"]) == names.index_name("post", ["n"])


def test_meta_index() -> None:
    assert names.meta_index_name("blog_post", [("title", False), ("n", True)]) == "blog_post_title_ba79e0_idx"


def test_names_that_postgresql_makes() -> None:
    assert names.postgresql_name("blog_post", "slug", "key") == "blog_post_slug_key"
    assert names.postgresql_name("blog_post", "n", "check") == "blog_post_n_check"
    assert names.postgresql_name("blog_post", "", "pkey") == "blog_post_pkey"
    assert len(names.postgresql_name(LONG, LONG_TEXT, "check")) == 63


def test_which_names_are_automatic() -> None:
    assert names.is_unique_name("blog_post_slug_b95473f2_uniq", "blog_post", ["slug"])
    assert not names.is_unique_name("one_slug", "blog_post", ["slug"])
    assert names.is_field_index_name("blog_post_title_adf2f203", "blog_post", "title")
