"""Files that came over the network: as a web framework hands them over, and as tests make them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any

from crowsfoot.conf import settings
from crowsfoot.files.base import File
from crowsfoot.files.utils import validate_file_name

LONGEST_NAME = 255


class UploadedFile(File):
    """A file with what its sender said of it. Of its name only the last part is kept, cut to what a disk takes."""

    def __init__(
        self,
        file: Any = None,
        name: str | None = None,
        content_type: str | None = None,
        size: int | None = None,
        charset: str | None = None,
        content_type_extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(file, name)
        if size is not None:
            self.size = size
        self.content_type = content_type
        self.charset = charset
        self.content_type_extra = content_type_extra

    @property
    def name(self) -> str | None:
        return self._name

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None:
            name = os.path.basename(name)
            if len(name) > LONGEST_NAME:
                stem, ending = os.path.splitext(name)
                ending = ending[:LONGEST_NAME]
                name = stem[: LONGEST_NAME - len(ending)] + ending
            name = validate_file_name(name)
        self._name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name} ({self.content_type})>"


class TemporaryUploadedFile(UploadedFile):
    """An upload that is on disk already; a local storage moves it where it belongs."""

    def __init__(
        self,
        name: str,
        content_type: str | None,
        size: int | None,
        charset: str | None,
        content_type_extra: Mapping[str, Any] | None = None,
    ) -> None:
        ending = f".upload{os.path.splitext(name)[1]}"
        file = tempfile.NamedTemporaryFile(suffix=ending, dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115
        super().__init__(file, name, content_type, size, charset, content_type_extra)

    def temporary_file_path(self) -> str:
        """Where it is."""
        return str(self.file.name)

    def close(self) -> None:
        with suppress(FileNotFoundError):  # it was moved, so there is nothing left to remove
            self.file.close()


class InMemoryUploadedFile(UploadedFile):
    """An upload that is small enough to stay in memory. ``field_name`` is the form's."""

    def __init__(
        self,
        file: Any,
        field_name: str | None,
        name: str | None,
        content_type: str | None,
        size: int | None,
        charset: str | None,
        content_type_extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(file, name, content_type, size, charset, content_type_extra)
        self.field_name = field_name

    def multiple_chunks(self, chunk_size: int | None = None) -> bool:
        return False


class SimpleUploadedFile(InMemoryUploadedFile):
    """An upload of these bytes, for tests."""

    def __init__(self, name: str, content: bytes, content_type: str = "text/plain") -> None:
        super().__init__(BytesIO(content or b""), None, name, content_type, len(content), None)
