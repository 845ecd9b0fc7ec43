"""Composite keys, and relations to models that have one: Django has the first alone."""

from __future__ import annotations

from math import ceil, log2
from typing import Any

import composite_models
import pytest
from composite_models import (
    Complaint,
    Invoice,
    Label,
    Line,
    Node,
    Order,
    Parcel,
    Product,
    Step,
    Tenant,
)

from crowsfoot.database import Database
from crowsfoot.drift import find_drift
from crowsfoot.errors import FieldError, IntegrityError, ProtectedError, RestrictedError, ValidationError
from crowsfoot.models import Count, F, Max, OuterRef, Q, Subquery, UniqueConstraint

TABLES = composite_models.TABLES  # what the database has here
SIZES = (1, 10, 100)


async def shop(do: Any, orders: int = 1) -> tuple[Any, Any]:
    """Two tenants with a product each of the same number, and ``orders`` orders each of that, by the same numbers."""
    tenants = [await do(Tenant.objects.create, name=name) for name in ("one", "two")]
    for tenant in tenants:
        product = await do(Product.objects.create, tenant=tenant, no=1, name=tenant.name)
        found = [Order(tenant=tenant, number=n, note=f"{tenant.name} {n}", product=product) for n in range(orders)]
        await do(Order.objects.bulk_create, found)
    return tenants[0], tenants[1]


async def order_of(do: Any, tenant: Any, number: int = 0) -> Any:
    return await do(Order.objects.get, pk=(tenant.pk, number))


# -- the key -----------------------------------------------------------------------------------------------------------


@pytest.mark.capability(10)
async def test_a_key_is_a_tuple(do: Any) -> None:
    one, two = await shop(do)
    order = await order_of(do, two)
    assert order.pk == (two.pk, 0)
    assert order.note == "two 0"
    assert hash(order) == hash((two.pk, 0))
    order.pk = (one.pk, 9)
    assert (order.tenant_id, order.number) == (one.pk, 9)
    assert Order._meta.pk_fields == [Order._meta.get_field("tenant"), Order._meta.get_field("number")]
    with pytest.raises(ValueError, match="must be a list or a tuple"):
        order.pk = 7
    with pytest.raises(ValueError, match="must have 2 elements"):
        order.pk = (1, 2, 3)


async def test_keys_in_look_ups(do: Any) -> None:
    one, two = await shop(do, 3)
    keys = [(one.pk, 1), (two.pk, 2)]
    assert [o.pk for o in await do.rows(Order.objects.filter(pk__in=keys).order_by("-pk"))] == keys[::-1]
    assert await do(Order.objects.filter(pk__in=[(one.pk, None)]).count) == 0
    assert await do(Order.objects.filter(pk__in=keys[:1]).count) == 1
    assert await do(Order.objects.filter(pk__gt=(one.pk, 1)).count) == 4
    assert await do(Order.objects.filter(pk__lte=(one.pk, 1)).count) == 2
    assert await do(Order.objects.exclude(pk=keys[0]).count) == 5
    assert await do(Order.objects.filter(Q(pk=keys[0]) | Q(pk=(two.pk, F("number")))).count) == 4
    assert await do(Order.objects.filter(pk__in=[(one.pk, F("number"))]).count) == 3
    assert await do(Order.objects.filter(pk__in=Order.objects.filter(number=2)).count) == 2
    same = Order.objects.filter(pk=OuterRef("pk")).values("pk")[:1]
    assert await do(Order.objects.filter(pk=Subquery(same)).count) == 6
    assert await do(Order.objects.aggregate, n=Count("pk")) == {"n": 6}
    values = await do.rows(Order.objects.filter(number=1).order_by("pk").values("pk", "note"))
    assert values == [{"pk": (one.pk, 1), "note": "one 1"}, {"pk": (two.pk, 1), "note": "two 1"}]
    assert await do.rows(Order.objects.filter(number=0).order_by("-pk").values_list("pk", flat=True)) == [
        (two.pk, 0),
        (one.pk, 0),
    ]


