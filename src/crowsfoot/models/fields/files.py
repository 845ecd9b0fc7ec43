"""`FileField` and `ImageField`: the name of a file in a column, and the file itself in a storage."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, Unpack, overload

from crowsfoot.errors import FieldError
from crowsfoot.files.base import ContentFile, File
from crowsfoot.files.images import REMEDY, ImageFile, has_pillow
from crowsfoot.files.storage import Storage, default_storage
from crowsfoot.files.utils import validate_file_name
from crowsfoot.models import signals
from crowsfoot.models.deferred import DeferredAttribute
from crowsfoot.models.fields.base import DatabaseDefault, Field
from crowsfoot.models.fields.checks import check_length
from crowsfoot.models.fields.keywords import FileOptions
from crowsfoot.models.typed import FieldPath
from crowsfoot.query.expressions import Combinable

UploadTo: TypeAlias = Any
"""A folder, in which ``strftime`` fills in the date, or ``function(instance, filename)`` that gives the whole name."""


class FieldFile(File):
    """What a file field is on an instance: the file, its name in the storage, and what can be done with it there.

    Without a file it is false and its ``name`` is None or empty. It equals its name. All of it is blocking I/O.
    """

    def __init__(self, instance: Any, field: FileField, name: str | None) -> None:
        self._file: Any = None
        super().__init__(None, name)
        self.instance = instance
        self.field = field
        self._committed = True

    @property
    def storage(self) -> Any:
        """Where the file is kept: the field's storage."""
        return self.field.storage

    @property
    def file(self) -> Any:
        """The open file; opened now where it is not. Raises ``ValueError`` where there is none."""
        self._require_file()
        if self._file is None:
            self._file = self.storage.open(self.name, "rb")
        return self._file

    @file.setter
    def file(self, file: Any) -> None:
        self._file = file

    @file.deleter
    def file(self) -> None:
        self._file = None

    def _require_file(self) -> None:
        if not self:
            raise ValueError(f"The '{self.field.name}' attribute has no file associated with it.")

    @property
    def path(self) -> str:
        """Where it is on this machine. Raises ``NotImplementedError`` for a storage elsewhere."""
        self._require_file()
        return self.storage.path(self.name)

    @property
    def url(self) -> str:
        """The address at which a browser finds it."""
        self._require_file()
        return self.storage.url(self.name)

    @property  # type: ignore[misc]
    def size(self) -> int:
        """How many bytes it has."""
        self._require_file()
        return self.storage.size(self.name) if self._committed else self.file.size

    def open(self, mode: str | None = "rb", *args: Any, **kwargs: Any) -> FieldFile:
        """Open it, or go back to its beginning; a context manager that closes it again."""
        self._require_file()
        if self._file is None:
            self._file = self.storage.open(self.name, mode)
        else:
            self._file.open(mode)
        return self

    def save(self, name: str, content: Any, save: bool = True) -> None:
        """Keep ``content`` in the storage under ``upload_to`` and ``name``, and the instance too unless ``save=False``.

        One statement with ``save``. In async code write ``save=False``, and await the instance's ``asave()``. Raises
        ``SuspiciousFileOperation`` for a name that leads out of the storage.
        """
        content = content if isinstance(content, File) else File(content, name)
        self.name = self.storage.save(
            self.field.generate_filename(self.instance, name), content, max_length=self.field.max_length
        )
        self._saved(content)
        self._committed = True
        if save:
            self.instance.save()

    def _saved(self, content: File) -> None:
        """Tell the instance the name that the file was given."""
        setattr(self.instance, self.field.attname, self.name)

    def delete(self, save: bool = True) -> None:
        """Remove the file from the storage and its name from the instance, which is saved unless ``save=False``.

        Nothing where there is no file.
        """
        if not self:
            return
        self.close()
        self._file = None
        assert self.name is not None
        self.storage.delete(self.name)
        self.name = None
        setattr(self.instance, self.field.attname, None)
        self._committed = False
        if save:
            self.instance.save()

    # Templates must not call these.
    save.alters_data = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    delete.alters_data = True  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]

    @property
    def closed(self) -> bool:
        return self._file is None or bool(self._file.closed)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __eq__(self, other: object) -> bool:
        return bool(self.name == getattr(other, "name", other))

    def __hash__(self) -> int:
        return hash(self.name)

    def __bool__(self) -> bool:
        return bool(self.name)

    def __getstate__(self) -> dict[str, Any]:
        """Its name and whose it is: the open file stays behind."""
        return {"name": self.name, "instance": self.instance, "field": self.field, "_committed": True, "_file": None}


