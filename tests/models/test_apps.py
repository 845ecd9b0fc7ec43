"""Installed apps: which class says what an app is, and what its models make of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from crowsfoot import apps as installed
from crowsfoot import models
from crowsfoot.conf import settings
from crowsfoot.errors import FieldDoesNotExist, ImproperlyConfigured
from crowsfoot.models.model import apps as registry
from crowsfoot.testing import isolated_registry

MODELS = "from crowsfoot import models\n\n\nclass Plant(models.Model):\n    name = models.CharField(max_length=9)\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Makes a package that can be imported, and takes all traces of it away again."""
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []
    packages, loaded = dict(registry.packages), dict(installed._loaded)

    def make(name: str, **files: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        for file, text in files.items():
            (folder / f"{file}.py").write_text(dedent(text))
        made.append(name)
        return name

    yield make
    registry.packages = packages
    installed._loaded.clear()
    installed._loaded.update(loaded)
    for module in [module for module in sys.modules if module.partition(".")[0] in made]:
        del sys.modules[module]


def load(*entries: str) -> list[Any]:
    with settings.override(INSTALLED_APPS=list(entries)), isolated_registry() as scratch:
        found = installed.load_apps()
        assert scratch is not registry
        return found


CONFIG = """
    from crowsfoot.apps import AppConfig

    class GardenConfig(AppConfig):
        name = "{name}"
        label = "beds"
        verbose_name = "The garden"
        default_auto_field = "crowsfoot.models.SmallAutoField"
        calls = 0

        def ready(self):
            type(self).calls += 1
"""


def test_the_one_class_of_an_app_says_what_it_is(package: Callable[..., str]) -> None:
    name = package("cf_garden", apps=CONFIG.format(name="cf_garden"))
    (app,) = load(name)
    assert type(app).__name__ == "GardenConfig"
    assert (app.name, app.label, app.verbose_name, app.path.name) == (name, "beds", "The garden", name)
    load(name)
    assert app.calls == 1
    with isolated_registry() as scratch:
        scratch.packages[name] = app.as_package()
        attrs: dict[str, Any] = {"__module__": f"{name}.models", "others": models.ManyToManyField("self")}
        plant: Any = type("Plant", (models.Model,), attrs)
    assert plant._meta.label == "beds.Plant"
    assert type(plant._meta.pk) is models.SmallAutoField
    assert type(plant.others.through._meta.pk) is models.SmallAutoField


def test_the_settings_may_name_the_class(package: Callable[..., str]) -> None:
    name = package("cf_orchard", setup=CONFIG.format(name="cf_orchard"))
    (app,) = load(f"{name}.setup.GardenConfig")
    assert (type(app).__name__, app.label) == ("GardenConfig", "beds")


def test_of_several_classes_the_default_one_counts(package: Callable[..., str]) -> None:
    several = """
        from crowsfoot.apps import AppConfig

        class One(AppConfig):
            name = "cf_several"

        class Two(AppConfig):
            name = "cf_several"
            default = {default}
    """
    name = package("cf_several", apps=several.format(default=True))
    assert type(load(name)[0]).__name__ == "Two"
    one = package("cf_one", apps=several.format(default=False).replace("cf_several", "cf_one"))
    assert type(load(one)[0]).__name__ == "One"
    none = several.format(default=False).replace("cf_several", "cf_none").replace("default =", "other =")
    assert type(load(package("cf_none", apps=none))[0]) is installed.AppConfig


def test_what_is_no_app_is_told(package: Callable[..., str]) -> None:
    nameless = (
        "from crowsfoot.apps import AppConfig\n\n\nclass Nameless(AppConfig):\n    pass\n\n\nclass Thing:\n    pass\n"
    )
    name = package("cf_odd", config=nameless)
    with pytest.raises(ImproperlyConfigured, match="must supply a name attribute"):
        load(f"{name}.config.Nameless")
    with pytest.raises(ImproperlyConfigured, match="isn't a subclass of AppConfig"):
        load(f"{name}.config.Thing")
    with pytest.raises(ImproperlyConfigured, match="cannot be imported"):
        load(f"{name}.config.Missing")


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("None", ImproperlyConfigured, "cf_keys.apps.KeysConfig.default_auto_field must not be empty."),
        ('"nowhere.Key"', ImproperlyConfigured, "cf_keys.apps.KeysConfig.default_auto_field refers to the module 'now"),
        ('"django.db.models.TextField"', ValueError, "referred by cf_keys.apps.KeysConfig.default_auto_field must"),
    ],
)
def test_a_key_that_is_none_names_the_class_that_asked_for_it(
    package: Callable[..., str], path: str, kind: type[Exception], words: str
) -> None:
    config = f"""
        from crowsfoot.apps import AppConfig

        class KeysConfig(AppConfig):
            name = "cf_keys"
            default_auto_field = {path}
    """
    name = package("cf_keys", apps=config)
    with isolated_registry(f"{name}.apps.KeysConfig"), pytest.raises(kind) as caught:
        type("Plant", (models.Model,), {"__module__": f"{name}.models"})
    assert words in str(caught.value)


def test_without_a_class_the_package_says_it_all(package: Callable[..., str]) -> None:
    (app,) = load(package("cf_bare", models=MODELS))
    assert (type(app), app.label, app.verbose_name) == (installed.AppConfig, "cf_bare", "Cf_Bare")
    assert app.as_package().auto_field is None


def test_while_models_are_imported_only_fields_are_found(package: Callable[..., str]) -> None:
    early = """
        from crowsfoot import models
        from crowsfoot.errors import FieldDoesNotExist

        class Plant(models.Model):
            name = models.CharField(max_length=9)

        class Leaf(models.Model):
            plant = models.ForeignKey(Plant, models.CASCADE, related_name="leaves")

        Plant._meta.get_field("name")
        Leaf._meta.get_field("plant_id")
        try:
            Plant._meta.get_field("leaves")
        except FieldDoesNotExist as error:
            SAID = str(error)
    """
    (app,) = load(package("early", models=early))
    assert "Plant has no field named 'leaves'. The app cache isn't ready yet" in app.models_module.SAID
    plant = app.models_module.Plant._meta
    assert plant.get_field("leaves").related_model is app.models_module.Leaf
    with pytest.raises(FieldDoesNotExist, match="Did you mean 'name'"):
        plant.get_field("nam")
    broken = settings.override(INSTALLED_APPS=[package("broken", models="1 / 0")])
    with isolated_registry() as scratch, broken, pytest.raises(ZeroDivisionError):
        installed.load_apps()
    assert scratch.models_ready
