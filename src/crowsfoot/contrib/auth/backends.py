"""Backends: who proves to be whom, and who may do what (``django.contrib.auth.backends``).

A backend has ``authenticate`` and ``get_user``, the questions about permissions, and their awaitable twins.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from crowsfoot.contrib.auth import get_user_model
from crowsfoot.contrib.auth.hashers import aburn, burn
from crowsfoot.contrib.auth.models import Permission
from crowsfoot.errors import ValidationError
from crowsfoot.models import Exists, OuterRef, Q


class BaseBackend:
    """A backend that knows nobody. Its awaitable methods run the plain ones in a thread, until they are overridden."""

    def authenticate(self, request: Any, **kwargs: Any) -> Any:
        """The user whom these credentials prove, or None."""
        return None

    async def aauthenticate(self, request: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(self.authenticate, request, **kwargs)

    def get_user(self, user_id: Any) -> Any:
        """The user with this key, or None."""
        return None

    async def aget_user(self, user_id: Any) -> Any:
        return await asyncio.to_thread(self.get_user, user_id)

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The permissions given to a user directly."""
        return set()

    async def aget_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return await asyncio.to_thread(self.get_user_permissions, user_obj, obj)

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The permissions given to a user's groups."""
        return set()

    async def aget_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return await asyncio.to_thread(self.get_group_permissions, user_obj, obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The permissions that a user has in any way."""
        own = self.get_user_permissions(user_obj, obj)
        return {*own, *self.get_group_permissions(user_obj, obj)}

    async def aget_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        own = await self.aget_user_permissions(user_obj, obj)
        return {*own, *await self.aget_group_permissions(user_obj, obj)}

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether a user has a permission."""
        return perm in self.get_all_permissions(user_obj, obj)

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return perm in await self.aget_all_permissions(user_obj, obj)


class ModelBackend(BaseBackend):
    """Users of AUTH_USER_MODEL, by name and password; permissions of the tables of ``crowsfoot.contrib.auth``.

    A user's permissions are kept on the instance once they are read; load the user again to see new ones.
    """

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **kwargs: Any) -> Any:
        """The active user with this name and password, or None. One query.

        No value of either makes it raise, and an unknown user takes as long as a known one.
        """
        name = _credential(username, kwargs)
        if name is None or not isinstance(password, (str, bytes)):
            return None
        model = get_user_model()
        user = None
        key = _user_name(model, name)
        if key is not None:
            with suppress(model.DoesNotExist):
                user = model._default_manager.get_by_natural_key(key)
        if user is None:
            burn(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None

    async def aauthenticate(self, request: Any, username: Any = None, password: Any = None, **kwargs: Any) -> Any:
        name = _credential(username, kwargs)
        if name is None or not isinstance(password, (str, bytes)):
            return None
        model = get_user_model()
        user = None
        key = _user_name(model, name)
        if key is not None:
            with suppress(model.DoesNotExist):
                user = await model._default_manager.aget_by_natural_key(key)
        if user is None:
            await aburn(password)
            return None
        return user if await user.acheck_password(password) and self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: Any) -> bool:
        """Whether a user may log in: not where ``is_active`` is False."""
        return bool(getattr(user, "is_active", True))

    def get_user(self, user_id: Any) -> Any:
        """The user with this key, if there is one and it may log in. One query."""
        return self._allowed(get_user_model()._default_manager.filter(pk=user_id).first())

    async def aget_user(self, user_id: Any) -> Any:
        return self._allowed(await get_user_model()._default_manager.filter(pk=user_id).afirst())

    def _allowed(self, user: Any) -> Any:
        return user if user is not None and self.user_can_authenticate(user) else None

    # -- permissions ---------------------------------------------------------------------------------------------------

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return self._permissions(user_obj, obj, "user")

    async def aget_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return await self._apermissions(user_obj, obj, "user")

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return self._permissions(user_obj, obj, "group")

    async def aget_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return await self._apermissions(user_obj, obj, "group")

    def _get_user_permissions(self, user_obj: Any) -> Any:
        return user_obj.user_permissions.all()

    def _get_group_permissions(self, user_obj: Any) -> Any:
        return Permission.objects.filter(group__in=user_obj.groups.all())

    def _permissions(self, user: Any, obj: Any, source: str) -> set[str]:
        if not _may_have_permissions(user, obj):
            return set()
        held, cache = user.__dict__, f"_{source}_perm_cache"
        if cache not in held:
            held[cache] = {f"{app}.{codename}" for app, codename in self._asked(user, source)}
        return set(held[cache])

    async def _apermissions(self, user: Any, obj: Any, source: str) -> set[str]:
        if not _may_have_permissions(user, obj):
            return set()
        held, cache = user.__dict__, f"_{source}_perm_cache"
        if cache not in held:
            held[cache] = {f"{app}.{codename}" async for app, codename in self._asked(user, source)}
        return set(held[cache])

    def _asked(self, user: Any, source: str) -> Any:
        """App and codename of a user's permissions: directly, or by group; a superuser has all of them."""
        if user.is_superuser:
            rows = Permission.objects.all()
        elif source == "user":
            rows = self._get_user_permissions(user)
        else:
            rows = self._get_group_permissions(user)
        return rows.order_by().values_list("content_type__app_label", "codename")

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return bool(user_obj.is_active) and super().has_perm(user_obj, perm, obj)

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return bool(user_obj.is_active) and await super().ahas_perm(user_obj, perm, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether a user has any permission of an app."""
        return any(perm.startswith(f"{app_label}.") for perm in self.get_all_permissions(user_obj))

    async def ahas_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(perm.startswith(f"{app_label}.") for perm in await self.aget_all_permissions(user_obj))

    def with_perm(
        self, perm: Any, is_active: bool | None = True, include_superusers: bool = True, obj: Any = None
    ) -> Any:
        """The users who have a permission, as a queryset. Raises ``ValueError`` or ``TypeError`` for a bad ``perm``."""
        users = get_user_model()._default_manager
        wanted = _wanted_permission(perm)
        if obj is not None:
            return users.none()
        held = Q(group__user=OuterRef("pk")) | Q(user=OuterRef("pk"))
        condition = Q(Exists(Permission.objects.filter(held, wanted)))
        if include_superusers:
            condition |= Q(is_superuser=True)
        if is_active is not None:
            condition &= Q(is_active=is_active)
        return users.filter(condition)


class AllowAllUsersModelBackend(ModelBackend):
    """``ModelBackend`` that lets users log in who are not active."""

    def user_can_authenticate(self, user: Any) -> bool:
        return True


def _credential(username: Any, others: dict[str, Any]) -> Any:
    """The name to log in with, which may be given under the name of its field: ``authenticate(email=…)``."""
    return others.get(get_user_model().USERNAME_FIELD) if username is None else username


def _user_name(model: Any, name: Any) -> Any:
    """``name`` as the database can compare it; None where no user can have it.

    In a transaction an error of the database would be the end of it, so what PostgreSQL refuses is not sent.
    """
    field = model._meta.get_field(model.USERNAME_FIELD)
    if field.type.python is not str:
        try:
            key = field.to_python(name)
            field.run_validators(key)
            return key
        except (ValidationError, TypeError, ValueError, ArithmeticError):
            return None
    if not isinstance(name, str) or "\0" in name or (field.max_length is not None and len(name) > field.max_length):
        return None
    try:
        name.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return None
    return name


def _may_have_permissions(user: Any, obj: Any) -> bool:
    return bool(user.is_active) and not user.is_anonymous and obj is None


def _wanted_permission(perm: Any) -> Q:
    if isinstance(perm, Permission):
        return Q(pk=perm.pk)
    if not isinstance(perm, str):
        raise TypeError("The `perm` argument must be a string or a permission instance.")
    app_label, dot, codename = perm.partition(".")
    if not dot or "." in codename:
        raise ValueError("Permission name should be in the form app_label.permission_codename.")
    return Q(codename=codename, content_type__app_label=app_label)
