"""What users may do: directly, by group, as superusers, and by what backends say."""

from __future__ import annotations

from typing import Any

import contrib_models as club
import pytest

from crowsfoot.conf import settings
from crowsfoot.contrib.auth import backends
from crowsfoot.contrib.auth.management import create_permissions
from crowsfoot.contrib.auth.models import AnonymousUser, Group, Permission, User
from crowsfoot.contrib.contenttypes.models import ContentType
from crowsfoot.errors import PermissionDenied
from crowsfoot.testing import assert_num_queries

MODEL = "crowsfoot.contrib.auth.backends.ModelBackend"
HERE = __name__


class Club:
    """Stands for the installed app of the tests' models."""

    label = "club"


@pytest.fixture
def permissions(db: Any) -> dict[str, Permission]:
    """The permissions of the app, by codename."""
    create_permissions(Club)
    return {permission.codename: permission for permission in Permission.objects.all()}


@pytest.fixture
def asha(permissions: dict[str, Permission]) -> Any:
    """May add articles herself, and change them as an editor."""
    user = User.objects.create_user("asha", password="secret")
    user.user_permissions.add(permissions["add_article"])
    editors = Group.objects.create(name="editors")
    editors.permissions.add(permissions["change_article"])
    user.groups.add(editors)
    return user


def test_each_model_of_an_app_gets_its_permissions(permissions: dict[str, Permission]) -> None:
    of_articles = {c: p.name for c, p in permissions.items() if p.content_type.model_class() is club.Article}
    assert of_articles == {
        "add_article": "Can add article",
        "change_article": "Can change article",
        "delete_article": "Can delete article",
        "view_article": "Can view article",
        "print_article": "Can print",
    }
    of_news = [c for c, p in permissions.items() if p.content_type.model_class() is club.News]
    assert of_news == ["view_news"]
    number = Permission.objects.count()
    with assert_num_queries(3):
        create_permissions(Club)
    assert Permission.objects.count() == number


def test_a_permission_says_what_it_is(permissions: dict[str, Permission], call: Any) -> None:
    found = permissions["print_article"]
    assert str(found) == "Club | article | Can print"
    assert found.user_perm_str == "club.print_article"
    assert found.natural_key() == ("print_article", "club", "article")
    assert call(Permission.objects, "get_by_natural_key", *found.natural_key()) == found
    with pytest.raises(ContentType.DoesNotExist):
        call(Permission.objects, "get_by_natural_key", "print_article", "club", "artikel")
    assert [p.codename for p in Permission.objects.filter(content_type__model="article")] == sorted(
        c for c in permissions if c.endswith("_article")
    )


def test_permissions_come_from_the_user_and_from_groups(asha: Any, call: Any) -> None:
    user = call(User.objects, "get", username="asha")
    assert call(user, "get_user_permissions") == {"club.add_article"}
    assert call(user, "get_group_permissions") == {"club.change_article"}
    assert call(user, "get_all_permissions") == {"club.add_article", "club.change_article"}
    assert call(user, "has_perm", "club.add_article")
    assert call(user, "has_perm", "club.change_article")
    assert not call(user, "has_perm", "club.delete_article")
    assert call(user, "has_perms", ["club.add_article", "club.change_article"])
    assert not call(user, "has_perms", ["club.add_article", "club.delete_article"])
    assert call(user, "has_module_perms", "club")
    assert not call(user, "has_module_perms", "clu")


def test_permissions_are_read_once_for_an_instance(asha: Any, permissions: dict[str, Permission]) -> None:
    user = User.objects.get()
    with assert_num_queries(2):
        user.has_perm("club.add_article")
        user.has_perm("club.change_article")
        user.has_module_perms("club")
        user.get_all_permissions()
    user.user_permissions.add(permissions["view_article"])
    assert not user.has_perm("club.view_article")
    assert User.objects.get().has_perm("club.view_article")
    user.get_all_permissions().add("club.delete_article")
    assert not user.has_perm("club.delete_article")


def test_of_one_object_the_tables_know_nothing(asha: Any, call: Any) -> None:
    article = club.Article(title="x")
    assert not call(asha, "has_perm", "club.add_article", article)
    assert call(asha, "get_all_permissions", article) == set()


