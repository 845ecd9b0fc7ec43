"""`Meta.indexes` and `Meta.constraints`: what they say of themselves, and what `full_clean` asks of the database."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from query_models import Booking

from crowsfoot.errors import FieldError, IntegrityError, ValidationError
from crowsfoot.models import CheckConstraint, Deferrable, F, Func, Index, Q, UniqueConstraint
from crowsfoot.schema import table
from crowsfoot.testing import assert_num_queries

DAY = datetime.date(2024, 1, 1)


@pytest.fixture(autouse=True)
def rows(database: Any) -> Any:
    Booking.objects.create(room="blue", seats=4, day=DAY)
    yield
    Booking.objects.all().delete()


# -- validation --------------------------------------------------------------------------------------------------------


def complaints(**values: Any) -> dict[str, list[str]]:
    try:
        Booking(**{"room": "red", "seats": 9, "day": DAY, **values}).full_clean()
    except ValidationError as error:
        return error.message_dict
    return {}


def test_a_sound_row_is_accepted() -> None:
    assert complaints() == {}


def test_a_condition_is_asked_of_the_values() -> None:
    assert complaints(seats=0) == {"__all__": ["Constraint “has_seats” is violated."]}
    assert complaints(seats=0, state="closed") == {}
    assert complaints(day=datetime.date(1999, 12, 31)) == {"__all__": ["Too old."]}


def test_what_is_unknown_is_no_violation() -> None:
    booking = Booking(room="red", seats=None, day=DAY)
    for constraint in Booking._meta.constraints:
        constraint.validate(Booking, booking)


def test_unique_among_the_rows_that_meet_the_condition() -> None:
    assert complaints(room="blue") == {"__all__": ["Constraint “open_once” is violated."]}
    assert complaints(room="blue", state="closed") == {}
    assert complaints(room="blue", day=datetime.date(2024, 1, 2)) == {}


def test_unique_by_an_expression() -> None:
    assert complaints(room="blue", seats=4, state="closed") == {"__all__": ["Constraint “by_size” is violated."]}


class InIndex(Func):
    """What only an index knows."""

    function = "NOWHERE_ELSE"
    constraint_validation_compatible = False


def test_what_only_an_index_can_compute_is_left_out() -> None:
    rule = UniqueConstraint(InIndex("room"), name="unique_room")
    with pytest.raises(ValidationError):
        rule.validate(Booking, Booking(room="blue", seats=1, day=DAY))
    rule.validate(Booking, Booking(room="red", seats=1, day=DAY))
    rule = UniqueConstraint(InIndex("room", "seats"), name="unique_room")
    with pytest.raises(ValueError, match=r"must have only one source expression\. InIndex has 2"):
        rule.validate(Booking, Booking(room="red", seats=1, day=DAY))


def test_a_row_is_no_twin_of_itself() -> None:
    booking = Booking.objects.get()
    booking.validate_constraints()


def test_one_query_for_each_rule() -> None:
    with assert_num_queries(4):
        Booking(room="red", seats=9, day=DAY).validate_constraints()


def test_rules_over_excluded_fields_are_left_alone() -> None:
    with assert_num_queries(1):
        Booking(room="blue", seats=0, day=DAY).validate_constraints(exclude={"seats", "state"})


def test_the_code_of_a_violation() -> None:
    constraint = next(c for c in Booking._meta.constraints if c.name == "century")
    with pytest.raises(ValidationError) as caught:
        constraint.validate(Booking, Booking(day=datetime.date(1999, 1, 1)))
    assert caught.value.code == "old"


def test_nulls_may_be_equal() -> None:
    Booking.objects.create(room="grey", seats=None, day=DAY, state="closed")
    twin = Booking(room="grey", seats=None, day=DAY)
    UniqueConstraint(fields=["room", "seats"], name="u").validate(Booking, twin)
    with pytest.raises(ValidationError, match="Booking with this Room and Seats already exists"):
        UniqueConstraint(fields=["room", "seats"], name="u", nulls_distinct=False).validate(Booking, twin)
    with pytest.raises(ValidationError, match="is violated"):
        UniqueConstraint("room", F("seats") + 1, name="u", nulls_distinct=False).validate(Booking, twin)


def test_a_condition_over_a_relation_is_refused() -> None:
    with pytest.raises(FieldError):
        CheckConstraint(condition=Q(nothing__x=1), name="c").validate(Booking, Booking(day=DAY))


def test_the_database_keeps_the_rules(database: Any) -> None:
    for values in ({"seats": 0}, {"room": "blue"}, {"day": datetime.date(1999, 1, 1)}):
        with pytest.raises(IntegrityError):
            Booking.objects.create(**{"room": "red", "seats": 9, "day": DAY, **values})


# -- descriptions ------------------------------------------------------------------------------------------------------


def test_names() -> None:
    assert [index.name for index in Booking._meta.indexes] == ["query_booki_room_fac71f_idx", "query_booking_seats"]


def test_an_index_describes_itself() -> None:
    index = Index(fields=["room", "-day"], include=["seats"], name="by_room")
    assert index.describe(Booking) == table.Index("by_room", (("room", False), ("day", True)), include=("seats",))


@pytest.mark.parametrize(
    "rule",
    [
        Index(fields=["a", "-b"], name="i"),
        Index(F("a").desc(), name="i", condition=Q(b=1), include=["c"]),
        CheckConstraint(condition=Q(a=1), name="c", violation_error_code="x", violation_error_message="No."),
        UniqueConstraint(fields=["a"], name="u", deferrable=Deferrable.DEFERRED),
        UniqueConstraint(F("a"), name="u", nulls_distinct=False, condition=Q(b__gt=1)),
        UniqueConstraint(fields=["a", "b"], name="u", include=["c"], opclasses=["x", "y"]),
    ],
    ids=repr,
)
def test_rules_are_made_again_from_what_they_say(rule: Any) -> None:
    path, args, kwargs = rule.deconstruct()
    assert path == f"django.db.models.{type(rule).__name__}"
    again = type(rule)(*args, **kwargs)
    assert again == rule == rule.clone()
    again.name = "other"
    assert again != rule


def test_what_they_look_like() -> None:
    assert repr(Index(fields=["a"], name="i")) == "<Index: fields=['a'] name='i'>"
    assert (
        repr(CheckConstraint(condition=Q(a=1), name="c"))
        == "<CheckConstraint: condition=<Q: (AND: ('a', 1))> name='c'>"
    )
    unique = UniqueConstraint(fields=["a"], name="u", deferrable=Deferrable.IMMEDIATE, violation_error_message="No.")
    assert repr(unique) == (
        "<UniqueConstraint: fields=('a',) name='u' deferrable=Deferrable.IMMEDIATE violation_error_message='No.'>"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Index(), "At least one field or expression is required to define an index."),
        (lambda: Index(F("a")), "An index must be named to use expressions."),
        (lambda: Index(fields=["a"], condition=Q(a=1)), "An index must be named to use condition."),
        (lambda: Index(fields="a"), "Index.fields must be a list or tuple."),
        (lambda: Index(F("a"), fields=["a"], name="i"), "Index.fields and expressions are mutually exclusive."),
        (lambda: Index(fields=["a"], include=["b"]), "A covering index must be named."),
        (
            lambda: CheckConstraint(condition=1, name="c"),
            "CheckConstraint.condition must be a Q instance or boolean expression.",
        ),
        (
            lambda: UniqueConstraint(name="u"),
            "At least one field or expression is required to define a unique constraint.",
        ),
        (lambda: UniqueConstraint(fields=["a"], name=""), "A unique constraint must be named."),
        (
            lambda: UniqueConstraint(fields=["a"], name="u", condition=Q(a=1), deferrable=Deferrable.DEFERRED),
            "UniqueConstraint with conditions cannot be deferred.",
        ),
        (
            lambda: UniqueConstraint(fields=["a"], name="u", deferrable="deferred"),
            "UniqueConstraint.deferrable must be a Deferrable instance.",
        ),
    ],
)
def test_refused(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    assert str(caught.value) == message
