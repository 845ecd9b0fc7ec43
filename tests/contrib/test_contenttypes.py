"""Content types: the rows that stand for models, made when needed and remembered."""

from __future__ import annotations

from typing import Any

import contrib_models as club
import pytest

from crowsfoot.contrib.auth.models import User
from crowsfoot.contrib.contenttypes.management import create_contenttypes
from crowsfoot.contrib.contenttypes.models import ContentType, ContentTypeManager
from crowsfoot.models import signals
from crowsfoot.testing import assert_num_queries


class Club:
    """Stands for the installed app of the tests' models."""

    label = "club"


@pytest.fixture
def made(db: Any) -> None:
    create_contenttypes(Club)


def test_each_model_of_an_app_gets_its_row(db: Any) -> None:
    with assert_num_queries(2):  # to ask, and to insert
        create_contenttypes(Club)
    assert sorted(ContentType.objects.values_list("app_label", "model")) == [
        ("club", "article"), ("club", "badge"), ("club", "member"), ("club", "news"),
    ]  # fmt: skip
    with assert_num_queries(1):
        create_contenttypes(Club)
    assert ContentType.objects.count() == 4


def test_migrate_is_what_makes_them(db: Any) -> None:
    signals.post_migrate.send(sender=Club, app_config=Club, using="default")
    assert ContentType.objects.filter(app_label="club").count() == 4


def test_a_content_type_is_read_once(made: None, call: Any) -> None:
    with assert_num_queries(1):
        found = call(ContentType.objects, "get_for_model", club.Article)
    assert (found.app_label, found.model, found.model_class()) == ("club", "article", club.Article)
    with assert_num_queries(0):
        assert call(ContentType.objects, "get_for_model", club.Article(title="x")) is found
        assert call(ContentType.objects, "get_for_id", found.pk) is found
        assert call(ContentType.objects, "get_by_natural_key", *found.natural_key()) is found
    ContentType.objects.clear_cache()
    with assert_num_queries(1):
        assert call(ContentType.objects, "get_for_id", found.pk) == found
    with assert_num_queries(0):
        assert call(ContentType.objects, "get_for_model", club.Article) == found


def test_each_manager_remembers_for_itself(made: None) -> None:
    ContentType.objects.get_for_model(club.Article)
    other = ContentTypeManager()
    other.model = ContentType
    with assert_num_queries(1):
        other.get_for_model(club.Article)


def test_many_are_read_at_once_and_made_where_they_are_missing(made: None, call: Any) -> None:
    ContentType.objects.get_for_model(club.Badge)
    with assert_num_queries(2):  # one for both that are not remembered, and one to make that of User
        found = call(ContentType.objects, "get_for_models", club.Article, club.Badge, User)
    assert {model: content_type.model_class() for model, content_type in found.items()} == {
        club.Article: club.Article, club.Badge: club.Badge, User: User,
    }  # fmt: skip
    assert ContentType.objects.filter(app_label="auth", model="user").count() == 1


def test_a_row_that_somebody_else_made_meanwhile_is_taken(made: None, db: Any) -> None:
    existing = ContentType.objects.get(app_label="club", model="article")
    db.run(ContentType.objects._make, [("club", "article")])
    with assert_num_queries(0):
        assert ContentType.objects.get_for_model(club.Article) == existing


def test_a_proxy_has_the_row_of_its_model_unless_its_own_is_asked_for(made: None, call: Any) -> None:
    article = call(ContentType.objects, "get_for_model", club.Article)
    assert call(ContentType.objects, "get_for_model", club.News) == article
    own = call(ContentType.objects, "get_for_model", club.News, for_concrete_model=False)
    assert own.model_class() is club.News
    assert call(ContentType.objects, "get_for_models", club.News, club.Article) == {
        club.News: article, club.Article: article,
    }  # fmt: skip


def test_a_row_is_found_through_its_type(made: None, call: Any) -> None:
    article = call(club.Article.objects, "create", title="Hello")
    content_type = call(ContentType.objects, "get_for_model", article)
    assert call(content_type, "get_object_for_this_type", pk=article.pk) == article
    assert call(content_type, "get_object_for_this_type", using="default", title="Hello") == article
    assert call.rows(content_type.get_all_objects_for_this_type(title="Hello")) == [article]
    with pytest.raises(club.Article.DoesNotExist):
        call(content_type, "get_object_for_this_type", pk=0)


def test_names_for_people(made: None) -> None:
    content_type = ContentType.objects.get_for_model(club.News, for_concrete_model=False)
    assert (content_type.name, str(content_type)) == ("news", "Club | news")


def test_the_row_of_a_model_that_is_gone(made: None, call: Any) -> None:
    stale = call(ContentType.objects, "create", app_label="club", model="artikel")
    assert call(ContentType.objects, "get_for_id", stale.pk).model_class() is None
    assert (stale.name, str(stale)) == ("artikel", "club | artikel")
    with pytest.raises(LookupError, match="Article"):
        call(stale, "get_object_for_this_type", pk=1)


def test_an_unknown_one_is_not_made(made: None, call: Any) -> None:
    with pytest.raises(ContentType.DoesNotExist):
        call(ContentType.objects, "get_by_natural_key", "club", "artikel")
    with pytest.raises(ContentType.DoesNotExist):
        call(ContentType.objects, "get_for_id", 0)
