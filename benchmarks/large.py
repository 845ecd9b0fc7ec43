"""One measurement of ``benchmarks.scale``, in a process of its own: what it took, as JSON.

``python large.py JOB [URL] [NUMBER]``. Nothing is imported before the job begins, so that ``bare`` is the interpreter.
"""

from __future__ import annotations

import sys
import time
from typing import Any

NUMBERS = {
    "sqlite": "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < {}) SELECT n FROM up",
    "postgresql": "SELECT n FROM generate_series(1, {}) AS n",
}


def bare(url: str, number: int) -> int:
    return 0


def imported(url: str, number: int) -> int:
    """The models, and a SQLite database that is connected and asked."""
    import crowsfoot
    from crowsfoot import models

    class Author(models.Model):
        name = models.CharField(max_length=20)

        class Meta:
            app_label = "large"

    return len(crowsfoot.connect("sqlite://:memory:").session.connection.query("SELECT 1", ()).rows)


def fill(url: str, number: int) -> int:
    model = _rows(url)
    import crowsfoot
    from crowsfoot.database import databases

    crowsfoot.create_tables(model)
    connection = databases["default"].session.connection
    numbers = NUMBERS[databases["default"].vendor].format(number)
    return int(
        connection.execute(f"INSERT INTO large_row (name, place) SELECT 'row ' || n, n FROM ({numbers}) AS numbers")
    )


def iterator(url: str, number: int) -> int:
    return sum(1 for _ in _rows(url).objects.iterator())


def aiterator(url: str, number: int) -> int:
    import asyncio

    from crowsfoot.database import databases

    model = _rows(url)

    async def count() -> int:
        found = 0
        async for _ in model.objects.aiterator():
            found += 1
        await databases["default"].aclose()
        return found

    return asyncio.run(count())


def everything(url: str, number: int) -> int:
    return len(list(_rows(url).objects.all()))


def graph(url: str, number: int) -> int:
    """Declare models with four relations each, link them and ask one."""
    import crowsfoot
    from crowsfoot import models

    global began
    began = time.process_time()
    crowsfoot.connect("sqlite://:memory:")
    made: list[Any] = []
    for n in range(number):
        body: dict[str, Any] = {
            "__module__": __name__,
            "Meta": type("Meta", (), {"app_label": "large"}),
            "name": models.CharField(max_length=20),
            "links": models.ManyToManyField(f"large.M{(n * 11 + 5) % number}", related_name=f"linked{n}"),
        }
        for key in range(3):
            target = f"large.M{(n * 7 + key * 13 + 1) % number}"
            body[f"key{key}"] = models.ForeignKey(target, models.CASCADE, related_name=f"back{n}_{key}")
        made.append(type(f"M{n}", (models.Model,), body))
    assert "INNER JOIN" in str(made[0].objects.filter(key0__name="x").query)
    return len(made)


def _rows(url: str) -> Any:
    import crowsfoot
    from crowsfoot import models

    class Row(models.Model):
        name = models.CharField(max_length=20)
        place = models.IntegerField()

        class Meta:
            app_label = "large"

    crowsfoot.connect(url)
    return Row


def peak() -> float:
    """The most memory that this process has had, in MB."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
    except FileNotFoundError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    began = 0.0 if sys.argv[1] in ("bare", "imported") else time.process_time()
    done = globals()[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
    taken = time.process_time() - began
    print(f'{{"done": {done}, "seconds": {taken}, "peak": {peak()}}}')
