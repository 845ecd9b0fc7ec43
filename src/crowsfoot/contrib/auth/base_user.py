"""What any model of users has: a name to log in with and a password (``django.contrib.auth.base_user``)."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from crowsfoot import models
from crowsfoot.contrib.auth import password_validation
from crowsfoot.contrib.auth.hashers import acheck_password, check_password, is_password_usable, make_password
from crowsfoot.drivers.run import Operation
from crowsfoot.models.manager import Manager
from crowsfoot.persistence.session import Session

T = TypeVar("T")
U = TypeVar("U")


class BaseUserManager(Manager[U]):
    """A manager of users."""

    # For type checkers: whichever model of users it is written in, or inherited by, it is one of that model.
    if TYPE_CHECKING:

        def __get__(self, instance: None, owner: type[T]) -> BaseUserManager[T]: ...  # type: ignore[override]

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """The address with its domain in lower case, which is the same address; empty for None."""
        name, at, domain = (email or "").strip().rpartition("@")
        return f"{name}@{domain.lower()}" if at else email or ""

    def get_by_natural_key(self, username: Any) -> U:
        """The user with this name. One query. Raises the model's ``DoesNotExist``."""
        return self.get(**{self.model.USERNAME_FIELD: username})

    async def aget_by_natural_key(self, username: Any) -> U:
        return await self.aget(**{self.model.USERNAME_FIELD: username})


class AbstractBaseUser(models.Model):
    """A base for models of users. A subclass names its field for log-in: ``USERNAME_FIELD = "email"``."""

    password = models.CharField("password", max_length=128)
    last_login = models.DateTimeField("last login", blank=True, null=True)

    is_active: Any = True
    USERNAME_FIELD: ClassVar[str]
    EMAIL_FIELD: ClassVar[str]
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    # What `set_password` was given, for the validators that want to know it, until the user is saved.
    _password: str | bytes | None = None

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.get_username())

    def _save(self, session: Session, options: dict[str, Any]) -> Operation[None]:
        yield from super()._save(session, options)
        if self._password is not None:
            password_validation.password_changed(self._password, self)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            self._password = None

    # -- the name ------------------------------------------------------------------------------------------------------

    def get_username(self) -> Any:
        """What the user logs in with."""
        return getattr(self, self.USERNAME_FIELD)

    @classmethod
    def normalize_username(cls, username: Any) -> Any:
        """One spelling (NFKC) for names that look the same; what is no text stays as it is."""
        return unicodedata.normalize("NFKC", username) if isinstance(username, str) else username

    @classmethod
    def get_email_field_name(cls) -> str:
        """The name of the field with the e-mail address."""
        return getattr(cls, "EMAIL_FIELD", "email")

    def clean(self) -> None:
        super().clean()
        setattr(self, self.USERNAME_FIELD, self.normalize_username(self.get_username()))

    def natural_key(self) -> tuple[Any]:
        return (self.get_username(),)

    @property
    def is_anonymous(self) -> bool:
        """False: whoever has a row is not anonymous."""
        return False

    @property
    def is_authenticated(self) -> bool:
        """True: tells a user from ``AnonymousUser``, not one who may log in from one who may not."""
        return True

    # -- the password --------------------------------------------------------------------------------------------------

    def set_password(self, raw_password: str | bytes | None) -> None:
        """Take a new password's hash; None for a password that none fits. The user is not saved."""
        self.password = make_password(raw_password)
        self._password = raw_password

    def check_password(self, raw_password: str | bytes | None) -> bool:
        """Whether this is the user's password; False for whatever is no text.

        A hash that would be made differently today is made anew and stored, which is one query.
        """
        return check_password(raw_password, self.password, self._renew_hash)

    async def acheck_password(self, raw_password: str | bytes | None) -> bool:
        return await acheck_password(raw_password, self.password, self._arenew_hash)

    def _renew_hash(self, raw_password: str | bytes) -> None:
        encoded = make_password(raw_password)
        if self._state.adding or self._stored_alike().update(password=encoded):
            self.password = encoded

    async def _arenew_hash(self, raw_password: str | bytes) -> None:
        encoded = await asyncio.to_thread(make_password, raw_password)
        if self._state.adding or await self._stored_alike().aupdate(password=encoded):
            self.password = encoded

    def _stored_alike(self) -> Any:
        """The user's row, if it has still the hash that was checked: hashing takes long enough for a new password to be
        set meanwhile, and that one must stay."""
        rows = type(self)._base_manager.using(self._write_alias(None))
        return rows.filter(pk=self.pk, password=self.password)

    def set_unusable_password(self) -> None:
        """Take a hash that no password fits, for users who prove who they are elsewhere."""
        self.password = make_password(None)

    def has_usable_password(self) -> bool:
        """False after ``set_unusable_password()``."""
        return is_password_usable(self.password)
