"""`ForeignObject` and what a field class of one's own may say of its join and its accessors."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from behaviour_models import Author, Post, Tag
from conditional_models import Above, Article, InLanguage, Memo, Region, Wording

import crowsfoot
from crowsfoot import models
from crowsfoot.database import databases
from crowsfoot.errors import ModelError, ValidationError
from crowsfoot.models.apps import Apps
from crowsfoot.models.attributes import ForwardManyToOneDescriptor, install_relation
from crowsfoot.models.model import current


@pytest.fixture
def apps() -> Iterator[Apps]:
    found = Apps(install_relation)
    with current.use(found):
        yield found


@pytest.fixture
def database() -> Iterator[None]:
    before = databases.get("default")
    made = crowsfoot.connect("sqlite://:memory:")
    yield
    made.close()
    del databases["default"]
    if before is not None:
        databases["default"] = before


def model(name: str, /, **attributes: Any) -> Any:
    meta = type("Meta", (), {"app_label": "objects", **attributes.pop("meta", {})})
    kind: Any = type(models.Model)
    return kind(name, (models.Model,), {"__module__": __name__, "Meta": meta, **attributes})


def place(**meta: Any) -> Any:
    return model("Place", country=models.CharField(max_length=2), number=models.IntegerField(), meta=meta)


def visit(to: Any, *fields: str, kind: Any = models.ForeignObject, **options: Any) -> Any:
    return model(
        "Visit",
        country=models.CharField(max_length=2),
        number=models.IntegerField(),
        place=kind(to, models.SET_NULL, list(fields), list(fields), related_name="visits", **options),
    )


def field(model: Any, name: str) -> Any:
    return model._meta.get_field(name)


# -- pairs and steps ---------------------------------------------------------------------------------------------------


def test_the_fields_compared() -> None:
    memo, foreign = field(Memo, "wording"), field(Post, "author")
    assert memo.related_fields == [(field(Memo, "article_no"), field(Wording, "article"))]
    assert memo.get_joining_fields(reverse_join=True) == ((field(Wording, "article"), field(Memo, "article_no")),)
    assert memo.remote_field.get_joining_fields() == memo.get_reverse_joining_fields()
    assert foreign.get_joining_fields() == ((foreign, field(Author, "id")),)
    assert field(Region, "outer").get_joining_fields() == ()
    assert memo.get_local_related_value(Memo(article_no=3)) == (3,)
    assert memo.get_foreign_related_value(Wording(article_id=3)) == (3,)


def test_steps() -> None:
    author, tags = field(Post, "author"), field(Post, "tags")
    (step,) = author.path_infos
    assert (step.from_opts, step.to_opts, step.direct, step.m2m) == (Post._meta, Author._meta, True, False)
    (back,) = author.remote_field.path_infos
    assert (back.from_opts, back.to_opts, back.direct, back.m2m) == (Author._meta, Post._meta, False, True)
    assert author.reverse_path_infos == author.get_reverse_path_info()
    there, again = tags.path_infos
    assert (there.from_opts, again.to_opts) == (Post._meta, Tag._meta)
    assert there.to_opts is again.from_opts is tags.link_model._meta


def test_copies_find_steps_of_their_own() -> None:
    author = field(Post, "author")
    assert len(author.path_infos + author.reverse_path_infos + author.remote_field.path_infos) == 3
    for copied in (copy.copy(author), copy.deepcopy(author)):
        assert not {"path_infos", "reverse_path_infos"} & copied.__dict__.keys()
    assert copy.deepcopy(author).remote_field.field is not author
    for rel in (copy.copy(author.remote_field), pickle.loads(pickle.dumps(author.remote_field))):
        assert "path_infos" not in rel.__dict__
    assert pickle.loads(pickle.dumps(author)) is author


def test_what_is_loaded() -> None:
    post, author = Post(), Author(name="Asha")
    rel = field(Post, "author")
    with pytest.raises(KeyError):
        rel.get_cached_value(post)
    assert rel.get_cached_value(post, None) is None
    rel.set_cached_value(post, author)
    assert rel.is_cached(post)
    assert rel.get_cached_value(post) is author
    rel.delete_cached_value(post)
    assert not rel.is_cached(post)


def test_the_way_back_turns_the_aliases_round() -> None:
    wording = field(Article, "wording")
    assert wording.get_extra_restriction("far", "near").lhs.alias == "far"
    assert wording.remote_field.get_extra_restriction("near", "far").lhs.alias == "far"
    assert field(Post, "author").get_extra_restriction("far", "near") is None


# -- accessors ---------------------------------------------------------------------------------------------------------


class Quiet(ForwardManyToOneDescriptor):
    """Leaves the fields alone when it is assigned to."""

    def __set__(self, instance: Any, value: Any) -> None:
        self.field.set_cached_value(instance, value)


class ByClass(models.ForeignObject[Any]):
    forward_related_accessor_class = Quiet


class ByHand(models.ForeignObject[Any]):
    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, Quiet(self))


@pytest.mark.parametrize("kind", [ByClass, ByHand])
@pytest.mark.parametrize("late", [False, True])
def test_a_field_class_brings_its_accessor(apps: Apps, kind: Any, late: bool) -> None:
    unique = {"unique_together": [("country", "number")]}
    target = None if late else place(**unique)
    visits = visit(target or "objects.Place", "country", "number", kind=kind)
    target = target or place(**unique)
    there = target(id=1, country="fi", number=7)
    here = visits(id=1, country="se", number=1, place=there)
    assert field(visits, "place").get_cached_value(here) is there
    assert here.country == "se"
    assert visits.place.field.name == "place"


def test_assigning_sets_the_fields(apps: Apps) -> None:
    target = place(unique_together=[("country", "number")])
    here = visit(target, "country", "number")(place=target(country="fi", number=7))
    assert (here.country, here.number) == ("fi", 7)


# -- checks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "meta",
    [
        {"unique_together": [("country", "number")]},
        {"unique_together": [("number",)]},
        {"constraints": [models.UniqueConstraint(fields=["country"], name="one")]},
    ],
)
def test_a_subset_of_the_fields_is_unique(apps: Apps, meta: Any) -> None:
    visits = visit(place(**meta), "country", "number")
    assert field(visits, "place").check(from_model=visits) == []


def test_the_fields_have_to_be_unique(apps: Apps) -> None:
    visits = visit(place(), "country", "number")
    with pytest.raises(ModelError, match="no subset of the fields 'country', 'number' on model 'Place' is unique"):
        visits.objects.all()


def test_a_condition_may_choose_one_of_several(apps: Apps) -> None:
    visits = visit(place(), "country", kind=InLanguage)
    assert field(visits, "place").check(from_model=visits) == []


def test_unknown_fields_are_named(apps: Apps) -> None:
    visits = visit(place(), "country", "numbre")
    for problem, side in zip(field(visits, "place").check(), ("from_fields", "to_fields"), strict=True):
        assert f"{side}: objects." in problem
        assert "no field 'numbre'. Did you mean 'number'" in problem


def test_as_many_fields_on_both_sides() -> None:
    for fields in ([], ["a", "b"]):
        with pytest.raises(ValueError, match="as many of each, and at least one"):
            models.ForeignObject(Author, models.CASCADE, fields, ["id"] if fields else [])


@pytest.mark.usefixtures("database")
def test_constraints_may_name_it(apps: Apps) -> None:
    rule = models.CheckConstraint(condition=models.Q(author__lt=1000), name="early")
    note = model(
        "Note",
        author_no=models.IntegerField(),
        author=models.ForeignObject(place(), models.CASCADE, ["author_no"], ["id"], related_name="+"),
        meta={"constraints": [rule]},
    )
    note(author_no=5).validate_constraints()
    note(author_no=5000).validate_constraints(exclude={"author_no"})
    note(author_no=5000).validate_constraints(exclude={"author"})
    with pytest.raises(ValidationError, match="early"):
        note(author_no=5000).validate_constraints()


def test_what_a_migration_writes() -> None:
    name, path, args, kwargs = field(Region, "outer").deconstruct()
    assert (name, path, args) == ("outer", f"{Above.__module__}.Above", [])
    assert (kwargs["from_fields"], kwargs["to_fields"]) == (("path",), ("path",))
    assert not {"columns", "db_constraint", "db_index"} & kwargs.keys()
