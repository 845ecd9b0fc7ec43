"""A delete that is read before it is done. What plans say in general is compared in models/test_deletion_graphs.py."""

from __future__ import annotations

from typing import Any

import plan_models
import pytest
from plan_models import Customer, Invoice, Label, Line, Order, Refund, Trace

from crowsfoot.errors import DeletePlanOutdated, ProtectedError, RestrictedError
from crowsfoot.models import DeletePlan
from crowsfoot.models.signals import pre_delete

TABLES = plan_models.TABLES  # what the database has here


async def shop(do: Any) -> Any:
    """A customer with two orders of three lines each, two of which are parts of the first; what she sold; labels."""
    ann = await do(Customer.objects.create, name="Ann")
    bob = await do(Customer.objects.create, name="Bob")
    label = await do(Label.objects.create, name="gift")
    for _ in range(2):
        order = await do(Order.objects.create, customer=ann, seller=bob)
        await do(order.labels.add, label)
        whole = await do(Line.objects.create, order=order)
        for _ in range(2):
            part = await do(Line.objects.create, order=order, part_of=whole)
            await do(Trace.objects.create, line=part)
    await do(Order.objects.create, customer=bob, seller=ann)
    return ann


def words(plan: DeletePlan) -> list[str]:
    return [f"{branch.relation} {branch.rule} {branch.count} {branch.action}" for branch in plan if branch.relation]


@pytest.mark.capability(44)
async def test_a_plan_is_a_tree_of_relations_rules_and_counts(do: Any) -> None:
    ann = await shop(do)
    with do.captured() as sent:
        plan = await do(ann.delete_plan)
    assert words(plan) == [
        "Order.customer CASCADE 2 delete",
        "Order_labels.order CASCADE 2 delete",
        "Line.order CASCADE 6 delete",
        "Line.part_of CASCADE 4 delete",
        "Trace.line DB_CASCADE 4 delete",
        "Order.seller SET_NULL 1 update",
    ]
    assert plan.counts == {"plan.Customer": 1, "plan.Order": 2, "plan.Order_labels": 2, "plan.Line": 6, "plan.Trace": 4}
    assert (plan.total, plan.blockers, plan.is_capped) == (15, [], False)
    # The customer; five keys in use and two that are not; all lines, to which two keys lead.
    assert len(sent) == 10
    assert all(statement["sql"].startswith("SELECT COUNT(*) FROM (SELECT ") for statement in sent)


async def test_the_same_is_done_and_reported(do: Any) -> None:
    ann = await shop(do)
    plan = await do(ann.delete_plan)
    total, counts = await do(plan.execute)
    assert counts == {label: number for label, number in plan.counts.items() if label != "plan.Trace"}  # the database's
    assert total == sum(counts.values())
    assert ann.pk is None
    assert [await do(model.objects.count) for model in (Customer, Order, Line, Trace)] == [1, 1, 0, 0]


async def test_a_plan_of_a_queryset(do: Any) -> None:
    await shop(do)
    plan = await do(Customer.objects.filter(orders__lines__part_of__isnull=False).distinct().delete_plan)
    assert plan.counts["plan.Line"] == 6
    assert (await do(plan.execute))[1]["plan.Customer"] == 1
    nobody = await do(Customer.objects.filter(name="Eve").delete_plan)
    assert (nobody.total, words(nobody), await do(nobody.execute)) == (0, [], (0, {}))
    assert (await do(Customer.objects.none().delete_plan)).total == 0


@pytest.mark.capability(44)
async def test_rows_that_forbid_it_are_named(do: Any) -> None:
    ann = await shop(do)
    invoices = [await do(Invoice.objects.create, customer=ann) for _ in range(7)]
    order = await do(ann.orders.first)
    await do(Refund.objects.create, order=order)
    plan = await do(ann.delete_plan)
    protected, restricted = sorted(plan.blockers, key=lambda branch: branch.action)
    assert (protected.relation, protected.count, protected.action) == ("Invoice.customer", 7, "protect")
    assert len(protected.blocking) == 5
    assert set(protected.blocking) < set(invoices)
    assert (restricted.relation, restricted.count, restricted.action) == ("Refund.order", 1, "restrict")
    with pytest.raises(ProtectedError, match=r"'Invoice\.customer'"):
        await do(plan.execute)
    with pytest.raises(RestrictedError, match=r"'Refund\.order'"):
        await do((await do(order.delete_plan)).execute)
    assert await do(Customer.objects.count) == 2


