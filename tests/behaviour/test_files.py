"""File fields, on both databases, sync and async."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from behaviour_models import Document

from crowsfoot.conf import settings
from crowsfoot.errors import IntegrityError
from crowsfoot.files import ContentFile


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    with settings.override(MEDIA_ROOT=tmp_path):
        yield tmp_path


async def test_a_file_is_kept_with_its_row(do, media):
    document = await do(Document.objects.create, file=ContentFile(b"one", name="a.txt"))
    assert (media / "documents/a.txt").read_bytes() == b"one"
    document.file = ContentFile(b"two", name="b.txt")
    with do.queries(1):
        await do(document.save)
    (found,) = await do.rows(Document.objects.filter(file="documents/b.txt"))
    with found.file.open() as file:
        assert file.read() == b"two"
    found.file.delete(save=False)
    await do(found.save)
    await do(document.refresh_from_db)
    assert not document.file
    assert sorted(path.name for path in (media / "documents").iterdir()) == ["a.txt"]


async def test_a_deferred_file_is_loaded_before_it_is_touched(do):
    await do(Document.objects.create, file="a.txt")
    (document,) = await do.rows(Document.objects.defer("file"))
    with do.queries(1):
        assert await do(document.load, "file") == "a.txt"
    assert document.file.name == "a.txt"


async def test_a_unique_file_is_the_only_one_of_its_name(do):
    await do(Document.objects.create, file="a.txt")
    with pytest.raises(IntegrityError):
        await do(Document.objects.create, file="a.txt")
