"""PostgreSQL through psycopg 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from benchmarks.adapters.driver import Driver


class Psycopg(Driver):
    mark = "%s"

    def open(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.cursor = self.connection.cursor()

    def close(self) -> None:
        self.connection.close()

    def among(self, keys: Sequence[int]) -> tuple[str, Sequence[Any]]:
        return " = ANY(%s)", (keys,)

    def versions(self) -> dict[str, str]:
        return {"psycopg": psycopg.__version__}


ADAPTER = Psycopg