async def test_wrong_keys_are_refused(do: Any) -> None:
    for wrong, words in [
        ({"pk": 1}, "'exact' lookup of 'pk' must be a tuple or a list"),
        ({"pk": (1, 2, 3)}, "'exact' lookup of 'pk' must have 2 elements"),
        ({"pk__in": [(1, 2, 3)]}, "must have 2 elements each"),
        ({"product": 1}, "'exact' lookup of 'product' must have 2 elements, in a tuple"),
        ({"note": F("pk")}, "CompositePrimaryKey cannot be used as a lookup value"),
        ({"pk__in": Order.objects.values("pk", "note")}, r"must have 2 selected fields \(received 3\)"),
    ]:
        with pytest.raises(ValueError, match=words):
            Order.objects.filter(**wrong)
    with pytest.raises(FieldError, match="Unsupported lookup 'contains'"):
        Order.objects.filter(pk__contains="x")
    with pytest.raises(ValueError, match="does not support composite primary keys"):
        Order.objects.annotate(n=F("pk") + 1)


async def test_saving(do: Any) -> None:
    one, two = await shop(do)
    order = await order_of(do, one)
    order.note = "changed"
    with do.queries(1):
        await do(order.save)
    assert {o.note for o in await do.rows(Order.objects.all())} == {"changed", "two 0"}
    order.note = "again"
    await do(order.save, update_fields=["note"])
    await do(order.refresh_from_db)
    assert order.note == "again"
    with pytest.raises(IntegrityError):
        await do(Order.objects.create, tenant=one, number=0)
    rows = await do.rows(Order.objects.order_by("pk"))
    for number, row in enumerate(rows):
        row.note = f"bulk {number}"
    assert await do(Order.objects.bulk_update, rows, ["note"]) == 2
    assert (await order_of(do, two)).note == "bulk 1"
    with pytest.raises(ValueError, match="primary key fields"):
        await do(Order.objects.bulk_update, rows, ["number"])
    found, made = await do(Order.objects.get_or_create, pk=(two.pk, 5), defaults={"note": "new"})
    assert made
    assert found.pk == (two.pk, 5)
    assert set(await do(Order.objects.in_bulk, [(two.pk, 5), (two.pk, 0)])) == {(two.pk, 5), (two.pk, 0)}


async def test_keys_are_unique_when_validated(do: Any) -> None:
    one, _ = await shop(do)
    if do.is_async:
        return
    with pytest.raises(ValidationError, match="Order with this Tenant and Number already exists"):
        Order(tenant=one, number=0, note="x").validate_unique()
    Order(tenant=one, number=1, note="x").validate_unique()


# -- foreign keys ------------------------------------------------------------------------------------------------------


@pytest.mark.capability(12)
async def test_a_key_has_a_column_for_each_part(do: Any) -> None:
    one, _ = await shop(do)
    order = await order_of(do, one)
    line = await do(Line.objects.create, order=order, text="a")
    assert (line.order_tenant_id, line.order_number) == order.pk
    fresh = await do(Line.objects.get, pk=line.pk)
    assert await do(fresh.load, "order") == order
    assert fresh.order.note == "one 0"
    assert [f.attname for f in Line._meta.concrete_fields] == ["id", "order_tenant_id", "order_number", "text"]
    assert Step._meta.entity.table.primary_key == ("order_tenant_id", "order_number", "place")


async def test_a_key_of_its_own_columns_shares_no_other(do: Any) -> None:
    assert Order._meta.get_field("product").own_columns == ("product_no",)
    assert [a.name for a in Order._meta.entity.own_attributes] == ["tenant_id", "number", "note", "product_no"]


