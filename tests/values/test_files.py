"""Files as values, and the storages that keep them."""

from __future__ import annotations

import datetime
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crowsfoot.conf import settings
from crowsfoot.errors import ImproperlyConfigured, SuspiciousFileOperation, ValidationError
from crowsfoot.files import ContentFile, File, images
from crowsfoot.files.storage import (
    FileSystemStorage,
    InvalidStorageError,
    Storage,
    StorageHandler,
    default_storage,
    storages,
)
from crowsfoot.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile, TemporaryUploadedFile
from crowsfoot.files.utils import get_valid_filename, validate_file_name
from crowsfoot.validators import FileExtensionValidator


@pytest.fixture
def storage(tmp_path: Path) -> FileSystemStorage:
    return FileSystemStorage(tmp_path / "media", "/media/")


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    with settings.override(MEDIA_ROOT=tmp_path, MEDIA_URL="https://files.example/"):
        yield tmp_path


def content(storage: Storage, name: str, mode: str = "rb") -> Any:
    with storage.open(name, mode) as file:
        return file.read()


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_reads_as_the_one_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\ntwo")
    with path.open("rb") as opened:
        file = File(opened)
        assert (file.name, file.mode, file.size, len(file), bool(file)) == (str(path), "rb", 7, 7, True)
        assert (file.readable(), file.writable(), file.seekable()) == (True, False, True)
        assert file.read(3) == b"one"
        assert file.open() is file
        assert file.read() == b"one\ntwo"
        assert (str(file), repr(file)) == (str(path), f"<File: {path}>")
    assert file.closed
    assert not file.readable()
    with file.open():
        assert file.readline() == b"one\n"
    path.unlink()
    with pytest.raises(ValueError, match="cannot be reopened"):
        file.open()


def test_the_size_of_what_has_none_is_measured_or_unknown() -> None:
    stream = io.BytesIO(b"abcd")
    stream.seek(2)
    assert File(stream).size == 4
    assert stream.tell() == 2
    with pytest.raises(AttributeError, match="Unable to determine"):
        _ = File(object()).size


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a\nb\r\nc\rd", [b"a\n", b"b\r\n", b"c\r", b"d"]),
        ("\n\nä\n", ["\n", "\n", "ä\n"]),
        ("a\x0cb\u2028c", ["a\x0cb\u2028c"]),
        (b"", []),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_lines_are_whole_however_the_file_is_cut(content: Any, lines: list[Any], size: int) -> None:
    file = ContentFile(content)
    file.DEFAULT_CHUNK_SIZE = size  # type: ignore[misc]
    assert list(file) == lines
    assert (b"" if isinstance(content, bytes) else "").join(file.chunks()) == content


def test_a_content_file_can_be_read_again_and_written() -> None:
    file = ContentFile("abc", name="a.txt")
    with file.open() as opened:
        assert opened.read() == "abc"
    assert file.open().read() == "abc"
    assert (file.size, file.write("de"), file.size, str(file)) == (3, 2, 5, "Raw content")
    assert not file.multiple_chunks()
    assert file.multiple_chunks(4)


def test_uploads_keep_the_last_part_of_their_name() -> None:
    upload = SimpleUploadedFile("../../etc/passwd", b"root")
    assert (upload.name, upload.size, upload.read(), upload.content_type) == ("passwd", 4, b"root", "text/plain")
    assert repr(upload) == "<SimpleUploadedFile: passwd (text/plain)>"
    assert not upload.multiple_chunks(1)
    named = InMemoryUploadedFile(io.BytesIO(), None, f"{'x' * 300}.png", None, 0, None)
    assert named.name == f"{'x' * 251}.png"
    with pytest.raises(SuspiciousFileOperation):
        SimpleUploadedFile("..", b"")


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        ("", False, "Could not derive file name"),
        ("a/..", True, "Could not derive file name"),
        ("a/", True, "Could not derive file name"),
        ("a/b", False, "includes path elements"),
        ("a\\b", False, "includes path elements"),
        ("../a", True, "path traversal attempt in '../a'"),
        ("a/../b", True, "path traversal"),
        ("a\\..\\b", True, "path traversal"),
        ("/etc/passwd", True, "path traversal"),
        ("\\etc\\passwd", True, "path traversal"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str, path: bool, words: str) -> None:
    with pytest.raises(SuspiciousFileOperation, match=words):
        validate_file_name(name, allow_relative_path=path)


