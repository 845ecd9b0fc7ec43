"""The process of one adapter on one database: reads commands as lines of JSON, answers with lines of JSON.

``{"do": "open", …}`` connects; ``{"do": "check", "workload": …}`` answers with a digest of the facts;
``{"do": "time", "workload": …, "times": n}`` with seconds of CPU and of wall clock for ``n`` runs.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import inspect
import json
import os
import sys
import time
from typing import Any, TextIO

from benchmarks.adapters import ADAPTERS
from benchmarks.aside import Aside
from benchmarks.data import Sizes
from benchmarks.workloads import WORKLOADS

BY_NAME = {workload.name: workload for workload in WORKLOADS}


class Worker:
    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.adapter: Any = None
        self.aside: Any = None
        self.sizes = Sizes()

    def open(self, adapter: str, url: str, sizes: dict[str, int]) -> dict[str, Any]:
        self.sizes = Sizes(**sizes)
        self.adapter = ADAPTERS[adapter].load()(self.sizes)
        self.aside = Aside(url)
        self.call("open", url)
        return {
            "versions": self.adapter.versions(),
            "workloads": [name for name in BY_NAME if hasattr(self.adapter, name)],
        }

    def check(self, workload: str) -> dict[str, Any]:
        known = BY_NAME[workload]
        self.aside.run(known.before(self.sizes))
        facts = [known.facts(self.call(workload)), self.aside.rows(known.after) if known.after else None]
        return {"digest": hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16]}

    def time(self, workload: str, times: int) -> dict[str, Any]:
        statements = BY_NAME[workload].before(self.sizes)
        spent = [0.0, 0.0]
        gc.collect()
        for _ in range(times):
            self.aside.run(statements)
            cpu, wall = time.process_time(), time.perf_counter()
            self.call(workload)
            spent[0] += time.process_time() - cpu
            spent[1] += time.perf_counter() - wall
        return {"cpu": spent[0] / times, "wall": spent[1] / times}

    def close(self) -> dict[str, Any]:
        self.call("close")
        self.aside.close()
        self.loop.close()
        return {}

    def call(self, name: str, *args: Any) -> Any:
        result = getattr(self.adapter, name)(*args)
        return self.loop.run_until_complete(result) if inspect.isawaitable(result) else result


def serve(commands: TextIO, answers: TextIO) -> None:
    worker = Worker()
    for line in commands:
        command = json.loads(line)
        answer = getattr(worker, command.pop("do"))(**command)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers)
