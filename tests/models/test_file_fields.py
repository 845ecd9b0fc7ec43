"""`FileField`, `ImageField` and `FilePathField`: what an instance holds, what is kept where, and what is refused."""

from __future__ import annotations

import copy
import datetime
import io
import pickle
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crowsfoot
from crowsfoot import models
from crowsfoot.conf import settings
from crowsfoot.database import databases
from crowsfoot.errors import FieldError, ModelError, SuspiciousFileOperation
from crowsfoot.files import ContentFile, File, images
from crowsfoot.files.storage import FileSystemStorage, Storage, default_storage
from crowsfoot.migrations.serializer import Serializer
from crowsfoot.models.fields.files import FieldFile
from crowsfoot.testing import assert_num_queries


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Four pixels wide and two high, in grey.
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 2, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0" * 10))
    + chunk(b"IEND", b"")
)


def by_owner(instance: Any, filename: str) -> str:
    return f"{instance.owner}/{filename}"


class Paper(models.Model):
    owner = models.CharField(max_length=20, default="asha")
    scan = models.FileField(upload_to="scans/%Y")
    copy = models.FileField(upload_to=by_owner, blank=True, null=True)

    class Meta:
        app_label = "filing"


class Stamped(models.Model):
    stamp = models.FileField(db_default="standard.txt")

    class Meta:
        app_label = "filing"


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    """A folder for files, and tables for their names."""
    before = databases.pop("default", None)
    crowsfoot.connect("sqlite://:memory:")
    crowsfoot.create_tables(Paper, Stamped)
    with settings.override(MEDIA_ROOT=tmp_path, MEDIA_URL="/media/"):
        yield tmp_path
    databases.pop("default").close()
    if before is not None:
        databases["default"] = before


def year() -> int:
    return datetime.datetime.now().year


def test_a_file_is_kept_when_its_instance_is_saved(media: Path) -> None:
    paper = Paper(scan=ContentFile(b"text", name="my scan.txt"), copy=ContentFile("copy", name="c.txt"))
    assert list(media.iterdir()) == []
    paper.save()
    assert (paper.scan.name, paper.copy.name) == (f"scans/{year()}/my_scan.txt", "asha/c.txt")
    assert (media / "asha/c.txt").read_text() == "copy"
    assert paper.scan.path == str(media / paper.scan.name)
    assert (paper.scan.url, paper.scan.size) == (f"/media/scans/{year()}/my_scan.txt", 4)
    again = Paper.objects.get()
    assert again.scan == paper.scan == f"scans/{year()}/my_scan.txt"
    with again.scan.open() as file:
        assert file.read() == b"text"
    assert again.scan.closed
    paper.save()  # and a second time there is nothing to keep
    assert Paper.objects.get().scan == again.scan


def test_a_name_can_be_given_where_the_file_is_there_already(media: Path) -> None:
    (media / "here.txt").write_bytes(b"old")
    paper = Paper.objects.create(scan="here.txt")
    with paper.scan as file:
        assert file.read() == b"old"
    assert [row["scan"] for row in Paper.objects.values("scan")] == ["here.txt"]
    assert Paper.objects.filter(Paper.scan.startswith("here")).get() == paper
    assert Paper.objects.get(scan=paper.scan) == paper


def test_save_and_delete_of_a_file_save_the_instance(media: Path) -> None:
    paper = Paper.objects.create(scan="")
    with assert_num_queries(1):
        paper.scan.save("a.txt", io.BytesIO(b"a"))
    first = Path(paper.scan.path)
    assert first.read_bytes() == b"a"
    with assert_num_queries(0):
        paper.scan.save("a.txt", ContentFile(b"b"), save=False)
    assert paper.scan.name != f"scans/{year()}/a.txt"
    assert Paper.objects.get().scan.name == f"scans/{year()}/a.txt"
    paper.save()
    path = Path(paper.scan.path)
    with assert_num_queries(1):
        paper.scan.delete()
    assert not path.exists()
    assert first.exists()
    assert not paper.scan
    assert Paper.objects.get().scan.name == ""
    with assert_num_queries(0):
        paper.scan.delete()