async def test_counting_stops_at_the_cap(do: Any) -> None:
    ann = await shop(do)
    plan = await do(ann.delete_plan, cap=2)
    assert [(branch.count, branch.is_capped) for branch in plan if branch.model is Line] == [(2, True), (2, True)]
    assert plan.is_capped
    assert "Line 2+  Line.order CASCADE" in str(plan)
    assert "at least 9 rows would be deleted" in str(plan)
    with pytest.raises(ValueError, match="at least 1, or None, not 0"):
        await do(ann.delete_plan, cap=0)


async def test_a_plan_that_does_not_hold_any_more_is_not_carried_out(do: Any) -> None:
    ann = await shop(do)
    plan = await do(ann.delete_plan)
    await do(Line.objects.create, order=await do(ann.orders.first))
    with pytest.raises(DeletePlanOutdated, match=r"it says 6 for Line\.order, and now there are 7"):
        await do(plan.execute)
    assert await do(Line.objects.count) == 7
    plan = await do(Customer.objects.filter(name="Ann").delete_plan)
    await do(plan.execute)
    with pytest.raises(DeletePlanOutdated, match="it says 1 for Customer, and now there are 0"):
        await do(plan.execute)


async def test_reading_sends_no_signals_and_loads_nothing(do: Any) -> None:
    ann = await shop(do)
    seen: list[Any] = []

    def receive(sender: Any, instance: Any, **named: Any) -> None:
        seen.append(instance)

    pre_delete.connect(receive, sender=Line)
    try:
        plan = await do(ann.delete_plan)
        assert seen == []
        await do(plan.execute)
        assert len(seen) == 6
    finally:
        pre_delete.disconnect(receive, sender=Line)


async def test_drawings(do: Any) -> None:
    ann = await shop(do)
    invoice = await do(Invoice.objects.create, customer=ann)
    plan = await do(ann.delete_plan)
    assert str(plan) == "\n".join(
        [
            "15 rows cannot be deleted: Invoice.customer forbids it",
            "Customer 1",
            "├─ Order 2  Order.customer CASCADE",
            "│  ├─ Order_labels 2  Order_labels.order CASCADE",
            "│  └─ Line 6  Line.order CASCADE",
            "│     ├─ Line 4  Line.part_of CASCADE",
            "│     └─ Trace 4  Trace.line DB_CASCADE",
            "├─ Order 1  Order.seller SET_NULL  stay, their key is changed",
            f"└─ Invoice 1  Invoice.customer PROTECT  protected: they forbid the delete: <Invoice {invoice.pk}>",
        ]
    )
    assert 'n0 -->|"Order.customer CASCADE"| n1["Order 2"]' in plan.to_mermaid()
    assert plan.to_svg().count("<rect") == 1 + 8
    assert repr(plan) == "<DeletePlan of Customer: blocked>"


async def test_a_row_without_a_key_has_no_plan(do: Any) -> None:
    with pytest.raises(ValueError, match="can't be deleted because its id attribute is set to None"):
        await do(Customer(name="new").delete_plan)
    with pytest.raises(TypeError, match="Cannot use 'limit' or 'offset' with delete"):
        await do(Customer.objects.all()[:2].delete_plan)


async def test_rows_that_a_condition_finds_several_times_are_counted_once(do: Any) -> None:
    ann = await shop(do)
    rows = Customer.objects.filter(pk=ann.pk, orders__pk__gt=0)
    plan = await do(rows.delete_plan)
    assert (plan.root.count, plan.counts) == (1, (await do(ann.delete_plan)).counts)
