"""`File`: what Python reads as a file, with a name and a size; `ContentFile`: one that is made of its content."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar, Final, Self

_LINES: Final[dict[type, Any]] = {
    bytes: re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+"),
    str: re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+"),
}


def _of_the_file(name: str) -> Any:
    """An attribute that is the underlying file's."""
    return property(lambda self: getattr(self.file, name))


class File:
    """A file object of Python with a ``name`` (its own unless another is given), a ``size`` and ``chunks()``.

    It reads and writes as the file does, and is a context manager that closes it.
    """

    DEFAULT_CHUNK_SIZE: ClassVar[int] = 64 * 1024

    file: Any
    name: str | None
    mode: str

    read = _of_the_file("read")
    readinto = _of_the_file("readinto")
    readline = _of_the_file("readline")
    readlines = _of_the_file("readlines")
    write = _of_the_file("write")
    writelines = _of_the_file("writelines")
    truncate = _of_the_file("truncate")
    seek = _of_the_file("seek")
    tell = _of_the_file("tell")
    flush = _of_the_file("flush")
    fileno = _of_the_file("fileno")
    isatty = _of_the_file("isatty")
    newlines = _of_the_file("newlines")
    encoding = _of_the_file("encoding")

    def __init__(self, file: Any, name: str | None = None) -> None:
        self.file = file
        self.name = getattr(file, "name", None) if name is None else name
        if hasattr(file, "mode"):
            self.mode = file.mode

    @property
    def size(self) -> int:
        """The number of bytes (of characters, in text that is in memory). Raises ``AttributeError`` where unknown."""
        known: int | None = self.__dict__.get("_size")
        if known is None:
            known = self.__dict__["_size"] = self._measure()
        return known

    @size.setter
    def size(self, value: int) -> None:
        self.__dict__["_size"] = value

    def _measure(self) -> int:
        file = self.file
        if hasattr(file, "size"):
            return int(file.size)
        try:
            return os.path.getsize(file.name)
        except (AttributeError, OSError, TypeError):
            pass
        if hasattr(file, "tell") and hasattr(file, "seek"):
            here = file.tell()
            file.seek(0, os.SEEK_END)
            end = int(file.tell())
            file.seek(here)
            return end
        raise AttributeError("Unable to determine the file's size.")

    @property
    def closed(self) -> bool:
        return not self.file or bool(self.file.closed)

    def readable(self) -> bool:
        return self._can("readable", "r+")

    def writable(self) -> bool:
        return self._can("writable", "wax+")

    def seekable(self) -> bool:
        return self._can("seekable", "rwax+")

    def _can(self, what: str, modes: str) -> bool:
        """What the file says of itself; where it says nothing, what its mode says."""
        if self.closed:
            return False
        if hasattr(self.file, what):
            return bool(getattr(self.file, what)())
        return any(letter in getattr(self.file, "mode", modes) for letter in modes)

    def chunks(self, chunk_size: int | None = None) -> Iterator[Any]:
        """The content from its beginning, in parts of ``chunk_size``."""
        with suppress(AttributeError, io.UnsupportedOperation):
            self.seek(0)
        while part := self.read(chunk_size or self.DEFAULT_CHUNK_SIZE):
            yield part

    def multiple_chunks(self, chunk_size: int | None = None) -> bool:
        """Whether ``chunks()`` gives more than one part."""
        return self.size > (chunk_size or self.DEFAULT_CHUNK_SIZE)

    def __iter__(self) -> Iterator[Any]:
        """The lines, each with its end, whichever of the three it is."""
        rest: Any = None
        for part in self.chunks():
            text = part if rest is None else rest + part
            *lines, rest = _LINES[type(text)].findall(text)  # the last one may go on in the next part
            yield from lines
        if rest:
            yield rest

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> Self:
        """Go back to the beginning, or open the file again where it was closed. Raises ``ValueError`` if it is gone."""
        if not self.closed:
            self.seek(0)
        elif self.name and os.path.exists(self.name):
            self.file = open(self.name, mode or self.mode, *args, **kwargs)  # noqa: SIM115
        else:
            raise ValueError("The file cannot be reopened.")
        return self

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return self.size

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return self.name or ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name or 'None'}>"


class ContentFile(File):
    """A file whose content is ``content``, a string or bytes, and which never was on a disk."""

    def __init__(self, content: str | bytes, name: str | None = None) -> None:
        super().__init__(io.StringIO(content) if isinstance(content, str) else io.BytesIO(content), name)
        self.size = len(content)

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> Self:
        self.seek(0)
        return self

    def close(self) -> None:
        """Nothing: what is closed here could not be opened again."""

    def write(self, data: Any) -> int:
        self.__dict__.pop("_size", None)
        return int(self.file.write(data))

    def __str__(self) -> str:
        return "Raw content"