async def test_assigning(do: Any) -> None:
    one, two = await shop(do)
    first, second = await order_of(do, one), await order_of(do, two)
    line = Line(order=first, text="a")
    line.order = second
    assert (line.order_tenant_id, line.order_number) == second.pk
    line.order_number = 77
    with pytest.raises(Order.DoesNotExist):
        await do(line.load, "order")
    first.product = None
    assert (first.tenant_id, first.product_no) == (one.pk, None)
    await do(first.save)
    again = await order_of(do, one)
    assert again.product is None
    assert again.tenant_id == one.pk
    parcel = Parcel(order=second)
    parcel.order = None
    assert (parcel.order_tenant_id, parcel.order_number) == (None, None)
    with pytest.raises(ValueError, match='must be a "Order" instance'):
        line.order = one


async def test_an_unsaved_instance_lends_its_key_later(do: Any) -> None:
    one, _ = await shop(do)
    order = Order(tenant=one)
    line = Line(order=order, text="late")
    with pytest.raises(ValueError, match="unsaved related object 'order'"):
        await do(line.save)
    line = Line(order=order, text="late")
    order.number = 50
    await do(order.save)
    await do(line.save)
    assert line.order_number == 50


@pytest.mark.capability(11)
async def test_the_database_checks_the_whole_key(do: Any) -> None:
    one, two = await shop(do, 2)
    line = await do(Line.objects.create, order_tenant_id=one.pk, order_number=1, text="a")
    assert (await do(Line.objects.select_related("order__tenant").get)).order.tenant == one
    await do(Order.objects.filter(tenant=two, number=1).delete)
    line.order_tenant_id = two.pk
    with pytest.raises(IntegrityError, match=r"Line\.order points at"):
        await do(line.save)
    await do.sql(f"DELETE FROM composite_order WHERE tenant_id = {one.pk} AND number = 1")
    assert await do(Line.objects.count) == 0


async def test_relations_in_look_ups(do: Any) -> None:
    one, two = await shop(do, 2)
    mine, other = await order_of(do, one), await order_of(do, two, 1)
    for order in (mine, mine, other):
        await do(Line.objects.create, order=order, text=order.note)
    lines = Line.objects.order_by("pk")
    for condition, texts in [
        ({"order": mine}, ["one 0", "one 0"]),
        ({"order": mine.pk}, ["one 0", "one 0"]),
        ({"order__in": [mine, other.pk]}, ["one 0", "one 0", "two 1"]),
        ({"order__in": Order.objects.filter(note="two 1")}, ["two 1"]),
        ({"order__tenant": two}, ["two 1"]),
        ({"order__tenant__name": "one"}, ["one 0", "one 0"]),
        ({"order__product__name": "two"}, ["two 1"]),
        ({"order__product": (two.pk, 1)}, ["two 1"]),
        ({"order__pk__gt": mine.pk}, ["two 1"]),
        ({"order__isnull": True}, []),
    ]:
        assert [line.text for line in await do.rows(lines.filter(**condition))] == texts, condition
    assert [line.text for line in await do.rows(lines.exclude(order=mine))] == ["two 1"]
    assert await do(Order.objects.filter(lines__text="two 1").get) == other
    assert await do(Order.objects.filter(lines__isnull=True).count) == 2
    assert await do(Order.objects.exclude(lines__text="one 0").count) == 3
    assert await do(Order.objects.filter(lines__some=Q(text="two 1")).count) == 1
    counted = Order.objects.annotate(n=Count("lines")).order_by("pk").values_list("pk", "n")
    assert [n for _, n in await do.rows(counted)] == [2, 0, 0, 1]
    assert await do.rows(lines.values_list("order", flat=True)) == [mine.pk, mine.pk, other.pk]


async def test_only_the_key_is_compared_without_a_join(do: Any) -> None:
    one, _ = await shop(do)
    with do.captured() as sent:
        await do.rows(Line.objects.filter(order=(one.pk, 0), order__pk__gte=(one.pk, 0)))
    assert len(sent) == 1
    assert "JOIN" not in str(sent[0])