def test_who_is_not_active_may_do_nothing(asha: Any, call: Any) -> None:
    for superuser in (False, True):
        asha.is_active, asha.is_superuser = False, superuser
        assert not call(asha, "has_perm", "club.add_article")
        assert not call(asha, "has_module_perms", "club")
        assert call(asha, "get_all_permissions") == set()


def test_a_superuser_may_do_everything(asha: Any, permissions: dict[str, Permission], call: Any) -> None:
    root = call(User.objects, "create_superuser", "root")
    with assert_num_queries(0):
        assert call(root, "has_perm", "anything.at_all")
        assert call(root, "has_perms", ["anything.at_all"])
        assert call(root, "has_module_perms", "anything")
    assert len(call(root, "get_all_permissions")) == len(permissions)


@pytest.mark.parametrize("user", [User(username="asha"), AnonymousUser()], ids=["user", "anonymous"])
@pytest.mark.parametrize("given", ["club.add_article", 1, None])
def test_has_perms_wants_a_list(call: Any, user: Any, given: Any) -> None:
    with pytest.raises(ValueError, match="perm_list must be an iterable of permissions"):
        call(user, "has_perms", given)


# -- who has a permission ----------------------------------------------------------------------------------------------


def test_users_with_a_permission(asha: Any, permissions: dict[str, Permission], call: Any) -> None:
    root = User.objects.create_superuser("root")
    gone = User.objects.create_user("gone", is_active=False)
    gone.user_permissions.add(permissions["add_article"])

    def names(perm: Any, **options: Any) -> list[str]:
        return sorted(user.username for user in call.rows(User.objects.with_perm(perm, **options)))

    assert names("club.add_article") == names(permissions["add_article"]) == ["asha", "root"]
    assert names("club.change_article", include_superusers=False) == ["asha"]
    assert names("club.add_article", is_active=None) == ["asha", "gone", "root"]
    assert names("club.add_article", is_active=False) == ["gone"]
    assert names("club.delete_article") == ["root"]
    assert names("club.add_article", backend=MODEL, include_superusers=False) == ["asha"]
    assert names("club.add_article", obj=root) == []


def test_with_perm_says_what_it_wants(db: Any) -> None:
    for perm in ("add_article", "a.b.c"):
        with pytest.raises(ValueError, match=r"app_label\.permission_codename"):
            User.objects.with_perm(perm)
    with pytest.raises(TypeError, match="must be a string or a permission instance"):
        User.objects.with_perm(5)
    with pytest.raises(TypeError, match="dotted import path string"):
        User.objects.with_perm("club.add_article", backend=backends.ModelBackend())  # type: ignore[arg-type]
    with settings.override(AUTHENTICATION_BACKENDS=[MODEL, f"{HERE}.Says"]):
        with pytest.raises(ValueError, match="multiple authentication backends"):
            User.objects.with_perm("club.add_article")
        assert list(User.objects.with_perm("club.add_article", backend=f"{HERE}.Silent")) == []


# -- what other backends say -------------------------------------------------------------------------------------------


class Says(backends.BaseBackend):
    """Lets everyone, even the anonymous, read; asked to write, it refuses for all backends."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return {"wiki.read"}

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return {"wiki.browse"}

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if perm == "club.add_article":
            raise PermissionDenied
        return super().has_perm(user_obj, perm, obj)

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return self.has_perm(user_obj, perm, obj)


class Silent:
    """A backend without questions."""


def test_any_backend_may_say_yes_and_one_may_refuse_for_all(asha: Any, call: Any) -> None:
    with settings.override(AUTHENTICATION_BACKENDS=[f"{HERE}.Silent", f"{HERE}.Says", MODEL]):
        assert call(asha, "get_all_permissions") == {
            "wiki.read", "wiki.browse", "club.add_article", "club.change_article",
        }  # fmt: skip
        assert call(asha, "has_perm", "wiki.read")
        assert call(asha, "has_perm", "club.change_article")
        assert not call(asha, "has_perm", "club.add_article")
        nobody = AnonymousUser()
        assert call(nobody, "has_perm", "wiki.browse")
        assert call(nobody, "get_all_permissions") == {"wiki.read", "wiki.browse"}
        assert call(nobody, "get_group_permissions") == set()
