"""Relations to a row of any model, from both sides."""

from __future__ import annotations

from typing import Any

import contrib_models as club
import pytest

import crowsfoot
from crowsfoot.contrib.contenttypes.models import ContentType
from crowsfoot.contrib.contenttypes.prefetch import GenericPrefetch
from crowsfoot.database import Database
from crowsfoot.errors import FieldError, FieldFetchBlocked, SynchronousOnlyOperation
from crowsfoot.models import Count, OuterRef, Prefetch, Subquery
from crowsfoot.models.state import FETCH_RAISE
from crowsfoot.testing import assert_num_queries, capture_queries


@pytest.fixture
def shelf(db: Database) -> dict[str, Any]:
    """Three trophies and a court, of which the first of each have the same key, and their labels."""
    crowsfoot.create_tables(club.Label, club.Note, club.Trophy, club.Cup, club.Court)
    trophies = [club.Trophy.objects.create(name=name) for name in ("Ashes", "Bowl", "Crown")]
    court = club.Court.objects.create(name="Centre")
    assert court.pk == trophies[0].pk
    for trophy in trophies[:2]:
        for colour in ("gold", "old"):
            club.Label.objects.create(text=f"{colour} {trophy.name}", thing=trophy)
    club.Label.objects.create(text="grass", thing=court)
    ContentType.objects.clear_cache()
    return {"trophies": trophies, "court": court}


def texts(labels: Any) -> list[str]:
    return sorted(label.text for label in labels)


@pytest.mark.capability(23)
def test_a_target_is_set_and_found_again(shelf: Any, call: Any) -> None:
    bowl = shelf["trophies"][1]
    label = call(club.Label.objects, "create", text="new", thing=bowl)
    assert label.thing is bowl
    found = call(club.Label.objects, "get", pk=label.pk)
    if call.runner is not None:
        call(found, "load", "thing")
    assert found.thing == bowl
    assert found.content_type_id == ContentType.objects.get_for_model(club.Trophy).pk
    label.thing = None
    assert (label.content_type_id, label.object_id, label.thing) == (None, None, None)


def test_a_target_that_is_gone_is_none(shelf: Any) -> None:
    label = club.Label.objects.get(text="grass")
    label.object_id = 4711
    with assert_num_queries(2):  # its content type is not remembered
        assert label.thing is None
    with assert_num_queries(0):
        assert label.thing is None


def test_a_changed_key_is_another_target(shelf: Any) -> None:
    label = club.Label.objects.get(text="old Ashes")
    assert label.thing.name == "Ashes"
    label.object_id = shelf["trophies"][1].pk
    assert label.thing.name == "Bowl"


def test_an_unsaved_target_is_refused(shelf: Any) -> None:
    label = club.Label(text="x", thing=club.Trophy(name="later"))
    with pytest.raises(ValueError, match="unsaved related object 'thing'"):
        label.save()
    trophy = club.Trophy(name="later")
    label = club.Label(text="x", thing=trophy)
    trophy.save()
    label.save()
    assert club.Label.objects.get(pk=label.pk).thing == trophy


def test_a_cohort_is_loaded_by_one_query_for_each_model(shelf: Any) -> None:
    labels = list(club.Label.objects.all())
    with assert_num_queries(3):  # content types, trophies, courts
        names = {label.text: label.thing.name for label in labels}
    assert names == {
        "gold Ashes": "Ashes", "gold Bowl": "Bowl", "grass": "Centre", "old Ashes": "Ashes", "old Bowl": "Bowl",
    }  # fmt: skip


def test_touching_a_target_in_a_loop_names_aload(shelf: Any, call: Any) -> None:
    label = call(club.Label.objects, "get", text="grass")
    if call.runner is None:
        assert label.thing == shelf["court"]
        return

    async def touch() -> Any:
        return label.thing

    with pytest.raises(SynchronousOnlyOperation, match=r"aload\('thing'\)"):
        call.runner.run(touch())
    assert call(label, "load", "thing") == shelf["court"]


def test_fetching_may_be_forbidden(shelf: Any) -> None:
    label = club.Label.objects.fetch_mode(FETCH_RAISE).get(text="grass")
    with pytest.raises(FieldFetchBlocked, match=r"Label\.thing blocked"):
        assert label.thing