async def test_updating_the_key(do: Any) -> None:
    one, two = await shop(do, 2)
    order, other = await order_of(do, one), await order_of(do, two)
    line = await do(Line.objects.create, order=order, text="a")
    await do(Line.objects.filter(pk=line.pk).update, order=other)
    await do(line.refresh_from_db)
    assert (line.order_tenant_id, line.order_number) == other.pk
    await do(Line.objects.filter(pk=line.pk).update, order=(one.pk, 1))
    await do(line.refresh_from_db, fields=["order"])
    assert (line.order_tenant_id, line.order_number) == (one.pk, 1)
    await do(Order.objects.filter(pk=order.pk).update, product=None)
    await do(order.refresh_from_db)
    assert (order.tenant_id, order.product_no) == (one.pk, None)


async def test_select_related_and_prefetch(do: Any) -> None:
    one, two = await shop(do, 2)
    order = await order_of(do, one)
    await do(Order.objects.filter(pk=(two.pk, 1)).update, product=None)
    await do(Line.objects.create, order=order, text="a")
    await do(Parcel.objects.create)
    with do.queries(1):
        (line,) = await do.rows(Line.objects.select_related("order__product"))
        assert line.order.product.name == "one"
    with do.queries(1):
        assert [p.order for p in await do.rows(Parcel.objects.select_related("order"))] == [None]
    with do.queries(3):
        found = await do.rows(Order.objects.order_by("pk").prefetch_related("lines", "product"))
        assert [[line.text for line in o.lines.all()] for o in found] == [["a"], [], [], []]
        assert [o.product and o.product.name for o in found] == ["one", "one", "two", None]
    with do.queries(2):
        (product,) = await do.rows(Product.objects.filter(tenant=one).prefetch_related("orders"))
        assert [o.number for o in product.orders.all()] == [0, 1]


# -- the way back ------------------------------------------------------------------------------------------------------


async def test_managers(do: Any) -> None:
    one, two = await shop(do)
    order, other = await order_of(do, one), await order_of(do, two)
    line = await do(order.lines.create, text="a")
    assert line.order == order
    await do(other.lines.add, line)
    assert await do(order.lines.count) == 0
    assert [x.text for x in await do.rows(other.lines.all())] == ["a"]
    parcels = [await do(order.parcels.create) for _ in range(3)]
    await do(order.parcels.remove, parcels[0])
    assert await do(order.parcels.count) == 2
    await do(order.parcels.set, [parcels[0]])
    assert await do.rows(order.parcels.all()) == [parcels[0]]
    await do(order.parcels.clear)
    assert not await do(order.parcels.exists)
    product = await do(Product.objects.get, pk=(one.pk, 1))
    await do(product.orders.clear)
    await do(order.refresh_from_db)
    assert (order.tenant_id, order.product_no) == (one.pk, None)


async def test_one_to_one(do: Any) -> None:
    one, two = await shop(do)
    order, other = await order_of(do, one), await order_of(do, two)
    invoice = await do(Invoice.objects.create, order=order, total=5)
    fresh = await order_of(do, one)
    assert await do(fresh.load, "invoice") == invoice
    assert fresh.invoice.order is fresh
    with pytest.raises(Invoice.DoesNotExist):
        await do(other.load, "invoice")
    with pytest.raises(IntegrityError):
        await do(Invoice.objects.create, order=order)
    with do.queries(1):
        found = await do.rows(Order.objects.select_related("invoice").order_by("pk"))
        assert found[0].invoice.total == 5
    assert await do(Order.objects.filter(invoice__total=5).get) == order


async def test_many_to_many(do: Any) -> None:
    one, two = await shop(do)
    order, other = await order_of(do, one), await order_of(do, two)
    red, blue = [await do(Label.objects.create, tenant=one, name=name) for name in ("red", "blue")]
    await do(order.labels.add, red, blue.pk)
    await do(order.labels.add, red)
    await do(other.labels.add, red)
    assert {label.name for label in await do.rows(order.labels.all())} == {"red", "blue"}
    assert {o.pk for o in await do.rows(red.orders.all())} == {order.pk, other.pk}
    await do(order.labels.remove, blue)
    await do(red.orders.set, [order])
    assert await do(other.labels.count) == 0
    assert await do(Order.objects.filter(labels=red).get) == order
    assert await do(Order.objects.filter(labels__in=[red, blue.pk]).count) == 1
    assert await do(Order.objects.filter(labels__name="red").get) == order
    made = await do(order.labels.create, tenant=two, name="green")
    assert made in await do.rows(order.labels.all())
    with do.queries(2):
        found = await do.rows(Order.objects.order_by("pk").prefetch_related("labels"))
        assert sorted(label.name for label in found[0].labels.all()) == ["green", "red"]
    await do(order.labels.clear)
    assert await do(Order.labels.through.objects.count) == 0


