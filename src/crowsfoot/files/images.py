"""Images: files that know how wide and how high they are. Pillow reads that, where it is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from crowsfoot.errors import ImproperlyConfigured
from crowsfoot.files.base import File

REMEDY = 'Install it: python -m pip install Pillow, or "crowsfoot[images]".'


def has_pillow() -> bool:
    """Whether Pillow is installed."""
    return find_spec("PIL") is not None


def pillow(module: str) -> Any:
    """A module of Pillow, loaded when the first image is read. Raises ``ImproperlyConfigured`` where it is missing."""
    try:
        return import_module(f"PIL.{module}")
    except ModuleNotFoundError as error:
        raise ImproperlyConfigured(f"Images cannot be read because Pillow is not installed. {REMEDY}") from error


class ImageFile(File):
    """A file that holds an image; ``width`` and ``height`` are None where it holds something else.

    The first of them that is asked for reads the beginning of the file.
    """

    @property
    def width(self) -> int | None:
        return self._dimensions()[0]

    @property
    def height(self) -> int | None:
        return self._dimensions()[1]

    def _dimensions(self) -> tuple[int | None, int | None]:
        found: tuple[int | None, int | None] | None = self.__dict__.get("_size_of_image")
        if found is None:
            was_closed = self.closed
            self.open()
            found = self.__dict__["_size_of_image"] = get_image_dimensions(self, close=was_closed)
        return found


def get_image_dimensions(file_or_path: Any, close: bool = False) -> tuple[int | None, int | None]:
    """``(width, height)`` of an image, given as an open file or by its path; ``(None, None)`` for what is no image.

    An open file is left where it was, or closed with ``close``. Raises ``ImproperlyConfigured`` without Pillow.
    """
    image = pillow("Image")
    if not hasattr(file_or_path, "read"):
        try:
            with open(file_or_path, "rb") as file:
                return get_image_dimensions(file)
        except OSError:
            return None, None
    here = file_or_path.tell()
    try:
        file_or_path.seek(0)
        width, height = image.open(file_or_path).size
        return width, height
    except OSError:  # of which Pillow's "cannot identify image file" is one
        return None, None
    finally:
        if close:
            file_or_path.close()
        else:
            file_or_path.seek(here)
