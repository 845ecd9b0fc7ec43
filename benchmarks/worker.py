"""The process of one adapter on one database: reads commands as lines of JSON, answers with lines of JSON.

``{"do": "open", …}`` connects; ``{"do": "check", "workload": …}`` answers with a digest of the facts and the seconds;
``{"do": "time", "workload": …, "times": n}`` with seconds of CPU and of wall clock for one of ``n`` runs;
``{"do": "profile", …}`` with where they were spent.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import hashlib
import inspect
import json
import os
import pstats
import re
import sys
import time
from collections import Counter
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

from benchmarks.adapters import ADAPTERS
from benchmarks.aside import Aside
from benchmarks.data import Sizes
from benchmarks.workloads import BY_NAME

# The part of a file's path that says nothing: the folder above a package.
ABOVE = re.compile(
    rf"{re.escape(str(Path(__file__).resolve().parent.parent))}/(src/)?|.*/(site-packages|lib/python[^/]*|src)/"
)


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
        wall = time.perf_counter()
        result = self.call(workload)
        wall = time.perf_counter() - wall
        facts = [known.facts(result), self.aside.rows(known.after) if known.after else None]
        digest = hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16]
        return {"digest": digest, "wall": wall}

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

    def profile(self, workload: str, times: int) -> dict[str, Any]:
        """Shares of the time, by file and by function, with the calls of one run."""
        statements = BY_NAME[workload].before(self.sizes)
        profiler = cProfile.Profile()
        for _ in range(times):
            self.aside.run(statements)
            profiler.enable()
            self.call(workload)
            profiler.disable()
        stats: Any = pstats.Stats(profiler)
        files: Counter[str] = Counter()
        functions: list[tuple[str, float, float]] = []
        for (path, line, name), (_, calls, seconds, _, _) in stats.stats.items():
            file = "built in" if path == "~" else ABOVE.sub("", path)
            name = re.sub(" object at 0x[0-9a-f]+", "", name)
            share = seconds / stats.total_tt
            files[file] += share
            functions.append((f"{name} ({file}:{line})" if line else name, share, calls / times))
        functions.sort(key=itemgetter(1), reverse=True)
        return {
            "files": [(file, share) for file, share in files.most_common() if share >= 0.01],
            "functions": functions,
        }

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
