"""Users, groups and permissions (``django.contrib.auth.models``)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from crowsfoot import models, timezones
from crowsfoot.contrib import auth
from crowsfoot.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from crowsfoot.contrib.auth.hashers import make_password
from crowsfoot.contrib.auth.management import create_permissions
from crowsfoot.contrib.auth.permissions import PermissionQuestions
from crowsfoot.contrib.auth.validators import UnicodeUsernameValidator
from crowsfoot.contrib.contenttypes.models import ContentType
from crowsfoot.models import signals
from crowsfoot.models.manager import EmptyManager, Manager
from crowsfoot.models.model import apps

T = TypeVar("T")
U = TypeVar("U")

__all__ = [
    "AbstractBaseUser",
    "AbstractUser",
    "AnonymousUser",
    "BaseUserManager",
    "Group",
    "GroupManager",
    "Permission",
    "PermissionManager",
    "PermissionsMixin",
    "User",
    "UserManager",
]


# -- permissions and groups --------------------------------------------------------------------------------------------


class PermissionManager(Manager["Permission"]):
    """A manager of permissions."""

    use_in_migrations = True

    def get_by_natural_key(self, codename: str, app_label: str, model: str) -> Permission:
        """The permission of a model with this codename. At most two queries. Raises ``DoesNotExist``."""
        types = ContentType.objects.db_manager(self.db)
        return self.get(codename=codename, content_type=types.get_by_natural_key(app_label, model))

    async def aget_by_natural_key(self, codename: str, app_label: str, model: str) -> Permission:
        content_type = await ContentType.objects.db_manager(self.db).aget_by_natural_key(app_label, model)
        return await self.aget(codename=codename, content_type=content_type)


class Permission(models.Model):
    """Something that users may do to the rows of a model. Each model has four to begin with: add, change, delete, view.

    ``Meta.permissions`` of a model adds others, ``Meta.default_permissions`` chooses among the four.
    """

    id = models.AutoField(auto_created=True, primary_key=True, verbose_name="ID")
    name = models.CharField("name", max_length=255)
    content_type = models.ForeignKey(ContentType, models.CASCADE, verbose_name="content type")
    codename = models.CharField("codename", max_length=100)

    objects = PermissionManager()

    class Meta:
        verbose_name = "permission"
        verbose_name_plural = "permissions"
        unique_together = [["content_type", "codename"]]
        ordering = ["content_type__app_label", "content_type__model", "codename"]

    def __str__(self) -> str:
        return f"{self.content_type} | {self.name}"

    @property
    def user_perm_str(self) -> str:
        """How ``has_perm`` is asked for this permission."""
        return f"{self.content_type.app_label}.{self.codename}"

    def natural_key(self) -> tuple[str, str, str]:
        return (self.codename, *self.content_type.natural_key())


class GroupManager(Manager["Group"]):
    """A manager of groups."""

    use_in_migrations = True

    def get_by_natural_key(self, name: str) -> Group:
        """The group with this name. One query. Raises ``DoesNotExist``."""
        return self.get(name=name)

    async def aget_by_natural_key(self, name: str) -> Group:
        return await self.aget(name=name)


class Group(models.Model):
    """Users who have permissions in common: each user has those of every group that the user is in."""

    id = models.AutoField(auto_created=True, primary_key=True, verbose_name="ID")
    name = models.CharField("name", max_length=150, unique=True)
    permissions = models.ManyToManyField(Permission, verbose_name="permissions", blank=True)

    objects = GroupManager()

    class Meta:
        verbose_name = "group"
        verbose_name_plural = "groups"

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.name,)


class PermissionsMixin(PermissionQuestions, models.Model):
    """For models of users: a superuser's flag, groups, permissions, and the questions about them."""

    is_superuser = models.BooleanField(
        "superuser status",
        default=False,
        help_text="Designates that this user has all permissions without explicitly assigning them.",
    )
    groups = models.ManyToManyField(
        Group,
        verbose_name="groups",
        blank=True,
        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
        related_name="user_set",
        related_query_name="user",
    )
    user_permissions = models.ManyToManyField(
        Permission,
        verbose_name="user permissions",
        blank=True,
        help_text="Specific permissions for this user.",
        related_name="user_set",
        related_query_name="user",
    )

    class Meta:
        abstract = True


# -- users -------------------------------------------------------------------------------------------------------------