def test_targets_are_prefetched(shelf: Any, call: Any) -> None:
    with assert_num_queries(4):  # labels, content types, trophies, courts
        labels = call.rows(club.Label.objects.prefetch_related("thing"))
    with assert_num_queries(0):
        assert sum(label.thing.name == "Ashes" for label in labels) == 2


def test_querysets_say_how_targets_are_read(shelf: Any, call: Any) -> None:
    chosen = [club.Trophy.objects.filter(name="Bowl"), club.Court.objects.only("id")]
    labels = call.rows(club.Label.objects.prefetch_related(GenericPrefetch("thing", chosen)))
    found = {label.text: label.thing for label in labels}
    assert found["old Ashes"] is None
    assert found["old Bowl"].name == "Bowl"
    assert found["grass"].get_deferred_fields() == {"name"}
    twice = GenericPrefetch("thing", [club.Trophy.objects.all(), club.Trophy.objects.all()])
    with pytest.raises(ValueError, match="Only one queryset is allowed for each content type"):
        call.rows(club.Label.objects.prefetch_related(twice))


def test_the_way_back_holds_this_models_rows_alone(shelf: Any, call: Any) -> None:
    ashes, _, crown = shelf["trophies"]
    with assert_num_queries(3):  # no query for the content type
        assert texts(call.rows(ashes.labels.all())) == ["gold Ashes", "old Ashes"]
        assert texts(call.rows(shelf["court"].labels.all())) == ["grass"]
        assert call(crown.labels, "count") == 0


def test_writing_through_the_way_back(shelf: Any, call: Any) -> None:
    ashes, bowl, crown = shelf["trophies"]
    new = call(crown.labels, "create", text="new")
    assert new.object_id == crown.pk
    assert call(crown.labels, "get_or_create", text="new") == (new, False)
    assert call(crown.labels, "update_or_create", text="new", defaults={"text": "newer"})[1] is False
    call(crown.labels, "add", *call.rows(bowl.labels.all()))
    assert texts(call.rows(crown.labels.all())) == ["gold Bowl", "newer", "old Bowl"]
    call(crown.labels, "set", [new])
    assert texts(call.rows(crown.labels.all())) == ["newer"]
    call(crown.labels, "remove", new)
    assert call(club.Label.objects, "count") == 3
    call(ashes.labels, "clear")
    assert texts(call.rows(club.Label.objects.all())) == ["grass"]


def test_rows_of_another_model_are_refused(shelf: Any) -> None:
    with pytest.raises(TypeError, match="'Label' instance expected"):
        shelf["court"].labels.add(shelf["trophies"][0])
    with pytest.raises(ValueError, match="needs to have a primary key value"):
        club.Trophy().labels.all()


@pytest.mark.capability(23)
def test_look_ups_cross_it_in_both_directions(shelf: Any, call: Any) -> None:
    trophies, labels = club.Trophy.objects.order_by("name"), club.Label.objects
    assert [t.name for t in call.rows(trophies.filter(labels__text__startswith="gold"))] == ["Ashes", "Bowl"]
    assert [t.name for t in call.rows(trophies.exclude(labels__text="old Ashes"))] == ["Bowl", "Crown"]
    assert [t.name for t in call.rows(trophies.filter(labels=None))] == ["Crown"]
    assert [t.name for t in call.rows(trophies.filter(labels__count__gte=2))] == ["Ashes", "Bowl"]
    assert [t.n for t in call.rows(trophies.annotate(n=Count("labels")))] == [2, 2, 0]
    assert texts(call.rows(labels.filter(trophy__name="Bowl"))) == ["gold Bowl", "old Bowl"]
    assert texts(call.rows(labels.exclude(trophy__name="Bowl"))) == ["gold Ashes", "grass", "old Ashes"]
    with pytest.raises(FieldError, match="'thing' does not generate an automatic reverse relation"):
        labels.filter(thing=shelf["court"])