def test_without_a_file_there_is_nothing_to_ask(media: Path) -> None:
    paper = Paper.objects.create(scan="")
    assert isinstance(paper.scan, FieldFile)
    assert (bool(paper.copy), paper.copy.name, str(paper.copy)) == (False, None, "")
    for name in ("file", "path", "url", "size"):
        with pytest.raises(ValueError, match="The 'copy' attribute has no file associated with it"):
            getattr(paper.copy, name)
    with pytest.raises(ValueError, match="no file"):
        paper.copy.open()


def test_a_file_without_a_name_is_refused(media: Path) -> None:
    with pytest.raises(FieldError, match="File for scan must have the name attribute") as caught:
        Paper(scan=ContentFile(b"")).save()
    assert caught.value.__notes__ == ["Pass a 'name' argument to ContentFile."]


def test_a_name_that_leads_out_of_the_folder_is_refused_before_any_query(media: Path) -> None:
    for name in ("/etc/passwd", "../../secret", "a/../../b"):
        with assert_num_queries(0), pytest.raises(SuspiciousFileOperation):
            Paper(scan=ContentFile(b"", name=name)).save()
    with assert_num_queries(0), pytest.raises(SuspiciousFileOperation):
        Paper(owner="..", scan="a", copy=ContentFile(b"", name="a.txt")).save()


def test_names_are_cut_to_what_the_column_takes(media: Path) -> None:
    paper = Paper.objects.create(scan=ContentFile(b"", name=f"{'x' * 200}.txt"))
    assert len(str(paper.scan.name)) == 100
    assert str(paper.scan.name).endswith(".txt")


def test_a_deferred_file_is_loaded_for_all(media: Path) -> None:
    for number in range(3):
        Paper.objects.create(scan=f"{number}.txt")
    papers = list(Paper.objects.defer("scan").order_by("pk"))
    with assert_num_queries(1):
        assert [paper.scan.name for paper in papers] == ["0.txt", "1.txt", "2.txt"]
    assert papers[0].scan.instance is papers[0]


def test_a_refreshed_or_copied_file_is_its_instances(media: Path) -> None:
    paper = Paper.objects.create(scan="a.txt")
    Paper.objects.update(scan="b.txt")
    assert paper.scan.name == "a.txt"
    paper.refresh_from_db()
    assert paper.scan.name == "b.txt"
    assert paper.scan.instance is paper
    other = copy.copy(paper)
    assert other.scan.instance is other


def test_files_are_pickled_without_their_content(media: Path) -> None:
    paper = Paper.objects.create(scan=ContentFile(b"text", name="a.txt"))
    with paper.scan as file:
        assert file.read() == b"text"
    again = pickle.loads(pickle.dumps(paper))
    assert again.scan == paper.scan
    assert again.scan.instance is again
    alone = pickle.loads(pickle.dumps(paper.scan))
    assert (alone, alone.instance, alone.url) == (paper.scan, paper, paper.scan.url)
    with alone as file:
        assert file.read() == b"text"


def test_a_default_of_the_database_is_kept_by_it(media: Path) -> None:
    stamped = Stamped()
    assert stamped.stamp.name == "standard.txt"
    stamped.save()
    assert (stamped.stamp.name, Stamped.objects.get().stamp.name) == ("standard.txt", "standard.txt")
    other = Stamped()
    other.stamp.save("own.txt", ContentFile(b""))
    assert Stamped.objects.get(pk=other.pk).stamp.name == "own.txt"


def test_bulk_create_keeps_the_files(media: Path) -> None:
    Paper.objects.bulk_create([Paper(scan=ContentFile(b"a", name=f"{n}.txt")) for n in range(3)])
    assert {Path(paper.scan.path).read_bytes() for paper in Paper.objects.all()} == {b"a"}


def test_a_form_that_leaves_the_file_alone_and_one_that_clears_it(media: Path) -> None:
    paper = Paper(scan="a.txt")
    field = Paper._meta.get_field("scan")
    field.save_form_data(paper, None)
    assert paper.scan == "a.txt"
    field.save_form_data(paper, False)
    assert paper.scan == ""


# -- storages of fields ------------------------------------------------------------------------------------------------


def local() -> Storage:
    return FileSystemStorage("there")


