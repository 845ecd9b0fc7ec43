"""Users: making them, their passwords, and the one who has no row."""

from __future__ import annotations

import asyncio
from typing import Any

import contrib_models as club
import pytest

from crowsfoot import timezones
from crowsfoot.conf import settings
from crowsfoot.contrib.auth import get_user_model
from crowsfoot.contrib.auth.hashers import PBKDF2PasswordHasher, identify_hasher
from crowsfoot.contrib.auth.models import AnonymousUser, Group, Permission, User, UserManager
from crowsfoot.errors import ImproperlyConfigured, IntegrityError, ValidationError

OLD = PBKDF2PasswordHasher()


class Told:
    """A password validator that notes what it is told."""

    told: list[tuple[Any, Any]] = []

    def validate(self, password: str, user: Any = None) -> None: ...

    def get_help_text(self) -> str:
        return ""

    def password_changed(self, password: str, user: Any) -> None:
        self.told.append((password, user))


# -- making users ------------------------------------------------------------------------------------------------------


def test_a_new_user_has_a_row(call: Any) -> None:
    before = timezones.now()
    user = call(User.objects, "create_user", "asha", "Asha@EXAMPLE.com", "secret", first_name="Asha", last_name="Rao")
    found = call(User.objects, "get", username="asha")
    assert found == user
    assert found.email == "Asha@example.com"
    assert (found.is_active, found.is_staff, found.is_superuser) == (True, False, False)
    assert before <= found.date_joined <= timezones.now()
    assert found.last_login is None
    assert found.password.startswith("md5$")
    assert call(found, "check_password", "secret")
    assert not call(found, "check_password", "Secret")
    assert (found.get_full_name(), found.get_short_name(), str(found)) == ("Asha Rao", "Asha", "asha")
    assert found.is_authenticated
    assert not found.is_anonymous


def test_a_user_without_a_password_cannot_log_in(call: Any) -> None:
    user = call(User.objects, "create_user", "asha")
    assert (user.email, user.has_usable_password()) == ("", False)
    assert not call(user, "check_password", "")
    assert not call(user, "check_password", None)


def test_a_superuser_has_both_flags(call: Any) -> None:
    user = call(User.objects, "create_superuser", "root", password="secret")
    assert (user.is_staff, user.is_superuser) == (True, True)
    with pytest.raises(ValueError, match=r"Superuser must have is_staff=True\."):
        call(User.objects, "create_superuser", "root2", is_staff=False)
    with pytest.raises(ValueError, match=r"Superuser must have is_superuser=True\."):
        call(User.objects, "create_superuser", "root2", is_superuser=False)


def test_a_superuser_is_not_made_by_an_overridden_create_user(db: Any) -> None:
    class Welcoming(UserManager):
        def create_user(self, *args: Any, **kwargs: Any) -> Any:
            raise AssertionError("superusers are not welcomed")

    manager = Welcoming()
    manager.model = User
    assert manager.create_superuser("root").is_superuser


def test_a_name_is_needed_and_taken_once(call: Any) -> None:
    with pytest.raises(ValueError, match="The given username must be set"):
        call(User.objects, "create_user", "")
    call(User.objects, "create_user", "asha")
    with pytest.raises(IntegrityError):
        call(User.objects, "create_user", "asha")