def test_a_key_kept_as_text_is_compared_as_text(shelf: Any, call: Any) -> None:
    bowl = shelf["trophies"][1]
    note = call(bowl.notes, "create", text="dented")
    assert note.about_key == str(bowl.pk)
    assert call(club.Trophy.objects, "get", notes__text="dented") == bowl
    assert call(club.Note.objects, "get", trophy__name="Bowl") == note
    assert [t.name for t in call.rows(club.Trophy.objects.exclude(notes__text="dented").order_by("name"))] == [
        "Ashes", "Crown",
    ]  # fmt: skip
    trophies = call.rows(club.Trophy.objects.prefetch_related("notes").order_by("name"))
    assert [[n.text for n in t.notes.all()] for t in trophies] == [[], ["dented"], []]
    found = call.rows(club.Note.objects.prefetch_related("about"))
    assert [n.about for n in found] == [bowl]
    assert call(bowl, "delete")[1]["shelf.Note"] == 1
    assert call(club.Note.objects, "count") == 0


@pytest.mark.parametrize("relation", ["labels", "notes"])
def test_a_naive_loop_costs_few_queries(shelf: Any, relation: str) -> None:
    club.Trophy.objects.bulk_create([club.Trophy(name=f"T{number:02}") for number in range(60)])
    trophies = list(club.Trophy.objects.all())
    for trophy in trophies:
        getattr(trophy, relation).create(text=trophy.name)
    trophies = list(club.Trophy.objects.all())
    with capture_queries() as sent:
        found = [[row.text for row in getattr(trophy, relation).all()] for trophy in trophies]
    assert len(sent) <= 8
    assert all(trophy.name in held for trophy, held in zip(trophies, found, strict=True))


def test_the_way_back_is_prefetched(shelf: Any, call: Any) -> None:
    with assert_num_queries(2):
        trophies = call.rows(club.Trophy.objects.order_by("name").prefetch_related("labels"))
    with assert_num_queries(0):
        assert [texts(t.labels.all()) for t in trophies] == [
            ["gold Ashes", "old Ashes"], ["gold Bowl", "old Bowl"], [],
        ]  # fmt: skip
    first = club.Label.objects.order_by("text")[:1]
    trophies = call.rows(club.Trophy.objects.order_by("name").prefetch_related(Prefetch("labels", first, "one")))
    assert [texts(t.one) for t in trophies] == [["gold Ashes"], ["gold Bowl"], []]


def test_relations_to_the_same_rows_are_prefetched_together(shelf: Any, call: Any) -> None:
    club.Court.objects.create(name="Number One")
    call.rows(club.Label.objects.prefetch_related("thing"))  # content types are remembered now
    with assert_num_queries(4):  # labels, trophies, courts, and the labels of both
        labels = call.rows(club.Label.objects.prefetch_related("thing__labels"))
    with assert_num_queries(0):
        found = {label.thing.name: texts(label.thing.labels.all()) for label in labels}
    assert found == {"Ashes": ["gold Ashes", "old Ashes"], "Bowl": ["gold Bowl", "old Bowl"], "Centre": ["grass"]}
    last = Prefetch("thing__labels", club.Label.objects.order_by("-text")[:1], to_attr="last")
    labels = call.rows(club.Label.objects.prefetch_related("thing", last))
    assert {label.thing.name: texts(label.thing.last) for label in labels} == {
        "Ashes": ["old Ashes"], "Bowl": ["old Bowl"], "Centre": ["grass"],
    }  # fmt: skip


@pytest.mark.parametrize("relation", ["labels", "notes"])
def test_the_row_that_a_key_names_is_reached_by_the_query_name(shelf: Any, call: Any, relation: str) -> None:
    bowl = shelf["trophies"][1]
    model, key = {"labels": (club.Label, "thing"), "notes": (club.Note, "about")}[relation]
    for owner in (bowl, bowl, shelf["court"]):
        call(model.objects, "create", text=f"new {owner.name}", **{key: owner})
    rows = call.rows(model.objects.filter(text__startswith="new").order_by("pk"))
    with assert_num_queries(1):
        assert call.rows(rows[0].trophy.all()) == [bowl]
    assert call.rows(rows[2].trophy.all()) == []  # a court has the same key as a trophy
    assert call(rows[1].trophy.filter(name="Bowl"), "count") == 1
    with assert_num_queries(2):
        rows = call.rows(model.objects.filter(text__startswith="new").order_by("pk").prefetch_related("trophy"))
    with assert_num_queries(0):
        assert [[t.name for t in row.trophy.all()] for row in rows] == [["Bowl"], ["Bowl"], []]
    with pytest.raises(AttributeError, match="set their generic foreign key"):
        rows[0].trophy.add(bowl)