def test_a_field_takes_a_storage_or_a_function_that_gives_one() -> None:
    storage = FileSystemStorage("here")
    assert models.FileField().storage is default_storage
    assert models.FileField(storage=storage).storage is storage
    assert models.FileField(storage=local).storage == FileSystemStorage("there")
    with pytest.raises(TypeError, match=r"FileField.storage must be a subclass/instance of .*Storage.*gave 5"):
        models.FileField(storage=lambda: 5)  # type: ignore[arg-type,return-value]


def test_a_migration_says_what_differs_from_the_usual() -> None:
    def said(field: Any) -> dict[str, Any]:
        return field.deconstruct()[3]

    assert said(models.FileField()) == {"upload_to": ""}
    storage = FileSystemStorage("here")
    field = models.FileField(upload_to=by_owner, storage=storage, max_length=50)
    assert said(field) == {"upload_to": by_owner, "storage": storage, "max_length": 50}
    assert said(models.FileField(storage=local))["storage"] is local
    assert models.FileField().deconstruct()[1] == "django.db.models.FileField"
    image = models.ImageField(upload_to="a", width_field="w", height_field="h")
    assert said(image) == {"upload_to": "a", "width_field": "w", "height_field": "h"}
    path = models.FilePathField(path="/etc", match="^a", recursive=True, allow_folders=True)
    assert said(path) == {"path": "/etc", "match": "^a", "recursive": True, "allow_folders": True}
    assert said(models.FilePathField()) == {}
    text, imports = Serializer().serialize(models.FileField(storage=storage))
    assert text == "models.FileField(storage=crowsfoot.files.storage.FileSystemStorage(location='here'), upload_to='')"
    assert "import crowsfoot.files.storage" in imports
    assert field.clone().storage == storage


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (models.FileField(primary_key=True), "'primary_key' is not a valid argument for a FileField"),
        (models.FileField(upload_to="/a"), "must be a relative path, not an absolute path. Remove the leading slash"),
        (models.FileField(max_length=-1), "'max_length' must be a positive integer"),
        (models.FilePathField(allow_files=False), "must have either 'allow_files' or 'allow_folders' set to True"),
    ],
)
def test_options_that_cannot_be_meant_are_told(field: Any, words: str) -> None:
    assert [sentence for sentence in field.check() if words in sentence]


def test_an_image_field_needs_pillow(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    class Portrait(models.Model):
        image = models.ImageField()

        class Meta:
            app_label = "filing"

    monkeypatch.setattr("crowsfoot.models.fields.files.has_pillow", lambda: False)
    with pytest.raises(ModelError, match=r"filing.Portrait.image: Cannot use ImageField because Pillow.*pip install"):
        crowsfoot.create_tables(Portrait)


# -- images ------------------------------------------------------------------------------------------------------------

needs_pillow = pytest.mark.skipif(not images.has_pillow(), reason="Pillow is not installed")


@needs_pillow
def test_an_image_knows_its_size() -> None:
    image = images.ImageFile(io.BytesIO(PNG))
    assert (image.width, image.height) == (4, 2)
    assert images.get_image_dimensions(io.BytesIO(b"no image")) == (None, None)
    assert images.get_image_dimensions("/nowhere/a.png") == (None, None)


@needs_pillow
def test_the_size_of_an_image_is_in_its_fields(media: Path) -> None:
    class Picture(models.Model):
        image = models.ImageField(width_field="width", height_field="height", blank=True)
        width = models.IntegerField(null=True)
        height = models.IntegerField(null=True)

        class Meta:
            app_label = "filing"

    crowsfoot.create_tables(Picture)
    picture = Picture(image=images.ImageFile(io.BytesIO(PNG), name="a.png"))
    assert (picture.width, picture.height) == (4, 2)
    picture.save()
    again = Picture.objects.get()
    Path(again.image.path).unlink()
    assert (again.width, again.height) == (4, 2)  # from the row: there is no file to read
    again.image = None
    assert (again.width, again.height) == (None, None)
    again.image.save("b.png", File(io.BytesIO(PNG)))
    assert (again.width, again.height, again.image.width) == (4, 2, 4)
    assert Picture.objects.get().height == 2
    again.image.delete()
    assert (Picture.objects.get().width, bool(again.image)) == (None, False)