def test_names_that_name_a_file_are_given_back() -> None:
    assert validate_file_name("a..b.txt") == "a..b.txt"
    assert validate_file_name("a/b/c.txt", allow_relative_path=True) == "a/b/c.txt"


def test_a_valid_name_has_no_spaces_and_no_signs() -> None:
    assert get_valid_filename(" Ana's  Bild (1)/é.png ") == "Anas__Bild_1é.png"
    for name in ("???", "$.$.$", "."):
        with pytest.raises(SuspiciousFileOperation, match="Could not derive file name"):
            get_valid_filename(name)


# -- the local storage -------------------------------------------------------------------------------------------------


def test_a_file_is_kept_found_and_removed(storage: FileSystemStorage) -> None:
    assert storage.save("a/b/c.txt", ContentFile("ä\r\n")) == "a/b/c.txt"
    assert storage.exists("a/b/c.txt")
    assert storage.size("a/b/c.txt") == 4
    assert storage.path("a/b/c.txt") == os.path.join(storage.location, "a", "b", "c.txt")
    assert storage.url("a/b/ü c?.txt") == "/media/a/b/%C3%BC%20c%3F.txt"
    assert storage.listdir("a") == (["b"], [])
    assert storage.listdir("a/b") == ([], ["c.txt"])
    assert content(storage, "a/b/c.txt") == "ä\r\n".encode()
    with storage.open("a/b/c.txt", "wb") as file:
        file.write(b"new")
    assert content(storage, "a/b/c.txt", "r") == "new"
    storage.delete("a/b/c.txt")
    storage.delete("a/b/c.txt")  # nothing is there, and that is what was wanted
    storage.delete("a/b")
    assert storage.listdir("a") == ([], [])
    with pytest.raises(FileNotFoundError):
        storage.open("a/b/c.txt")
    with pytest.raises(ValueError, match="must be given"):
        storage.delete("")


def test_a_name_that_is_taken_is_changed_before_its_endings(storage: FileSystemStorage) -> None:
    assert storage.save("a.tar.gz", ContentFile(b"1")) == "a.tar.gz"
    other = storage.save("a.tar.gz", ContentFile(b"2"))
    assert other.startswith("a_")
    assert other.endswith(".tar.gz")
    assert len(other) == len("a_1234567.tar.gz")
    assert content(storage, "a.tar.gz") == b"1"


def test_a_name_is_cut_to_its_length_or_refused(storage: FileSystemStorage) -> None:
    found = storage.save("folder/a-long-name.txt", ContentFile(b""), max_length=20)
    assert len(found) == 20
    assert found.startswith("folder/a_")
    with pytest.raises(SuspiciousFileOperation, match='allows sufficient "max_length"'):
        storage.save("folder/a-long-name.txt", ContentFile(b""), max_length=18)


def test_a_name_that_is_taken_meanwhile_is_changed_too(storage: FileSystemStorage) -> None:
    storage.save("a.txt", ContentFile(b"theirs"))

    class Late(FileSystemStorage):
        def exists(self, name: str) -> bool:
            return False  # as it was a moment ago

    late = Late(storage.location)
    found = late.save("a.txt", ContentFile(b"ours"))
    assert found != "a.txt"
    assert content(storage, "a.txt") == b"theirs"
    assert content(storage, found) == b"ours"


def test_only_who_says_so_writes_over_a_file(storage: FileSystemStorage) -> None:
    over = FileSystemStorage(storage.location, allow_overwrite=True)
    assert over.save("a.txt", ContentFile(b"longer")) == "a.txt"
    assert over.save("a.txt", ContentFile(b"new")) == "a.txt"
    assert content(over, "a.txt") == b"new"
    with pytest.raises(SuspiciousFileOperation):
        over.save("a.txt", ContentFile(b""), max_length=3)


