"""`ContentType`: the row that stands for a model (``django.contrib.contenttypes.models``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crowsfoot import models
from crowsfoot.apps import get_app_config
from crowsfoot.contrib.contenttypes.management import create_contenttypes
from crowsfoot.database import databases
from crowsfoot.drivers.run import Operation
from crowsfoot.models import routing, signals
from crowsfoot.models.manager import Manager
from crowsfoot.models.model import apps
from crowsfoot.persistence.session import Session

Key = tuple[str, str]


class ContentTypeManager(Manager["ContentType"]):
    """Finds content types and remembers them, so that each is read from a database once.

    A manager remembers by database; ``clear_cache()`` makes it forget.
    """

    use_in_migrations = True

    def __init__(self) -> None:
        super().__init__()
        # By database: every content type under its id and under (app_label, model).
        self._cache: dict[str, dict[Any, ContentType]] = {}

    # -- of models -----------------------------------------------------------------------------------------------------

    def get_for_model(self, model: Any, for_concrete_model: bool = True) -> ContentType:
        """The content type of a model (or of an instance's model), made where it is missing.

        No query where it is remembered, else one, and one to make it. A proxy has that of the model it stands for,
        unless ``for_concrete_model`` is False.
        """
        key = key_of(model, for_concrete_model)
        self._learn([key])
        return self._known[key]

    async def aget_for_model(self, model: Any, for_concrete_model: bool = True) -> ContentType:
        key = key_of(model, for_concrete_model)
        await self._alearn([key])
        return self._known[key]

    def get_for_models(self, *models: Any, for_concrete_models: bool = True) -> dict[Any, ContentType]:
        """The content types by model. One query for all that are not remembered, and one for each that is missing."""
        keys = {model: key_of(model, for_concrete_models) for model in models}
        self._learn(keys.values())
        return {model: self._known[key] for model, key in keys.items()}

    async def aget_for_models(self, *models: Any, for_concrete_models: bool = True) -> dict[Any, ContentType]:
        keys = {model: key_of(model, for_concrete_models) for model in models}
        await self._alearn(keys.values())
        return {model: self._known[key] for model, key in keys.items()}

    def _learn(self, keys: Iterable[Key]) -> None:
        if unknown := self._unknown(keys):
            databases[self.db].run(self._find, unknown)
            if missing := self._unknown(unknown):
                databases[self._write_alias].run(self._make, missing)

    async def _alearn(self, keys: Iterable[Key]) -> None:
        if unknown := self._unknown(keys):
            await databases[self.db].arun(self._find, unknown)
            if missing := self._unknown(unknown):
                await databases[self._write_alias].arun(self._make, missing)

    def _unknown(self, keys: Iterable[Key]) -> list[Key]:
        return [key for key in dict.fromkeys(keys) if key not in self._known]

    @property
    def _write_alias(self) -> str:
        return self._db or routing.write(self.model, self._hints)

    def _find(self, session: Session, keys: list[Key]) -> Operation[None]:
        by_app: dict[str, list[str]] = {}
        for app_label, model in keys:
            by_app.setdefault(app_label, []).append(model)
        wanted = models.Q()
        for app_label, names in by_app.items():
            wanted |= models.Q(app_label=app_label, model__in=names)
        self._remember((yield from self.using(session.alias).filter(wanted)._load(session)))

    def _make(self, session: Session, keys: list[Key]) -> Operation[None]:
        """Make rows, or take those that somebody else has made since; neither disturbs a transaction that is open."""
        rows = self.using(session.alias)
        conflict = rows._conflict(False, True, ["model"], ["app_label", "model"])
        for app_label, name in keys:
            made = self.model(app_label=app_label, model=name)
            yield from rows._bulk_create(session, [made], conflict=conflict)
            self._remember([made])

    def _of_model(self, session: Session, model: Any, concrete: bool) -> Operation[ContentType]:
        """As ``get_for_model``, in a session."""
        here = self.db_manager(session.alias)
        key = key_of(model, concrete)
        for learn in (here._find, here._make):
            if unknown := here._unknown([key]):
                yield from learn(session, unknown)
        return here._known[key]

    def _of_ids(self, session: Session, ids: Iterable[Any]) -> Operation[dict[Any, ContentType]]:
        """The content types with these ids, by id, as far as there are any. One query, or none."""
        here = self.db_manager(session.alias)
        unknown = [id for id in ids if id not in here._known]
        if unknown:
            here._remember((yield from here.using(session.alias).filter(pk__in=unknown)._load(session)))
        return {id: here._known[id] for id in ids if id in here._known}

    # -- by what they are ----------------------------------------------------------------------------------------------

    def get_for_id(self, id: Any) -> ContentType:
        """The content type with this id. One query, or none. Raises ``ContentType.DoesNotExist``."""
        return self._known.get(id) or self._remember([self.get(pk=id)])

    async def aget_for_id(self, id: Any) -> ContentType:
        return self._known.get(id) or self._remember([await self.aget(pk=id)])

    def get_by_natural_key(self, app_label: str, model: str) -> ContentType:
        """The content type of the model with this name. One query, or none. Raises ``ContentType.DoesNotExist``."""
        known = self._known.get((app_label, model))
        return known or self._remember([self.get(app_label=app_label, model=model)])

    async def aget_by_natural_key(self, app_label: str, model: str) -> ContentType:
        known = self._known.get((app_label, model))
        return known or self._remember([await self.aget(app_label=app_label, model=model)])

    # -- the memory ----------------------------------------------------------------------------------------------------

    def clear_cache(self) -> None:
        """Forget all content types: after their rows were deleted or written by others."""
        self._cache.clear()

    @property
    def _known(self) -> dict[Any, ContentType]:
        """What is remembered of the database that this manager reads from."""
        return self._cache.setdefault(self.db, {})

    def _remember(self, found: Iterable[ContentType]) -> Any:
        """Keep content types; returns the last of them."""
        known = self._known
        content_type = None
        for content_type in found:
            known[(content_type.app_label, content_type.model)] = content_type
            known[content_type.pk] = content_type
        return content_type


def key_of(model: Any, concrete: bool) -> Key:
    """What a model's content type is found by; a proxy has that of the model it stands for where ``concrete``."""
    meta = model._meta.concrete_model._meta if concrete else model._meta
    return meta.app_label, meta.model_name


class ContentType(models.Model):
    """A model of the project, as a row. The row stays when the model is gone; then ``model_class()`` is None."""

    id = models.AutoField(auto_created=True, primary_key=True, verbose_name="ID")
    app_label = models.CharField(max_length=100)
    model = models.CharField("python model class name", max_length=100)

    objects = ContentTypeManager()

    class Meta:
        verbose_name = "content type"
        verbose_name_plural = "content types"
        db_table = "django_content_type"
        unique_together = [["app_label", "model"]]

    def __str__(self) -> str:
        return self.app_labeled_name

    @property
    def name(self) -> str:
        """The model's verbose name; the stored name of a model that is gone."""
        model = self.model_class()
        return self.model if model is None else str(model._meta.verbose_name)

    @property
    def app_labeled_name(self) -> str:
        """The name with the app's before it, for people to read."""
        model = self.model_class()
        if model is None:
            return f"{self.app_label} | {self.model}"
        return f"{_app_name(self.app_label)} | {model._meta.verbose_name}"

    def model_class(self) -> Any:
        """The model, or None where the project has it no more."""
        try:
            return apps.get_model(self.app_label, self.model)
        except LookupError:
            return None

    def get_object_for_this_type(self, using: str | None = None, **kwargs: Any) -> Any:
        """The one row of this model that meets the conditions. One query.

        Raises the model's ``DoesNotExist`` or ``MultipleObjectsReturned``, and ``LookupError`` where the model is gone.
        """
        return self._rows().using(using).get(**kwargs)

    async def aget_object_for_this_type(self, using: str | None = None, **kwargs: Any) -> Any:
        return await self._rows().using(using).aget(**kwargs)

    def get_all_objects_for_this_type(self, **kwargs: Any) -> Any:
        """The rows of this model that meet the conditions, as a queryset. Raises ``LookupError``."""
        return self._rows().filter(**kwargs)

    def _rows(self) -> Any:
        return apps.get_model(self.app_label, self.model)._base_manager

    def natural_key(self) -> Key:
        return self.app_label, self.model


def _app_name(label: str) -> str:
    try:
        return get_app_config(label).verbose_name
    except LookupError:  # a model of a script belongs to no installed app
        return label.title()


signals.post_migrate.connect(create_contenttypes, dispatch_uid="contenttypes")
