"""`FileSystemStorage`: files in a folder of this machine."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from crowsfoot.conf import settings
from crowsfoot.files.base import File
from crowsfoot.files.storage.base import Storage, safe_join, split_name


class FileSystemStorage(Storage):
    """Files below the folder ``location``, shown at ``base_url``; by default those of MEDIA_ROOT and MEDIA_URL.

    What is not given follows the settings, whenever they change. The modes are those of ``chmod``. A name that is
    taken is never written over, unless ``allow_overwrite``. Raises ``SuspiciousFileOperation`` for a name that leads
    out of the folder.
    """

    def __init__(
        self,
        location: str | os.PathLike[str] | None = None,
        base_url: str | None = None,
        file_permissions_mode: int | None = None,
        directory_permissions_mode: int | None = None,
        allow_overwrite: bool = False,
    ) -> None:
        self._given: dict[str, Any] = {
            "location": location,
            "base_url": base_url,
            "file_permissions_mode": file_permissions_mode,
            "directory_permissions_mode": directory_permissions_mode,
            "allow_overwrite": allow_overwrite,
        }

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Where the class is imported from and how to make this storage again, for migrations."""
        cls = type(self)
        path = f"{cls.__module__}.{cls.__qualname__}"
        if cls is FileSystemStorage:
            path = "django.core.files.storage.FileSystemStorage"
        return path, (), {name: value for name, value in self._given.items() if value not in (None, False)}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FileSystemStorage):
            return NotImplemented
        return type(self) is type(other) and self._given == other._given

    def __hash__(self) -> int:
        return hash((type(self), str(self._given["location"]), self._given["base_url"]))

    def _value(self, name: str, setting: str) -> Any:
        given = self._given[name]
        return getattr(settings, setting) if given is None else given

    @property
    def base_location(self) -> str | os.PathLike[str]:
        return self._value("location", "MEDIA_ROOT")

    @property
    def location(self) -> str:
        """The folder, as an absolute path."""
        return os.path.abspath(self.base_location)

    @property
    def base_url(self) -> str | None:
        """What the addresses of the files begin with; None where they have none."""
        url: str | None = self._value("base_url", "MEDIA_URL")
        if url is None:
            return None
        url = url if url.endswith("/") else f"{url}/"
        return url if url.startswith("/") or urlsplit(url).scheme else f"/{url}"

    @property
    def file_permissions_mode(self) -> int | None:
        return self._value("file_permissions_mode", "FILE_UPLOAD_PERMISSIONS")

    @property
    def directory_permissions_mode(self) -> int | None:
        return self._value("directory_permissions_mode", "FILE_UPLOAD_DIRECTORY_PERMISSIONS")

    # -- reading -------------------------------------------------------------------------------------------------------

    def _open(self, name: str, mode: str = "rb") -> File:
        return File(open(self.path(name), mode))

    def path(self, name: str) -> str:
        return safe_join(self.location, name)

    def exists(self, name: str) -> bool:
        return os.path.lexists(self.path(name))

    def size(self, name: str) -> int:
        return os.path.getsize(self.path(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        folders: list[str] = []
        files: list[str] = []
        with os.scandir(self.path(path)) as entries:
            for entry in entries:
                (folders if entry.is_dir() else files).append(entry.name)
        return folders, files

    def url(self, name: str | None) -> str:
        base = self.base_url
        if base is None:
            raise ValueError("This file is not accessible via a URL. Set MEDIA_URL, or the storage's base_url.")
        return urljoin(base, quote((name or "").replace("\\", "/"), safe="/~!*()'").lstrip("/"))

    def get_accessed_time(self, name: str) -> datetime:
        return _time(os.path.getatime(self.path(name)))

    def get_created_time(self, name: str) -> datetime:
        return _time(os.path.getctime(self.path(name)))

    def get_modified_time(self, name: str) -> datetime:
        return _time(os.path.getmtime(self.path(name)))

    # -- writing -------------------------------------------------------------------------------------------------------

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        if self._given["allow_overwrite"]:
            return not (max_length and len(name) > max_length)
        return super().is_name_available(name, max_length=max_length)

    def get_alternative_name(self, file_root: str, file_ext: str) -> str:
        if self._given["allow_overwrite"]:
            return f"{file_root}{file_ext}"
        return super().get_alternative_name(file_root, file_ext)

    def _save(self, name: str, content: File) -> str:
        while True:
            path = self.path(name)
            self._make_folders(os.path.dirname(path))
            try:
                self._write(path, content)
                break
            except FileExistsError:  # someone took the name after we had found it free
                folder, stem, ending = split_name(name)
                name = self.get_available_name(posixpath.join(folder, self.get_alternative_name(stem, ending)))
        if self.file_permissions_mode is not None:
            os.chmod(path, self.file_permissions_mode)
        return os.path.relpath(path, self.location).replace("\\", "/")

    def _make_folders(self, folder: str) -> None:
        missing: list[str] = []
        while not os.path.isdir(folder):
            if os.path.lexists(folder):
                raise NotADirectoryError(f"{folder} exists and is not a directory.")
            missing.append(folder)
            folder = os.path.dirname(folder)
        for path in reversed(missing):
            os.makedirs(path, exist_ok=True)
            if self.directory_permissions_mode is not None:
                os.chmod(path, self.directory_permissions_mode)

    def _write(self, path: str, content: File) -> None:
        """Write a file that must not be there yet; raises ``FileExistsError`` where it is."""
        overwrite = self._given["allow_overwrite"]
        source = getattr(content, "temporary_file_path", None)
        if source is not None and _move(source(), path, overwrite):
            return
        parts = content.chunks()
        first = next(parts, b"")
        text = isinstance(first, str)
        with _created(path, overwrite, text) as file:
            file.write(first)
            for part in parts:
                file.write(part)
        if source is not None:
            os.unlink(source())

    def delete(self, name: str) -> None:
        if not name:
            raise ValueError("The name must be given to delete().")
        path = self.path(name)
        with suppress(FileNotFoundError):
            (os.rmdir if os.path.isdir(path) else os.remove)(path)


def _time(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, tz=UTC if settings.USE_TZ else None)


@contextmanager
def _created(path: str, overwrite: bool, text: bool) -> Generator[Any]:
    """A file to write to, which is removed again where that fails half-way."""
    mode = "w" if overwrite else "x"
    options: dict[str, Any] = {"encoding": "utf-8", "newline": ""} if text else {}
    with open(path, mode if text else f"{mode}b", **options) as file:
        try:
            yield file
        except BaseException:
            os.unlink(path)
            raise


def _move(source: str, target: str, overwrite: bool) -> bool:
    """Move a file without copying it; False where that is not possible, as from one disk to another."""
    try:
        if overwrite:
            os.replace(source, target)
        else:
            os.link(source, target)  # unlike a rename, this never takes another file's place
            os.unlink(source)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True