@pytest.mark.parametrize("name", ["../a.txt", "/etc/passwd", "a/../../b.txt", ".."])
def test_nothing_is_written_or_read_outside_of_the_folder(storage: FileSystemStorage, name: str) -> None:
    for call in (storage.open, storage.delete, storage.exists, storage.size, storage.path, storage.listdir):
        with (
            pytest.raises(SuspiciousFileOperation, match="outside of the base path")
            if name != ".."
            else (pytest.raises(SuspiciousFileOperation))
        ):
            call(name)
    with pytest.raises(SuspiciousFileOperation):
        storage.save(name, ContentFile(b""))
    assert not os.path.exists(storage.location)


def test_a_folder_beside_it_is_outside(tmp_path: Path) -> None:
    (tmp_path / "media-2").mkdir()
    with pytest.raises(SuspiciousFileOperation):
        FileSystemStorage(tmp_path / "media").path("../media-2/a.txt")


def test_what_a_storage_answers_is_looked_at_too(storage: FileSystemStorage) -> None:
    class Careless(FileSystemStorage):
        def get_available_name(self, name: Any, max_length: int | None = None) -> str:
            return "../a.txt"

    with pytest.raises(SuspiciousFileOperation):
        Careless(storage.location).save("a.txt", ContentFile(b""))


def test_a_temporary_upload_is_moved(storage: FileSystemStorage, tmp_path: Path) -> None:
    with settings.override(FILE_UPLOAD_TEMP_DIR=tmp_path):
        with TemporaryUploadedFile("a.txt", "text/plain", 3, "utf-8") as upload:
            upload.write(b"abc")
            upload.flush()
            before = os.stat(upload.temporary_file_path()).st_ino
            assert storage.save(None, upload) == "a.txt"
            assert not os.path.exists(upload.temporary_file_path())
        assert os.stat(storage.path("a.txt")).st_ino == before
        with TemporaryUploadedFile("a.txt", "text/plain", 3, "utf-8") as upload:
            assert storage.save("a.txt", upload) != "a.txt"


