"""What must not grow: memory with the number of rows, cost with the number of models and of kept queries."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from behaviour_models import Author, Tag
from budgets import calls

from crowsfoot import models
from crowsfoot.models.apps import Apps
from crowsfoot.models.attributes import install_relation
from crowsfoot.models.model import current
from crowsfoot.query import shapes

NUMBERS = {
    "sqlite": "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < {}) SELECT n FROM up",
    "postgresql": "SELECT n FROM generate_series(1, {}) AS n",
}
FEW, MANY = 4_000, 40_000


async def test_many_rows_are_read_in_flat_memory(do: Any) -> None:
    await do.sql(
        f"INSERT INTO behaviour_tag (name) SELECT 'tag ' || n FROM ({NUMBERS[do.vendor].format(MANY)}) AS numbers"
    )

    async def peak(rows: Any) -> tuple[int, int]:
        """How many rows there are, and how many bytes were taken at most at one time while they were read."""
        tracemalloc.start()
        try:
            count = 0
            async for _ in do.each(rows):
                count += 1
            return count, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await peak(do.iterator(Tag.objects.all()[:10]))
    few, with_few = await peak(do.iterator(Tag.objects.all()[:FEW]))
    many, with_many = await peak(do.iterator(Tag.objects.all()))
    kept, with_all = await peak(Tag.objects.all())
    assert (few, many, kept) == (FEW, MANY, MANY)
    assert with_many < with_few + 200_000
    assert with_all > 4 * with_many  # or the measurement sees nothing


def declare(number: int) -> list[Any]:
    """Models with four relations each to others, most of which come later."""
    made = []
    for n in range(number):
        body: dict[str, Any] = {
            "__module__": __name__,
            "Meta": type("Meta", (), {"app_label": "scale"}),
            "name": models.CharField(max_length=20),
            "links": models.ManyToManyField(f"scale.M{(n * 11 + 5) % number}", related_name=f"linked{n}"),
        }
        for key in range(3):
            target = f"scale.M{(n * 7 + key * 13 + 1) % number}"
            body[f"key{key}"] = models.ForeignKey(target, models.CASCADE, related_name=f"back{n}_{key}")
        made.append(type(f"M{n}", (models.Model,), body))
    return made


def test_linking_is_as_much_work_for_each_of_many_models(database: Any) -> None:
    each: dict[int, float] = {}
    for number in (50, 500):
        with current.use(Apps(install_relation)) as apps:
            made: list[Any] = []

            def link_and_ask(number: int = number, made: list[Any] = made) -> None:
                made += declare(number)
                for model in made[:5]:
                    assert "INNER JOIN" in str(model.objects.filter(key0__name="x").query)

            each[number] = calls(link_and_ask) / number
            assert len(apps.registry.relations) == 6 * number  # a link table has two keys
            assert not apps.registry.pending
    assert each[500] < 1.15 * each[50]


def warm(work: Callable[[], Any]) -> int:
    for _ in range(3):
        work()
    return calls(work)


def one_by_key() -> None:
    Author.objects.get(pk=Author.objects.values_list("pk", flat=True)[0])


def some() -> None:
    list(Author.objects.filter(name__startswith="a", age__gt=3).order_by("name"))


@pytest.mark.parametrize("work", [one_by_key, some], ids=lambda work: work.__name__)
def test_a_query_costs_the_same_beside_many_models(database: Any, work: Callable[[], Any]) -> None:
    Author.objects.create(name="a", age=4)
    before = warm(work)
    with current.use(Apps(install_relation)):
        list(map(str, (model.objects.all().query for model in declare(500))))
        assert warm(work) == before


@pytest.mark.parametrize("work", [one_by_key, some], ids=lambda work: work.__name__)
def test_a_query_costs_the_same_beside_many_kept_queries(database: Any, work: Callable[[], Any]) -> None:
    Author.objects.create(name="a", age=4)
    shapes.forget_all()
    before = warm(work)
    for n in range(5_000):
        Author.objects.annotate(**{f"n{n}": models.F("age")})
    assert shapes.Shape.made > 5_000
    assert warm(work) == before