class UserManager(BaseUserManager[U]):
    """Makes users: ``User.objects.create_user("asha", "asha@example.com", "secret")``."""

    use_in_migrations = True

    if TYPE_CHECKING:

        def __get__(self, instance: None, owner: type[T]) -> UserManager[T]: ...  # type: ignore[override]

    def create_user(
        self, username: str, email: str | None = None, password: str | bytes | None = None, **extra_fields: Any
    ) -> U:
        """A new user with this password, or without a password that fits. One statement.

        Raises ``ValueError`` for an empty name and ``IntegrityError`` for one that is taken.
        """
        return self._create_user(username, email, password, **_flags(extra_fields, False))

    async def acreate_user(
        self, username: str, email: str | None = None, password: str | bytes | None = None, **extra_fields: Any
    ) -> U:
        return await self._acreate_user(username, email, password, **_flags(extra_fields, False))

    def create_superuser(
        self, username: str, email: str | None = None, password: str | bytes | None = None, **extra_fields: Any
    ) -> U:
        """A new user who may do everything. Raises what ``create_user`` does."""
        return self._create_user(username, email, password, **_flags(extra_fields, True))

    async def acreate_superuser(
        self, username: str, email: str | None = None, password: str | bytes | None = None, **extra_fields: Any
    ) -> U:
        return await self._acreate_user(username, email, password, **_flags(extra_fields, True))

    # The next two are what managers of people's own call, and override.

    def _create_user(self, username: str, email: str | None, password: str | bytes | None, **extra_fields: Any) -> U:
        user = self._new(username, email, extra_fields)
        user.password = make_password(password)
        user.save(using=self._db)
        return user

    async def _acreate_user(
        self, username: str, email: str | None, password: str | bytes | None, **extra_fields: Any
    ) -> U:
        user = self._new(username, email, extra_fields)
        user.password = await asyncio.to_thread(make_password, password)
        await user.asave(using=self._db)
        return user

    def _new(self, username: str, email: str | None, extra_fields: dict[str, Any]) -> Any:
        if not username:
            raise ValueError("The given username must be set")
        # In a migration this manager is of a model without methods.
        real = self.model if hasattr(self.model, "normalize_username") else apps.get_model(self.model._meta.label)
        name = real.normalize_username(username)
        return self.model(username=name, email=self.normalize_email(email), **extra_fields)

    def with_perm(
        self,
        perm: Any,
        is_active: bool | None = True,
        include_superusers: bool = True,
        backend: str | None = None,
        obj: Any = None,
    ) -> Any:
        """The users who have a permission, as a queryset: ``perm`` is ``"app_label.codename"`` or a ``Permission``.

        ``is_active=None`` does not ask whether they are active. ``backend`` is the path of the backend to ask, needed
        where there are several. Raises ``ValueError`` and ``TypeError`` for arguments of another form.
        """
        if backend is None:
            backends = auth.get_backends()
            if len(backends) != 1:
                raise ValueError(
                    "You have multiple authentication backends configured and therefore must provide the `backend` "
                    "argument."
                )
            chosen = backends[0]
        elif isinstance(backend, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            chosen = auth.load_backend(backend)
        else:
            raise TypeError(f"backend must be a dotted import path string (got {backend!r}).")
        if not hasattr(chosen, "with_perm"):
            return self.none()
        return chosen.with_perm(perm, is_active=is_active, include_superusers=include_superusers, obj=obj)


def _flags(extra_fields: dict[str, Any], superuser: bool) -> dict[str, Any]:
    """The fields of a new user with both flags; a superuser must have both."""
    fields = {"is_staff": superuser, "is_superuser": superuser, **extra_fields}
    for name in ("is_staff", "is_superuser") if superuser else ():
        if fields[name] is not True:
            raise ValueError(f"Superuser must have {name}=True.")
    return fields


class AbstractUser(AbstractBaseUser, PermissionsMixin):
    """A base for models of users that are like ``User`` and have more fields."""

    username_validator: ClassVar[Any] = UnicodeUsernameValidator()

    username = models.CharField(
        "username",
        max_length=150,
        unique=True,
        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
        validators=[username_validator],
        error_messages={"unique": "A user with that username already exists."},
    )
    first_name = models.CharField("first name", max_length=150, blank=True)
    last_name = models.CharField("last name", max_length=150, blank=True)
    email = models.EmailField("email address", blank=True)
    is_staff = models.BooleanField(
        "staff status", default=False, help_text="Designates whether the user can log into this admin site."
    )
    is_active = models.BooleanField(
        "active",
        default=True,
        help_text=(
            "Designates whether this user should be treated as active. Unselect this instead of deleting accounts."
        ),
    )
    date_joined = models.DateTimeField("date joined", default=timezones.now)

    objects: UserManager[Any] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["email"]

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]  (each base has one; the nearest counts)
        verbose_name = "user"
        verbose_name_plural = "users"
        abstract = True

    def clean(self) -> None:
        super().clean()
        self.email = BaseUserManager.normalize_email(self.email)

    def get_full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """The first name."""
        return self.first_name


class User(AbstractUser):
    """Someone who can log in. The setting AUTH_USER_MODEL puts another model in its place."""

    id = models.AutoField(auto_created=True, primary_key=True, verbose_name="ID")

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"


class AnonymousUser(PermissionQuestions):
    """Whoever has not logged in: the same questions as of a user, without a row."""

    id = None
    pk = None
    username = ""
    is_staff = False
    is_active = False
    is_superuser = False

    def __str__(self) -> str:
        return "AnonymousUser"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnonymousUser)

    def __hash__(self) -> int:
        return 1

    def __int__(self) -> int:
        raise TypeError("Cannot cast AnonymousUser to int. Are you trying to use it in place of User?")

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("AnonymousUser has no row in the database; ask is_authenticated before.")

    save = delete = set_password = check_password = _refuse

    async def _arefuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse()

    asave = adelete = acheck_password = _arefuse

    def get_group_permissions(self, obj: Any = None) -> set[str]:
        """None: whoever has no row is in no group."""
        return set()

    async def aget_group_permissions(self, obj: Any = None) -> set[str]:
        return set()

    @property
    def groups(self) -> Any:
        return EmptyManager(Group)

    @property
    def user_permissions(self) -> Any:
        return EmptyManager(Permission)

    @property
    def is_anonymous(self) -> bool:
        return True

    @property
    def is_authenticated(self) -> bool:
        return False

    def get_username(self) -> str:
        return self.username


signals.post_migrate.connect(create_permissions, dispatch_uid="permissions")
