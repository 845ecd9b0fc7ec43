"""Where files are kept: what every storage does, the local one, and those that the settings name."""

from crowsfoot.files.storage.base import Storage
from crowsfoot.files.storage.filesystem import FileSystemStorage
from crowsfoot.files.storage.handler import InvalidStorageError, StorageHandler, default_storage, storages

__all__ = ["FileSystemStorage", "InvalidStorageError", "Storage", "StorageHandler", "default_storage", "storages"]