def test_names_that_look_alike_are_one(call: Any) -> None:
    user = call(User.objects, "create_user", "ｉａｍtheΩ")  # the ohm sign and wide letters
    assert user.username == "iamtheΩ"


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("a@B.C", "a@b.c"),
        (' "o@o"@EXAMPLE.com ', '"o@o"@example.com'),
        ("no address", "no address"),
        ("A@", "A@"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_domain_of_an_address_is_in_lower_case(given: str | None, normal: str) -> None:
    assert UserManager.normalize_email(given) == normal


def test_natural_keys(call: Any) -> None:
    user = call(User.objects, "create_user", "asha")
    assert call(User.objects, "get_by_natural_key", *user.natural_key()) == user
    group = call(Group.objects, "create", name="editors")
    assert call(Group.objects, "get_by_natural_key", *group.natural_key()) == group
    with pytest.raises(User.DoesNotExist):
        call(User.objects, "get_by_natural_key", "ravi")


def test_a_user_is_validated(db: Any) -> None:
    user = User(username="a b", email="x@Y.Z", password="x")
    with pytest.raises(ValidationError) as caught:
        user.full_clean()
    assert caught.value.message_dict == {
        "username": ["Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."],
        "email": ["Enter a valid email address."],
    }
    User.objects.create_user("asha")
    with pytest.raises(ValidationError) as caught:
        User(username="asha", password="x").full_clean()
    assert caught.value.message_dict == {"username": ["A user with that username already exists."]}


def test_a_field_that_a_base_has_a_value_for_is_loaded_when_it_was_deferred(db: Any) -> None:
    User.objects.create_user("asha", is_active=False)
    assert User.objects.defer("is_active").get().is_active is False
    assert User.objects.filter(User.is_active == False).exists()  # noqa: E712  (a typed path)


# -- passwords ---------------------------------------------------------------------------------------------------------


def test_a_password_is_set_with_save(call: Any) -> None:
    user = call(User.objects, "create_user", "asha", password="old")
    user.set_password("new")
    assert call(call(User.objects, "get"), "check_password", "old")
    call(user, "save")
    assert call(call(User.objects, "get"), "check_password", "new")
    user.set_unusable_password()
    assert not user.has_usable_password()


def test_validators_are_told_of_a_new_password_when_it_is_saved(call: Any) -> None:
    Told.told.clear()
    with settings.override(AUTH_PASSWORD_VALIDATORS=[{"NAME": f"{Told.__module__}.Told"}]):
        user = call(User.objects, "create_user", "asha", password="old")
        user.set_password("new")
        assert Told.told == []
        call(user, "save")
        call(user, "save")
    assert Told.told == [("new", user)]


def test_a_hash_of_another_kind_is_renewed_by_the_right_password(call: Any) -> None:
    encoded = OLD.encode("secret", "salt", 1000)
    user = call(User.objects, "create", username="asha", password=encoded)
    assert not call(user, "check_password", "wrong")
    assert call(User.objects, "get").password == encoded
    assert call(user, "check_password", "secret")
    stored = call(User.objects, "get").password
    assert identify_hasher(stored).algorithm == "md5"
    assert user.password == stored
    assert call(user, "check_password", "secret")


def test_renewing_a_hash_does_not_undo_a_new_password(call: Any) -> None:
    encoded = OLD.encode("old", "salt", 1000)
    user = call(User.objects, "create", username="asha", password=encoded)
    other = call(User.objects, "get")
    other.set_password("new")
    call(other, "save")
    assert call(user, "check_password", "old")  # what was loaded before
    stored = call(User.objects, "get")
    assert call(stored, "check_password", "new")
    assert not call(stored, "check_password", "old")


def test_an_unsaved_user_gets_the_new_hash_without_a_query() -> None:
    user = User(username="asha", password=OLD.encode("secret", "salt", 1000))
    assert user.check_password("secret")
    assert user.password.startswith("md5$")
    user.password = OLD.encode("secret", "salt", 1000)
    assert asyncio.run(user.acheck_password("secret"))
    assert user.password.startswith("md5$")


# -- which model -------------------------------------------------------------------------------------------------------


def test_the_model_of_users_is_a_setting() -> None:
    assert get_user_model() is User
    with settings.override(AUTH_USER_MODEL="club.Member"):
        assert get_user_model() is club.Member
        with pytest.raises(AttributeError, match=r"'auth\.User' has been swapped for 'club\.Member'"):
            User.objects  # noqa: B018
    with settings.override(AUTH_USER_MODEL="club.Membre"), pytest.raises(ImproperlyConfigured, match="Member"):
        get_user_model()
    with settings.override(AUTH_USER_MODEL="Member"), pytest.raises(ImproperlyConfigured, match=r"app_label\.model"):
        get_user_model()


def test_names_of_tables_and_ways_back() -> None:
    assert User._meta.db_table == "auth_user"
    assert User._meta.get_field("groups").m2m_db_table() == "auth_user_groups"
    assert User._meta.get_field("user_permissions").m2m_db_table() == "auth_user_user_permissions"
    assert Group._meta.get_field("permissions").m2m_db_table() == "auth_group_permissions"
    assert {rel.get_accessor_name() for rel in Permission._meta.related_objects} == {"group_set", "user_set"}
    assert Group._meta.get_field("user").get_accessor_name() == "user_set"


# -- nobody ------------------------------------------------------------------------------------------------------------


def test_the_anonymous_user_has_no_row_and_no_rights(call: Any) -> None:
    nobody = AnonymousUser()
    assert (nobody.pk, nobody.get_username(), str(nobody)) == (None, "", "AnonymousUser")
    assert nobody == AnonymousUser()
    assert hash(nobody) == hash(AnonymousUser())
    assert nobody.is_anonymous
    assert not nobody.is_authenticated
    assert call.rows(nobody.groups.all()) == call.rows(nobody.user_permissions.all()) == []
    assert not call(nobody, "has_perm", "club.add_article")
    assert not call(nobody, "has_module_perms", "club")
    assert call(nobody, "get_all_permissions") == call(nobody, "get_group_permissions") == set()
    for name in ("save", "delete"):
        with pytest.raises(NotImplementedError, match="no row"):
            call(nobody, name)
    with pytest.raises(TypeError, match="User"):
        int(nobody)
