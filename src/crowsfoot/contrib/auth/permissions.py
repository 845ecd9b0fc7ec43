"""What users may do: the questions that users with and without a row answer, by asking the backends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from crowsfoot.contrib.auth import get_backends
from crowsfoot.errors import PermissionDenied


def _backends_with(method: str) -> Iterator[Any]:
    """The bound method of each backend that has it."""
    for backend in get_backends():
        found = getattr(backend, method, None)
        if found is not None:
            yield found


class PermissionQuestions:
    """``has_perm`` and its like. A permission is written ``"app_label.codename"``.

    A backend grants a permission by saying yes; the first yes counts, and ``PermissionDenied`` is a no for all. An
    active superuser has every permission without a question. ``obj`` asks for one object, of which ``ModelBackend``
    knows nothing.
    """

    is_active: Any
    is_superuser: Any

    def get_user_permissions(self, obj: Any = None) -> set[str]:
        """The permissions given to the user directly. One query for each instance, then none."""
        return self._gather("get_user_permissions", obj)

    async def aget_user_permissions(self, obj: Any = None) -> set[str]:
        return await self._agather("aget_user_permissions", obj)

    def get_group_permissions(self, obj: Any = None) -> set[str]:
        """The permissions given to the user's groups. One query for each instance, then none."""
        return self._gather("get_group_permissions", obj)

    async def aget_group_permissions(self, obj: Any = None) -> set[str]:
        return await self._agather("aget_group_permissions", obj)

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        """The permissions that the user has in any way. Two queries for each instance, then none."""
        return self._gather("get_all_permissions", obj)

    async def aget_all_permissions(self, obj: Any = None) -> set[str]:
        return await self._agather("aget_all_permissions", obj)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether the user has a permission. At most two queries for each instance, then none."""
        return self._has_all or self._granted("has_perm", perm, obj)

    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        return self._has_all or await self._agranted("ahas_perm", perm, obj)

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        """Whether the user has every one of these permissions. Raises ``ValueError`` for a string."""
        return all(self.has_perm(perm, obj) for perm in _listed(perm_list))

    async def ahas_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        for perm in _listed(perm_list):
            if not await self.ahas_perm(perm, obj):
                return False
        return True

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the user has any permission of an app."""
        return self._has_all or self._granted("has_module_perms", app_label)

    async def ahas_module_perms(self, app_label: str) -> bool:
        return self._has_all or await self._agranted("ahas_module_perms", app_label)

    @property
    def _has_all(self) -> bool:
        return bool(self.is_active and self.is_superuser)

    def _gather(self, method: str, obj: Any) -> set[str]:
        found: set[str] = set()
        for ask in _backends_with(method):
            found.update(ask(self, obj))
        return found

    async def _agather(self, method: str, obj: Any) -> set[str]:
        found: set[str] = set()
        for ask in _backends_with(method):
            found.update(await ask(self, obj))
        return found

    def _granted(self, method: str, *question: Any) -> bool:
        try:
            return any(ask(self, *question) for ask in _backends_with(method))
        except PermissionDenied:
            return False

    async def _agranted(self, method: str, *question: Any) -> bool:
        try:
            for ask in _backends_with(method):
                if await ask(self, *question):
                    return True
        except PermissionDenied:
            pass
        return False


def _listed(perm_list: Any) -> Iterable[str]:
    if not isinstance(perm_list, Iterable) or isinstance(perm_list, str):
        raise ValueError(f"perm_list must be an iterable of permissions. Write a list: [{perm_list!r}].")
    return cast("Iterable[str]", perm_list)
