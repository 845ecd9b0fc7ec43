"""What an adapter is: a class with ``open(url)``, ``close()`` and a method for each workload that it can do."""

from __future__ import annotations

from benchmarks.data import Sizes


class Adapter:
    """A method named like a workload does it once. Where it is a coroutine function, it runs in one event loop."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes

    def open(self, url: str) -> None:
        """Connect to a filled database. What may be prepared once per process is prepared here."""
        raise NotImplementedError

    def close(self) -> None:
        """Disconnect."""

    def versions(self) -> dict[str, str]:
        """The versions of what is measured, by name."""
        return {}