class FileDescriptor(DeferredAttribute):
    """Makes a ``FieldFile`` of what the instance holds: a name, None, or a file that was assigned."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        value = super().__get__(instance, owner)
        if instance is None:
            return value
        field = self.field
        if isinstance(value, FieldFile):
            value.instance = instance  # it may have come with another, by refresh_from_db() or a copy
            return value
        if isinstance(value, DatabaseDefault):  # stays what it is until it is saved
            name = value.expression if isinstance(value.expression, str) else None
            return field.attr_class(instance, field, name)
        if value is None or isinstance(value, str):
            made = field.attr_class(instance, field, value)
        elif isinstance(value, File):
            made = field.attr_class(instance, field, value.name)
            made.file = value
            made._committed = False
        else:
            return value
        instance.__dict__[field.attname] = made
        return made

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class FileField(Field[FieldFile]):
    """The name of a file, whose content is kept in a storage when the instance is saved.

    ``upload_to`` is a folder, in which ``strftime`` fills in the date, or a function of the instance and the file's
    name that gives the whole name. ``storage`` is a storage or a function that gives one; by default
    ``storages["default"]``. A row that is deleted leaves its file where it is. Raises ``TypeError`` for a function
    that gives no storage.
    """

    attr_class: ClassVar[type[FieldFile]] = FieldFile
    descriptor_class: ClassVar[Any] = FileDescriptor
    description = "File"
    internal_type: ClassVar[str | None] = "FileField"
    usual_length: ClassVar[int] = 100

    def __init__(
        self,
        verbose_name: str | None = None,
        name: str | None = None,
        upload_to: UploadTo = "",
        storage: Storage | Callable[[], Storage] | None = None,
        *,
        null: bool = False,
        **options: Unpack[FileOptions],
    ) -> None:
        self._says_primary_key = "primary_key" in options
        self._given_storage: Any = default_storage if storage is None else storage
        self.storage: Any = self._given_storage
        if storage is not None and not isinstance(storage, Storage) and callable(storage):
            self.storage = storage()
            if not isinstance(self.storage, Storage):
                raise TypeError(
                    f"{type(self).__qualname__}.storage must be a subclass/instance of {Storage.__module__}."
                    f"{Storage.__qualname__}; {self._given_storage!r} gave {self.storage!r}."
                )
        self.upload_to = upload_to
        options.setdefault("max_length", self.usual_length)
        super().__init__(verbose_name, name, null=null, **options)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def __get__(self, instance: None, owner: Any) -> FieldPath[str]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> FieldFile: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: Any, value: File | str | Combinable | None) -> None: ...

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else super().get_prep_value(str(value))

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """The file, which is in the storage from now on. Raises ``FieldError`` for one without a name."""
        held = model_instance.__dict__.get(self.attname)
        if isinstance(held, DatabaseDefault):
            return held
        file = super().pre_save(model_instance, add)
        if not isinstance(file, FieldFile) or file._committed:
            return file
        if file.name is None and file._file is not None:
            error = FieldError(f"File for {self.name} must have the name attribute specified to be saved.")
            if isinstance(file._file, ContentFile):
                error.add_note("Pass a 'name' argument to ContentFile.")
            raise error
        if file:
            file.save(str(file.name), file.file, save=False)
        return file

    def generate_filename(self, instance: Any, filename: str) -> str:
        """The name under which the storage is asked to keep a file. Raises ``SuspiciousFileOperation``."""
        if callable(self.upload_to):
            name = self.upload_to(instance, filename)
        else:
            name = posixpath.join(datetime.now().strftime(str(self.upload_to)), filename)
        return self.storage.generate_filename(validate_file_name(name, allow_relative_path=True))

    def save_form_data(self, instance: Any, data: Any) -> None:
        """None means that the form left the file alone, and False that it is to go."""
        if data is not None:
            setattr(instance, self.name, data or "")

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if kwargs.get("max_length") == self.usual_length:
            del kwargs["max_length"]
        kwargs["upload_to"] = self.upload_to
        if self._given_storage is not default_storage:
            kwargs["storage"] = self._given_storage
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        found = [*super().check(**kwargs), *check_length(self)]
        kind = type(self).__name__
        if self._says_primary_key:
            found.append(f"{self}: 'primary_key' is not a valid argument for a {kind}. Remove it.")
        if isinstance(self.upload_to, str) and self.upload_to.startswith("/"):
            found.append(
                f"{self}: {kind}'s 'upload_to' argument must be a relative path, not an absolute path. "
                "Remove the leading slash."
            )
        return found


class ImageFieldFile(ImageFile, FieldFile):
    """A ``FieldFile`` with ``width`` and ``height``."""

    def _saved(self, content: File) -> None:
        kept = type(self)(self.instance, self.field, self.name)
        kept.file = content
        setattr(self.instance, self.field.attname, kept)  # whose width and height go into their fields
        self.instance.__dict__[self.field.attname] = self.name

    def delete(self, save: bool = True) -> None:
        self.__dict__.pop("_size_of_image", None)
        super().delete(save)


class ImageFileDescriptor(FileDescriptor):
    """Keeps the fields of the width and the height in step with the image that is assigned."""

    def __set__(self, instance: Any, value: Any) -> None:
        had_one = instance.__dict__.get(self.field.attname) is not None
        super().__set__(instance, value)
        if had_one:  # else the instance is being made, and `post_init` follows
            self.field.update_dimension_fields(instance, force=True)


class ImageField(FileField):
    """A ``FileField`` of images, read by Pillow. ``width_field`` and ``height_field`` name fields that hold its size.

    These are filled in when an image is assigned; a row that has them is loaded without touching its file.
    """

    attr_class: ClassVar[type[FieldFile]] = ImageFieldFile
    descriptor_class: ClassVar[Any] = ImageFileDescriptor
    description = "Image"

    def __init__(
        self,
        verbose_name: str | None = None,
        name: str | None = None,
        width_field: str | None = None,
        height_field: str | None = None,
        upload_to: UploadTo = "",
        storage: Storage | Callable[[], Storage] | None = None,
        *,
        null: bool = False,
        **options: Unpack[FileOptions],
    ) -> None:
        self.width_field = width_field
        self.height_field = height_field
        super().__init__(verbose_name, name, upload_to, storage, null=null, **options)

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        if not cls._meta.abstract and (self.width_field or self.height_field):
            signals.post_init.connect(self.update_dimension_fields, sender=cls)

    def update_dimension_fields(self, instance: Any, force: bool = False, **signal: Any) -> None:
        """Fill in the fields of the width and the height; those that are filled already only with ``force``."""
        fields = [name for name in (self.width_field, self.height_field) if name]
        if not fields or self.attname not in instance.__dict__:
            return
        file = getattr(instance, self.attname)
        if not force and (not file or all(getattr(instance, name) for name in fields)):
            return
        if self.width_field:
            setattr(instance, self.width_field, file.width if file else None)
        if self.height_field:
            setattr(instance, self.height_field, file.height if file else None)

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        if self.width_field:
            kwargs["width_field"] = self.width_field
        if self.height_field:
            kwargs["height_field"] = self.height_field
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[str]:
        found = super().check(**kwargs)
        if not has_pillow():
            found.append(f"{self}: Cannot use ImageField because Pillow is not installed. {REMEDY}")
        return found
