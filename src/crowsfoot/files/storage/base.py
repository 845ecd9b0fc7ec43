"""`Storage`: what every place for files does, and what a class for another place has to say."""

from __future__ import annotations

import os
import posixpath
import secrets
import string
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from crowsfoot.errors import SuspiciousFileOperation
from crowsfoot.files.base import File
from crowsfoot.files.utils import get_valid_filename, refuse_traversal, validate_file_name

_LETTERS = string.ascii_letters + string.digits


class Storage:
    """A place for files, which are known by names with forward slashes: ``"photos/2026/asha.png"``.

    A storage of your own gives ``_open(name, mode)``, ``_save(name, content)`` (which returns the name in the end),
    ``delete``, ``exists``, ``listdir``, ``size`` and ``url``, and ``path`` where files are on this machine. All of it
    is ordinary, blocking I/O.
    """

    # -- what users call -----------------------------------------------------------------------------------------------

    def open(self, name: str, mode: str = "rb") -> File:
        """The file of that name, opened. Raises ``FileNotFoundError`` where there is none."""
        return self._open(name, mode)

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """Keep the content of a file, and return the name that it has now: another one where ``name`` is taken.

        ``content`` is a ``File`` or any file of Python's, read from its beginning. Raises ``SuspiciousFileOperation``
        for a name that leads out of the storage, and where no name of at most ``max_length`` characters is free.
        """
        if not hasattr(content, "chunks"):
            content = File(content, name)
        # Twice more, since a storage of a user's own may answer whatever it likes.
        found = validate_file_name(content.name if name is None else name, allow_relative_path=True)
        found = validate_file_name(self.get_available_name(found, max_length=max_length), allow_relative_path=True)
        return str(validate_file_name(self._save(found, content), allow_relative_path=True))

    # -- names ---------------------------------------------------------------------------------------------------------

    def get_valid_name(self, name: str) -> str:
        """A name of a file that this storage can have, made from ``name``."""
        return get_valid_filename(name)

    def generate_filename(self, filename: Any) -> str:
        """The path that ``save`` is given: its last part made valid. Raises ``SuspiciousFileOperation``."""
        folder, name = posixpath.split(str(filename).replace("\\", "/"))
        refuse_traversal(folder)
        return posixpath.normpath(posixpath.join(folder, self.get_valid_name(name)))

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        return not (max_length and len(name) > max_length) and not self.exists(name)

    def get_alternative_name(self, file_root: str, file_ext: str) -> str:
        """Another name for a file: ``asha_k3F9dZq.png`` for ``asha.png``."""
        return f"{file_root}_{''.join(secrets.choice(_LETTERS) for _ in range(7))}{file_ext}"

    def get_available_name(self, name: Any, max_length: int | None = None) -> str:
        """``name``, or one like it that is free and has at most ``max_length`` characters.

        Raises ``SuspiciousFileOperation`` where nothing of the name would be left, and for a path that climbs.
        """
        name = str(name).replace("\\", "/")
        folder, stem, ending = split_name(name)
        refuse_traversal(folder)
        validate_file_name(stem + ending)
        while not self.is_name_available(name, max_length=max_length):
            name = posixpath.join(folder, self.get_alternative_name(stem, ending))
            excess = len(name) - max_length if max_length else 0
            if excess > 0:
                stem = stem[:-excess]
                if not stem:
                    raise SuspiciousFileOperation(
                        f'Storage can not find an available filename for "{name}". Please make sure that the '
                        'corresponding file field allows sufficient "max_length".'
                    )
                name = posixpath.join(folder, self.get_alternative_name(stem, ending))
        return name

    # -- what a storage has to give ------------------------------------------------------------------------------------

    def _open(self, name: str, mode: str = "rb") -> File:
        raise self._missing("_open()")

    def _save(self, name: str, content: File) -> str:
        raise self._missing("_save()")

    def path(self, name: str) -> str:
        """Where the file is on this machine, for Python's own ``open``; only a local storage knows."""
        raise NotImplementedError("This backend doesn't support absolute paths.")

    def delete(self, name: str) -> None:
        """Remove a file; nothing where there is none."""
        raise self._missing("a delete() method")

    def exists(self, name: str) -> bool:
        """Whether the name is taken."""
        raise self._missing("an exists() method")

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """The names of the folders, and of the files, in a folder."""
        raise self._missing("a listdir() method")

    def size(self, name: str) -> int:
        """How many bytes a file has."""
        raise self._missing("a size() method")

    def url(self, name: str | None) -> str:
        """The address at which a browser finds the file."""
        raise self._missing("a url() method")

    def get_accessed_time(self, name: str) -> datetime:
        """When the file was last read; aware with ``USE_TZ``. So for the two that follow."""
        raise self._missing("a get_accessed_time() method")

    def get_created_time(self, name: str) -> datetime:
        raise self._missing("a get_created_time() method")

    def get_modified_time(self, name: str) -> datetime:
        raise self._missing("a get_modified_time() method")

    def _missing(self, what: str) -> NotImplementedError:
        return NotImplementedError(f"subclasses of Storage must provide {what}; {type(self).__name__} has none.")


def split_name(name: str) -> tuple[str, str, str]:
    """The folder of a name, its stem, and all its endings: ``("a", "b", ".tar.gz")``."""
    folder, last = posixpath.split(name)
    ending = "".join(PurePosixPath(last).suffixes)
    return folder, last.removesuffix(ending), ending


def safe_join(base: str | os.PathLike[str], name: str) -> str:
    """The absolute path of ``name`` below ``base``. Raises ``SuspiciousFileOperation`` for one that is not below it."""
    root = os.path.abspath(base)
    path = os.path.abspath(os.path.join(root, name))
    below = os.path.normcase(os.path.join(root, ""))
    if path != root and not os.path.normcase(path).startswith(below):
        raise SuspiciousFileOperation(
            f"The joined path ({path}) is located outside of the base path component ({root})"
        )
    return path