def test_a_file_that_breaks_off_leaves_nothing_behind(storage: FileSystemStorage) -> None:
    class Broken(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Iterator[Any]:
            yield b"a"
            raise OSError("the line is dead")

    with pytest.raises(OSError, match="dead"):
        storage.save("a.txt", Broken(b""))
    assert not storage.exists("a.txt")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_files_and_folders_have_the_modes_that_were_asked_for(tmp_path: Path) -> None:
    storage = FileSystemStorage(tmp_path / "media", file_permissions_mode=0o600, directory_permissions_mode=0o711)
    storage.save("a/b.txt", ContentFile(b""))
    assert stat.S_IMODE(os.stat(storage.path("a/b.txt")).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(storage.path("a")).st_mode) == 0o711
    with settings.override(FILE_UPLOAD_PERMISSIONS=0o640):
        FileSystemStorage(tmp_path).save("c.txt", ContentFile(b""))
    assert stat.S_IMODE((tmp_path / "c.txt").stat().st_mode) == 0o640


def test_a_file_where_a_folder_is_wanted_is_said(storage: FileSystemStorage) -> None:
    storage.save("a", ContentFile(b""))
    with pytest.raises(NotADirectoryError, match="exists and is not a directory"):
        storage.save("a/b.txt", ContentFile(b""))


@pytest.mark.parametrize("use_tz", [True, False])
def test_times_are_aware_where_the_project_is(storage: FileSystemStorage, use_tz: bool) -> None:
    storage.save("a.txt", ContentFile(b""))
    os.utime(storage.path("a.txt"), (1_000_000_000, 1_100_000_000))
    with settings.override(USE_TZ=use_tz):
        read, written = storage.get_accessed_time("a.txt"), storage.get_modified_time("a.txt")
        assert (read.timestamp(), written.timestamp()) == (1_000_000_000, 1_100_000_000)
        assert storage.get_created_time("a.txt") > written
        assert (read.tzinfo is datetime.UTC) is use_tz


def test_a_local_storage_follows_the_settings(media: Path) -> None:
    storage = FileSystemStorage()
    assert storage.location == str(media)
    assert storage.url("a b.png") == "https://files.example/a%20b.png"
    with settings.override(MEDIA_ROOT="elsewhere", MEDIA_URL="media"):
        assert storage.location == os.path.abspath("elsewhere")
        assert storage.url("a.png") == "/media/a.png"
    with settings.override(MEDIA_URL=None), pytest.raises(ValueError, match="not accessible via a URL"):
        storage.url("a.png")


def test_local_storages_are_equal_when_they_were_made_alike() -> None:
    assert FileSystemStorage("a") == FileSystemStorage("a")
    assert FileSystemStorage("a") != FileSystemStorage("b")
    assert len({FileSystemStorage("a"), FileSystemStorage("a"), FileSystemStorage()}) == 2
    assert FileSystemStorage("a", allow_overwrite=True).deconstruct() == (
        "django.core.files.storage.FileSystemStorage",
        (),
        {"location": "a", "allow_overwrite": True},
    )


# -- storages of the settings ------------------------------------------------------------------------------------------


LOCAL = "crowsfoot.files.storage.FileSystemStorage"


def test_storages_are_made_once_and_again_when_the_settings_change(media: Path) -> None:
    assert isinstance(default_storage, Storage)
    assert default_storage == storages["default"]
    assert storages["default"] is storages["default"]
    assert default_storage.save("a.txt", ContentFile(b"")) == "a.txt"
    assert (media / "a.txt").is_file()
    options = {"location": str(media / "other")}
    with settings.override(STORAGES={"default": {"BACKEND": LOCAL, "OPTIONS": options}}):
        assert default_storage.location == options["location"]
    assert default_storage.location == str(media)


def test_a_storage_that_is_not_there_is_named() -> None:
    handler = StorageHandler({"default": {"BACKEND": LOCAL}, "bad": {"BACKEND": "nowhere.Storage"}, "empty": {}})
    with pytest.raises(InvalidStorageError, match=r"Could not find config for 'defult'.*Did you mean 'default'"):
        _ = handler["defult"]
    with pytest.raises(InvalidStorageError, match=r"Could not find backend 'nowhere\.Storage'"):
        _ = handler["bad"]
    with pytest.raises(InvalidStorageError, match="BACKEND"):
        _ = handler["empty"]


def test_a_storage_says_what_it_does_not_do() -> None:
    class Mine(Storage):
        def exists(self, name: str) -> bool:
            return False

    mine = Mine()
    for call in (mine.open, mine.delete, mine.listdir, mine.size, mine.url, mine.get_created_time):
        with pytest.raises(NotImplementedError, match="Mine has none"):
            call("a")
    with pytest.raises(NotImplementedError, match="_save"):
        mine.save("a", ContentFile(b""))
    with pytest.raises(NotImplementedError, match="absolute paths"):
        mine.path("a")


# -- images and validators ---------------------------------------------------------------------------------------------


def test_without_pillow_an_image_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(images, "import_module", missing)
    with pytest.raises(ImproperlyConfigured, match="pip install Pillow"):
        _ = images.ImageFile(io.BytesIO(b"")).width


def test_extensions_are_compared_whatever_their_case() -> None:
    validator = FileExtensionValidator(["PNG", "jpg"])
    validator(ContentFile(b"", "a.Png"))
    FileExtensionValidator()(ContentFile(b"", "a.exe"))
    with pytest.raises(ValidationError) as caught:
        validator(ContentFile(b"", "a.exe"))
    assert caught.value.messages == ["File extension “exe” is not allowed. Allowed extensions are: png, jpg."]
    assert validator == FileExtensionValidator(["jpg", "png"])
    assert validator != FileExtensionValidator(["jpg"])