# -- cohorts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_a_loop_costs_the_logarithm(do: Any, size: int) -> None:
    one, _ = await shop(do, size)
    orders = await do.rows(Order.objects.filter(tenant=one).order_by("pk"))
    red = await do(Label.objects.create, tenant=one, name="red")
    links = Order.labels.through
    await do(links.objects.bulk_create, [links(order=o, label=red) for o in orders[::2]])
    await do(Line.objects.bulk_create, [Line(order=o, text=f"{o.number} {i}") for o in orders for i in range(2)])
    most = ceil(log2(size)) + 2
    asked = Order.objects.filter(tenant=one).order_by("pk")
    with do.captured() as sent:
        texts = [[line.text for line in await do.rows(o.lines.order_by("-pk")[:1])] for o in await do.rows(asked)]
    assert texts == [[f"{n} 1"] for n in range(size)]
    assert len(sent) <= most
    with do.captured() as sent:
        counts = [await do(o.lines.filter(text__endswith="1").count) for o in await do.rows(asked)]
    assert counts == [1] * size
    assert len(sent) <= most
    with do.captured() as sent:
        tagged = [await do(o.labels.exists) for o in await do.rows(asked)]
    assert tagged == [n % 2 == 0 for n in range(size)]
    assert len(sent) <= most
    with do.captured() as sent:
        names = [[label.name for label in await do.rows(o.labels.all())] for o in await do.rows(asked)]
    assert names == [["red"] if n % 2 == 0 else [] for n in range(size)]
    assert len(sent) <= most


@pytest.mark.parametrize("size", SIZES)
async def test_walking_forward_is_one_query(do: Any, size: int) -> None:
    await shop(do, size)
    orders = await do.rows(Order.objects.order_by("pk"))
    await do(Line.objects.bulk_create, [Line(order=o, text="x") for o in orders])
    with do.queries(3):
        lines = await do.rows(Line.objects.order_by("pk"))
        notes = [(await do(line.load, "order")).note for line in lines]
        products = [(await do(line.order.load, "product")).name for line in lines]
    assert notes == [o.note for o in orders]
    assert products == [note.split()[0] for note in notes]
    with do.queries(2):
        rows = await do.rows(Order.objects.only("pk"))
        assert {await do(o.load, "note") for o in rows} == set(notes)


# -- deleting ----------------------------------------------------------------------------------------------------------


async def test_cascade_takes_what_points_at_the_row_alone(do: Any) -> None:
    one, two = await shop(do, 2)
    for order in await do.rows(Order.objects.all()):
        await do(Line.objects.create, order=order, text=order.note)
        await do(Step.objects.create, order=order, place=1)
    gone = await do((await order_of(do, one)).delete)
    assert gone == (3, {"composite.Line": 1, "composite.Step": 1, "composite.Order": 1})
    assert {line.text for line in await do.rows(Line.objects.all())} == {"one 1", "two 0", "two 1"}
    total, _ = await do(Order.objects.filter(tenant=two).delete)
    assert total == 6
    assert [step.pk for step in await do.rows(Step.objects.all())] == [(one.pk, 1, 1)]


@pytest.mark.capability(41)
async def test_set_null_empties_the_columns_that_are_its_own(do: Any) -> None:
    one, two = await shop(do)
    await do(Product.objects.filter(tenant=one).delete)
    order = await order_of(do, one)
    assert (order.tenant_id, order.product_no) == (one.pk, None)
    assert (await order_of(do, two)).product_no == 1
    parcel = await do(Parcel.objects.create, order=order)
    await do(order.delete)
    await do(parcel.refresh_from_db)
    assert (parcel.order_tenant_id, parcel.order_number) == (None, None)


