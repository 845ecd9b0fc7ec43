"""Composite keys, and foreign keys to them, from models to tables and back again."""

from __future__ import annotations

import pytest
from migration_project import Project

KEYS = """
class Tenant(models.Model):
    name = models.CharField(max_length=20)


class Product(models.Model):
    pk = models.CompositePrimaryKey("tenant", "no")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    no = models.IntegerField()
"""
ORDERS = (
    KEYS
    + """
class Order(models.Model):
    pk = models.CompositePrimaryKey("tenant_id", "number")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    number = models.IntegerField()
    product = models.ForeignKey(
        Product, on_delete=models.SET_NULL("product_no"), null=True, columns=("tenant", "product_no")
    )
    others = models.ManyToManyField(Product, related_name="+")


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE)
"""
)
RENAMED = (
    ORDERS.replace("tenant = models", "owner = models")
    .replace('"tenant"', '"owner"')
    .replace('"tenant_id"', '"owner_id"')
    .replace("order = models", "purchase = models")
)
RING = """
class Tenant(models.Model):
    name = models.CharField(max_length=20)


class Team(models.Model):
    pk = models.CompositePrimaryKey("tenant", "no")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    no = models.IntegerField()
    captain = models.ForeignKey(
        "Player", on_delete=models.SET_NULL, null=True, columns=("tenant", "captain_no"), related_name="+"
    )


class Player(models.Model):
    pk = models.CompositePrimaryKey("tenant", "no")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    no = models.IntegerField()
    team = models.ForeignKey(Team, on_delete=models.CASCADE, columns=("tenant", "team_no"))
"""


def fill(project: Project) -> None:
    tenant = project.model("Tenant").objects.create(name="one")
    product = project.model("Product").objects.create(tenant=tenant, no=1)
    order = project.model("Order").objects.create(tenant=tenant, number=7, product=product)
    order.others.add(product)
    project.model("Line").objects.create(order=order)


def migrated(project: Project, source: str, **answers: bool) -> list[str]:
    """What ran for these models, after which nothing is left to do."""
    project.write(source)
    project.make(**answers)
    done = project.migrate()
    assert project.make() == []
    return done


@pytest.mark.capability(122)
def test_models_are_added_and_everything_is_taken_back(project: Project) -> None:
    assert migrated(project, KEYS) == ["blog.0001_initial"]
    assert len(migrated(project, ORDERS)) == 1
    fill(project)
    assert project.rows("SELECT order_tenant_id, order_number FROM blog_line") == [(1, 7)]
    assert project.rows("SELECT product_tenant_id, product_no FROM blog_order_others") == [(1, 1)]
    project.model("Product").objects.all().delete()
    assert project.rows("SELECT tenant_id, number, product_no FROM blog_order") == [(1, 7, None)]
    project.migrate("blog", "zero")
    assert project.tables() == set()


def test_a_key_is_added_to_a_table_with_rows_and_removed(project: Project) -> None:
    migrated(project, ORDERS)
    fill(project)
    migrated(project, ORDERS + "    product = models.ForeignKey(Product, models.SET_NULL, null=True)\n")
    assert project.rows("SELECT order_number, product_tenant_id, product_no FROM blog_line") == [(7, None, None)]
    line = project.model("Line").objects.get()
    line.product = line.order.product
    line.save()
    assert project.rows("SELECT product_tenant_id, product_no FROM blog_line") == [(1, 1)]
    migrated(project, ORDERS)
    assert project.model("Line").objects.get().order.pk == (1, 7)


def test_renaming_a_part_renames_the_columns_that_are_called_after_it(project: Project) -> None:
    migrated(project, ORDERS)
    fill(project)
    migrated(project, RENAMED, ask_rename=True)
    assert project.rows("SELECT purchase_owner_id, purchase_number FROM blog_line") == [(1, 7)]
    assert project.model("Line").objects.get().purchase.product.pk == (1, 1)
    project.migrate("blog", "0001")
    assert project.rows("SELECT order_tenant_id, order_number FROM blog_line") == [(1, 7)]


def test_rings_of_composite_keys(project: Project) -> None:
    migrated(project, RING)
    tenant = project.model("Tenant").objects.create(name="one")
    team = project.model("Team").objects.create(tenant=tenant, no=1)
    team.captain = project.model("Player").objects.create(tenant=tenant, no=5, team=team)
    team.save()
    assert project.model("Team").objects.get(captain__no=5).captain.team == team
    assert team.delete() == (2, {"blog.Player": 1, "blog.Team": 1})
    project.migrate("blog", "zero")
    assert project.tables() == set()


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (("tenant_id", "numbr"), "Did you mean 'number'"),
        (("tenant", "tenant_id"), "are the same fields"),
        (("tenant", "note"), "'note' field may not set 'null=True'"),
    ],
)
def test_wrong_parts_are_named(written: Project, broken: tuple[str, str], sentence: str) -> None:
    source = KEYS.replace('"tenant", "no"', f'"{broken[0]}", "{broken[1]}"').replace("    no =", "    number =")
    written.write(source + "    note = models.TextField(null=True)\n")
    problems = " ".join(written.model("Product")._meta.problems())
    assert sentence in problems


def test_a_rule_that_empties_what_may_not_be_null_is_refused(written: Project) -> None:
    written.write(KEYS + "    twin = models.ForeignKey('self', models.SET_NULL, null=True, columns=('tenant', 'no'))\n")
    problems = " ".join(written.model("Product")._meta.apps.registry.problems())
    assert "its column 'tenant_id' may not be NULL" in problems


def test_a_key_needs_a_name_for_each_column(written: Project) -> None:
    written.write(ORDERS.replace('columns=("tenant", "product_no")', 'columns=("product_no",)'))
    problems = " ".join(written.model("Order")._meta.apps.registry.problems())
    assert "has 1 columns, but the key of blog.Product has 2: name one for each of tenant_id, no" in problems


def test_a_table_with_a_composite_key_is_not_inherited(written: Project) -> None:
    written.write(KEYS + "\n\nclass Book(Product):\n    pages = models.IntegerField()\n")
    problems = " ".join(written.model("Product")._meta.apps.registry.problems())
    assert "blog.Book cannot inherit the table of blog.Product, whose key is composite" in problems
