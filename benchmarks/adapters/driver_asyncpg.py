"""PostgreSQL through asyncpg, with its own pool: the base for many tasks at once."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from benchmarks.adapters.base import Adapter
from benchmarks.adapters.driver import READING, Reading


class Asyncpg(Adapter):
    async def open(self, url: str) -> None:  # type: ignore[override]
        self.pool = await asyncpg.create_pool(url, min_size=10, max_size=10)

    async def close(self) -> None:  # type: ignore[override]
        await self.pool.close()

    def versions(self) -> dict[str, str]:
        return {"asyncpg": asyncpg.__version__}

    async def tasks(self) -> Any:
        sql = f"{READING} WHERE id = $1"
        names: list[str] = []

        async def work(start: int) -> None:
            for step in range(16):
                async with self.pool.acquire() as connection:
                    row = await connection.fetchrow(sql, 1 + (start * 16 + step) % self.sizes.readings)
                names.append(Reading(*row).name)

        await asyncio.gather(*map(work, range(self.sizes.tasks)))
        return names


ADAPTER = Asyncpg