async def test_postgresql_keeps_the_rule_itself(do: Any) -> None:
    one, _ = await shop(do)
    if do.vendor != "postgresql":
        return
    do.database.session.connection.execute(f"DELETE FROM composite_product WHERE tenant_id = {one.pk}")
    order = await order_of(do, one)
    assert (order.tenant_id, order.product_no) == (one.pk, None)


async def test_protect_and_restrict(do: Any) -> None:
    one, two = await shop(do)
    order, other = await order_of(do, one), await order_of(do, two)
    invoice = await do(Invoice.objects.create, order=order)
    await do(Complaint.objects.create, order=other)
    with pytest.raises(ProtectedError) as refused:
        await do(order.delete)
    assert refused.value.protected_objects == {invoice}
    with pytest.raises(RestrictedError):
        await do(other.delete)
    assert await do(Order.objects.count) == 2
    await do(invoice.delete)
    await do(order.delete)
    assert await do(Order.objects.count) == 1


async def test_a_tree_within_a_tenant(do: Any) -> None:
    one, two = await shop(do)
    for tenant in (one, two):
        top = await do(Node.objects.create, tenant=tenant, no=0)
        for no in range(1, 4):
            top = await do(Node.objects.create, tenant=tenant, no=no, parent=top)
    middle = await do(Node.objects.get, pk=(one.pk, 1))
    assert [n.no for n in await do.rows(middle.children.all())] == [2]
    assert await do(Node.objects.filter(parent__parent__no=1).count) == 2
    total, _ = await do(middle.delete)
    assert total == 3
    assert {n.pk for n in await do.rows(Node.objects.all())} == {(one.pk, 0), *[(two.pk, no) for no in range(4)]}


async def test_deleting_the_tenant_takes_everything(do: Any) -> None:
    one, two = await shop(do, 3)
    order = await order_of(do, one)
    label = await do(Label.objects.create, tenant=one, name="red")
    await do(order.labels.add, label)
    await do(Line.objects.create, order=order, text="x")
    await do(one.delete)
    assert {o.tenant_id for o in await do.rows(Order.objects.all())} == {two.pk}
    assert await do(Line.objects.count) == 0
    assert await do(Order.labels.through.objects.count) == 0


# -- descriptions ------------------------------------------------------------------------------------------------------


async def test_fields_can_be_written_down_and_made_again(do: Any) -> None:
    pk = Order._meta.pk
    assert pk.deconstruct() == (
        "pk",
        "django.db.models.CompositePrimaryKey",
        ["tenant_id", "number"],
        {"primary_key": True, "blank": True, "editable": False},
    )
    _, path, _, kwargs = Order._meta.get_field("product").deconstruct()
    assert path == "django.db.models.ForeignKey"
    assert kwargs["columns"] == ("tenant", "product_no")
    assert UniqueConstraint(fields=["order"], name="u").clone().fields == ("order",)


def test_the_database_is_as_the_models_say(database: Database) -> None:
    links = [field.remote_field.through for model in TABLES for field in model._meta.local_many_to_many]
    assert find_drift([*TABLES, *links]) == []


async def test_aggregates_over_several_relations_of_the_orders_of_each_product(do: Any) -> None:
    await shop(do, orders=3)
    for order in await do.rows(Order.objects.all()):
        for number in range(order.number):
            label, _ = await do(Label.objects.get_or_create, tenant_id=order.tenant_id, name=f"l{number}")
            await do(order.labels.add, label)
            for text in "ab":
                await do(Line.objects.create, order=order, text=text)
    found = [
        await do(product.orders.aggregate, lines=Count("lines"), labels=Count("labels"), top=Max("number"))
        for product in await do.rows(Product.objects.all())
    ]
    assert found == [{"lines": 6, "labels": 3, "top": 2}] * 2