def test_the_way_back_from_a_generic_key_is_no_single_row(shelf: Any) -> None:
    with pytest.raises(FieldError, match="Invalid field name"):
        list(club.Label.objects.select_related("trophy"))
    with pytest.raises(TypeError, match="Direct assignment"):
        setattr(club.Label.objects.first(), "trophy", None)  # noqa: B010


def test_what_points_at_a_row_goes_with_it(shelf: Any, call: Any) -> None:
    ashes = shelf["trophies"][0]
    deleted = call(ashes, "delete")
    assert deleted[1]["shelf.Label"] == 2
    assert texts(call.rows(club.Label.objects.all())) == ["gold Bowl", "grass", "old Bowl"]
    call(club.Trophy.objects.all(), "delete")
    assert texts(call.rows(club.Label.objects.all())) == ["grass"]


def test_a_child_model_has_labels_of_its_own(shelf: Any, call: Any) -> None:
    cup = call(club.Cup.objects, "create", name="Davis")
    trophy = call(club.Trophy.objects, "get", pk=cup.pk)
    call(cup.labels, "create", text="of the cup")
    call(trophy.labels, "create", text="of the trophy")
    assert texts(call.rows(cup.labels.all())) == ["of the cup"]
    assert texts(call.rows(trophy.labels.all())) == ["of the trophy"]
    assert call(club.Cup.objects, "get", labels__text="of the cup") == cup
    call(cup, "delete")
    assert call(club.Label.objects.filter(text__startswith="of the"), "count") == 0


def test_a_proxy_takes_what_points_at_the_proxy(db: Database, call: Any) -> None:
    crowsfoot.create_tables(club.Flag, club.Pole)
    club.Pole.objects.create()
    pole, mast = club.Pole.objects.create(), club.Mast.objects.get(pk=1)
    for owner in (pole, mast, club.Pole.objects.get(pk=mast.pk)):
        call(club.Flag.objects, "create", text=type(owner).__name__, pole=owner)
    assert call(mast, "delete") == (2, {"shelf.Flag": 1, "shelf.Mast": 1})
    assert sorted(flag.text for flag in call.rows(club.Flag.objects.all())) == ["Pole", "Pole"]
    assert call(club.Mast.objects.all(), "delete") == (1, {"shelf.Mast": 1})
    assert call(club.Flag.objects, "count") == 2


def test_targets_are_asked_for_as_of_any_relation(shelf: Any) -> None:
    labels = list(club.Label.objects.order_by("text"))
    thing: Any = club.Label.thing
    thing.get_prefetch_querysets(labels)  # content types are remembered now
    with assert_num_queries(2):
        rows, key_of_row, key_of_label, single, name, _ = thing.get_prefetch_querysets(labels)
    by_key = {key_of_row(row): row for row in rows}
    assert [by_key[key_of_label(label)].name for label in labels] == ["Ashes", "Bowl", "Centre", "Ashes", "Bowl"]
    assert (len(rows), single, name) == (3, True, "thing")
    few = club.Trophy.objects.filter(name="Ashes")
    rows, _, key_of_label, *_ = thing.get_prefetch_querysets(labels, [few])
    assert [key_of_label(label) is None for label in labels] == [False, True, False, False, True]


def test_distinct_rows_are_ordered_by_what_a_generic_relation_leads_to(shelf: Any) -> None:
    named = club.Trophy.objects.filter(labels=OuterRef("pk")).order_by("pk").values("name")[:1]
    labels = club.Label.objects.order_by(Subquery(named).desc(), "text").filter(trophy__isnull=False).distinct()
    assert [label.text for label in labels] == ["gold Bowl", "old Bowl", "gold Ashes", "old Ashes"]
