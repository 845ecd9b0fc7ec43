"""What a relation looks like on an instance: ``post.author``, ``author.posts``, ``user.profile``.

A relation end becomes one descriptor: a related instance where ``many`` is False, a manager where it is True. Touching
what is not loaded loads it for the whole cohort in one query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import getattr_static
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from crowsfoot.conf import settings
from crowsfoot.errors import FieldDoesNotExist, unknown_name
from crowsfoot.functional import unwrapped
from crowsfoot.models import conditional, routing, typed
from crowsfoot.models.deferred import (
    Question,
    column_answer,
    column_question,
    peers_lacking,
    peers_pointing,
    refuse_if_raising,
)
from crowsfoot.models.layout import share_keys
from crowsfoot.models.link_managers import ManyRelatedManager
from crowsfoot.models.places import add_order
from crowsfoot.models.prefetch import ABSENT
from crowsfoot.models.related_managers import KeyManager, make_manager_class
from crowsfoot.models.related_rows import (
    NOT_LOADED,
    ask,
    base_queryset,
    described,
    held_in,
    lineage,
    load_to_one,
    narrowed,
    only_queryset,
    way_back,
)
from crowsfoot.persistence.asyncness import refuse_touch
from crowsfoot.persistence.cohort import SAVED, lone, saved
from crowsfoot.query.related_values import is_a
from crowsfoot.schema.relation import End, Relation

EMPTY: Mapping[str, Any] = MappingProxyType({})
new = object.__new__


def install_relation(relation: Relation) -> None:
    """Give both entities of a new relation their ends, and both models their accessors."""
    forward, reverse = relation.ends
    forward.owner.add_end(forward)
    if relation.is_parent:
        forward.owner.model._meta.inherit(forward)
    if not (relation.symmetrical and reverse.name.endswith("+")):
        reverse.owner.add_end(reverse)
    else:
        reverse.owner.ends.setdefault(reverse.name, reverse)
    add_order(relation)
    for end in relation.ends:
        if end.accessor is None or end.accessor.endswith("+"):
            continue
        if end is reverse and relation.symmetrical:
            continue
        model = end.owner.model
        if end is reverse:  # what points at a proxy points at the rows it stands for
            model = model._meta.concrete_model
        existing = model.__dict__.get(end.accessor)
        if existing is not None and not isinstance(existing, (ToOne, ToMany)) and end is reverse:
            continue
        accessor = _accessor(end)
        accessor.bind(end)
        setattr(model, end.accessor, accessor)
        setattr(model, end.slot, NOT_LOADED)
        share_keys(model, [end.slot])


def _accessor(end: End) -> Any:
    """What the field that declared a relation wants for an accessor, if it has wishes."""
    field = end.field
    if not hasattr(field, "related_accessor_class"):
        return ToMany(field) if end.is_collection else ToOne(field)
    return field.forward_accessor if end.is_forward else field.related_accessor_class(field.remote_field)


def _alias(instance: Any, end: End) -> str:
    hints = {"instance": instance}
    return routing.read(end.target.model, hints)


DEFERRED: Any = object()


class ToOne:
    """The accessor of a to-one end, from either side. ``source`` is the field that declares the relation, or its way
    back (``remote_field``).

    A field class may have a subclass of it: in ``forward_related_accessor_class``, or put on the model by its
    ``contribute_to_class()``.
    """

    many = False
    end: Any = None

    def __init__(self, source: Any) -> None:
        self.source = source

    def bind(self, end: End) -> None:
        """Learn what the relation leads to, now that it is known."""
        self.end = end
        self.name, self.slot = end.accessor or end.name, end.slot
        self.kept: Callable[[Any], Any] = attrgetter(self.slot)
        self.holds_key = end.holds_key
        self.locals = [a.name for a in end.loaded_by.anchors]
        self.remotes = [a.name for a in end.target.attributes_of(end.remote_columns)]
        self.local, self.remote = self.locals[0], self.remotes[0]
        near, far = end.hops[0].source_columns, end.hops[0].target_columns
        names = (a.name for a in end.owner.attributes_of(near)), (a.name for a in end.target.attributes_of(far))
        # The values that are equal on both sides, by name.
        self.pairs = list(zip(*names, strict=True))
        # What assigning None empties: of a key that shares a column with another, the rest.
        own = end.field.own_columns if end.is_forward and hasattr(end.field, "own_columns") else near
        self.own = [a.name for a in end.owner.attributes_of(own)]
        # The usual foreign key: one attribute of the instance that equals one of the related instance.
        self.has_one_key = end.holds_key and len(self.locals) == 1 and not end.is_conditional

    @property
    def field(self) -> Any:
        return self.end.field if self.end is not None else getattr(self.source, "field", self.source)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return DescribedPath(self)
        if self.has_one_key:
            related = self.kept(instance)
            if related is not NOT_LOADED and related is not None:
                try:
                    if held_in(instance, self.local) == held_in(related, self.remote):
                        return related
                except AttributeError:
                    pass  # a key was left out
        try:
            return self._find(instance)
        except AttributeError as error:  # Model.__getattr__ is asked next: it takes this one away and raises it again
            instance.__dict__["_unanswered"] = error
            raise

    def _find(self, instance: Any) -> Any:
        """The related instance that is here, else what is loaded now. Raises as ``_nothing`` and ``_missing`` do."""
        held = instance.__dict__
        if self.holds_key:
            if self.slot in held:
                related = held[self.slot]
                key = self._key(held, related)
                if related is None:
                    if key is None:
                        return self._nothing(instance)
                    if self._is_absent(instance):
                        return self._nothing(instance)
                elif key is related or self._is_key_of(key, related) or self.name in held.get("_awaiting", ()):
                    return related
                del held[self.slot]
            if any(getattr(instance, name) is None for name in self.locals):
                if self.end.minimum == 0:
                    held[self.slot] = None
                return self._nothing(instance)
        elif self.slot in held:
            related = held[self.slot]
            return related if related is not None else self._nothing(instance)
        if instance._meta.entity is not self.end.owner:
            for parent in lineage(instance):
                if self.is_cached(parent) and parent.__dict__[self.slot] is not None:
                    held[self.slot] = parent.__dict__[self.slot]
                    return held[self.slot]
        if self.end.holds_key and self.end.relation.is_parent and (parent := self._parent_of(instance)) is not None:
            return parent
        return self._load(instance)

    def _parent_of(self, instance: Any) -> Any:
        """The inherited row as an instance of its own, made of this one's values; None where some are not loaded."""
        held, origin, model = instance.__dict__, instance._origin, self.end.target.model
        names = [field.attname for field in model._meta.concrete_fields]
        if origin is None or any(name not in held for name in names):
            return None
        parent = model.from_db(origin.db, names, [held[name] for name in names], fetch_mode=instance._state.fetch_mode)
        parent.__dict__["_origin"] = lone(origin.db, origin.fetch_mode)
        if self.end.inverse.accessor:
            parent.__dict__[self.end.inverse.slot] = instance
        held[self.slot] = parent
        return parent

    def _key(self, held: dict[str, Any], unknown: Any = None) -> Any:
        """The key that an instance holds, None where it is not whole, ``unknown`` where it is not loaded."""
        if len(self.locals) == 1:
            return held.get(self.local, unknown)
        key = tuple(held.get(name, DEFERRED) for name in self.locals)
        return unknown if DEFERRED in key else None if None in key else key

    def _is_absent(self, instance: Any) -> bool:
        """Whether a prefetch has left the row that the key points at out."""
        absent = instance.__dict__.get(ABSENT, EMPTY)
        if self.name not in absent:
            return False
        key = tuple(instance.__dict__.get(name) for name in self.locals)
        return bool(absent[self.name] == (key[0] if len(key) == 1 else key))

    def _is_key_of(self, key: Any, related: Any) -> bool:
        """Whether a key still points at ``related`` (it may have been written as text)."""
        if len(self.locals) > 1:
            return key is related or key == tuple(getattr(related, name) for name in self.remotes)
        own = getattr(related, self.remote)
        if own is None:  # it was deleted, and is still the one that was here
            return True
        return bool(key == own) or (type(key) is not type(own) and str(key) == str(own))

    def _load(self, instance: Any) -> Any:
        end = self.end
        if not self.holds_key and any(getattr(instance, name) is None for name in self.locals):
            return self._nothing(instance)
        if end.is_conditional and self._settle(instance):
            return self.answer(instance)
        refuse_if_raising(instance, self.name)
        refuse_touch(type(instance).__name__, self.name)
        asked = self.question(instance)
        asked.ask()
        if SAVED:
            _, instances, *_ = asked.args
            saved(len(instances) - 1)
        return self.answer(instance)

    def questions(self, instance: Any) -> Iterator[Question]:
        """What to ask until the related instance is here; nothing where it is, or where there is no key."""
        for name in self.locals:
            if name not in instance.__dict__:
                yield column_question(instance, instance._meta.entity.attributes[name])
        if self.is_cached(instance) or (self.end.is_conditional and self._settle(instance)):
            return
        if all(getattr(instance, name) is not None for name in self.locals):
            yield self.question(instance)

    def question(self, instance: Any) -> Question:
        """The one query that loads the related instance, for the whole cohort."""
        end = self.end
        if self.has_one_key:
            instances = peers_pointing(instance, self.slot, self.local)
        else:
            instances = peers_lacking(instance, self.slot)
        if self.holds_key and not self.has_one_key:
            whole = [i for i in instances if all(i.__dict__.get(name) is not None for name in self.locals)]
            instances = whole or [instance]
        elif not self.holds_key:
            instances = [i for i in instances if all(getattr(i, n) is not None for n in self.locals)]
        alias = _alias(instance, end)
        queryset = base_queryset(instance, end, alias)
        if end.is_conditional:
            return self._conditional_question(instance, instances, queryset, alias)
        return Question(alias, load_to_one, (end, instances, queryset, None, way_back(end)))

    def _conditional_question(self, instance: Any, instances: list[Any], queryset: Any, alias: str) -> Question:
        """As ``question``, for those of the cohort that the condition says the same of."""
        end = self.end
        conditions = conditional.said(end, alias)
        *_, look_ups = conditional.words(end, instance, self.locals, conditions)
        said = [(peer, conditional.words(end, peer, self.locals, conditions)) for peer in instances]
        asked = [(p, words) for p, words in said if words[-1] == look_ups and not conditional.is_known(end, p, words)]
        queryset, peers, wanted = narrowed(queryset, look_ups), [p for p, _ in asked], [words for _, words in asked]
        return Question(alias, conditional.load, (end, peers, queryset, wanted, way_back(end)))

    def _settle(self, instance: Any) -> bool:
        """Whether what a condition wants of ``instance`` at this moment has been looked for; what was found is here."""
        end = self.end
        now = conditional.words(end, instance, self.locals, conditional.said(end, _alias(instance, end)))
        return conditional.settle(end, instance, now)

    def get_prefetch_querysets(
        self, instances: Sequence[Any], querysets: Sequence[Any] | None = None
    ) -> tuple[Any, ...]:
        """What prefetching asks: see `crowsfoot.models.related_rows.described`. Raises ``ValueError`` for two."""
        given = only_queryset(querysets)
        alias = _alias(instances[0], self.end)
        queryset = given if given is not None else base_queryset(instances[0], self.end, alias)
        return described(ask(self.end, instances, queryset), self.end)

    def answer(self, instance: Any) -> Any:
        """The related instance that is here; None or ``DoesNotExist`` where there is none."""
        if self.end.is_conditional and self.slot not in instance.__dict__:
            self._settle(instance)
        related = instance.__dict__.get(self.slot)
        if related is None and any(getattr(instance, name) is None for name in self.locals):
            return self._nothing(instance)
        return related if related is not None else self._missing(instance)

    def _nothing(self, instance: Any) -> Any:
        """There can be no related row: the instance has no whole key, or it is known that no row has it."""
        if self.end.is_forward and self.end.field.null:
            return None
        raise self.RelatedObjectDoesNotExist(f"{type(instance).__name__} has no {self.name}.")

    def _missing(self, instance: Any) -> Any:
        """The row that was asked for is not there. For the way back of a one-to-one that is nothing unusual."""
        if not self.end.is_forward:
            return self._nothing(instance)
        target = self.end.target.model
        raise target.DoesNotExist(f"{target._meta.object_name} matching query does not exist.")

    @property
    def RelatedObjectDoesNotExist(self) -> Any:
        return RelatedObjectDoesNotExist.of(self.end)

    def is_cached(self, instance: Any) -> bool:
        """Whether the related instance is here, and still the one that the key points at."""
        held = instance.__dict__
        if self.slot not in held:
            return False
        related = held[self.slot]
        if not self.holds_key:
            return True
        key = self._key(held)
        if related is None:
            return key is None or self._is_absent(instance)
        return self._is_key_of(key, related)

    def __set__(self, instance: Any, value: Any) -> None:
        end = self.end
        if value is not None:
            value = unwrapped(value)
            self.check(instance, value)
        if end.is_forward:
            self._set_forward(instance, value)
        else:
            self._set_reverse(instance, value)

    def check(self, instance: Any, value: Any) -> None:
        """Raise ``ValueError`` where ``value`` cannot be related to ``instance``, by its class or by the routers."""
        entity = getattr(type(value), "__entity__", None)
        if entity is None or not is_a(entity, self.end.target):
            raise ValueError(
                f'Cannot assign "{value!r}": "{type(instance)._meta.object_name}.{self.name}" must be a '
                f'"{self.end.target.name}" instance.'
            )
        if instance._origin is not None or value._origin is not None or settings.DATABASE_ROUTERS:
            if instance._state.db is None:
                instance._state.db = routing.write(type(instance), {"instance": value})
                instance.__dict__["_adding"] = True
            if value._state.db is None:
                value._state.db = routing.write(type(value), {"instance": instance})
                value.__dict__["_adding"] = True
            if not routing.allow_relation(value, instance):
                raise ValueError(f'Cannot assign "{value!r}": the current database router prevents this relation.')

    def _set_forward(self, instance: Any, value: Any) -> None:
        held = instance.__dict__
        back = self.end.inverse
        if value is None and not back.is_collection and back.accessor:
            old = held.get(self.slot)
            if old is not None:
                old.__dict__[back.slot] = None
        if value is None:
            held.update(dict.fromkeys(self.own))
        for local, remote in self.pairs if value is not None else ():
            held[local] = getattr(value, remote)
            if held[local] in (None, ""):
                held.setdefault("_awaiting", set()).add(self.name)  # saved later, it lends its key to ``save``
        held[self.slot] = value
        if value is not None and not back.is_collection and back.accessor:
            value.__dict__[back.slot] = instance
        if self.end.relation.is_parent:
            _copy_parent(instance, value, self.end.target.model)

    def _set_reverse(self, instance: Any, value: Any) -> None:
        forward = self.end.inverse
        if value is None:
            related = instance.__dict__.pop(self.slot, None)
            if related is not None:
                setattr(related, forward.accessor or forward.name, None)
            return
        for local, remote in self.pairs:
            value.__dict__[remote] = key = getattr(instance, local)
            if key in (None, ""):
                value.__dict__.setdefault("_awaiting", set()).add(forward.name)  # as with an assignment forwards
        instance.__dict__[self.slot] = value
        if forward.accessor:
            value.__dict__[forward.slot] = instance

    def __delete__(self, instance: Any) -> None:
        instance.__dict__.pop(self.slot, None)
        conditional.forget(instance)


def _copy_parent(instance: Any, parent: Any, model: Any) -> None:
    """Assigning the parent of an inherited row takes its values over, and the keys of all tables above; assigning None
    takes the keys away."""
    held = parent.__dict__ if parent is not None else {}
    for field in model._meta.concrete_fields:
        if field.attname in held:
            instance.__dict__.setdefault(field.attname, held[field.attname])
    while model is not None:
        key = model._meta.pk
        instance.__dict__[key.attname] = held.get(key.attname)
        model = key.remote_field.model if getattr(key, "parent_link", False) else None


class RelatedObjectDoesNotExist:
    """Makes, per end, an exception that is both the target's ``DoesNotExist`` and an ``AttributeError``."""

    made: dict[End, Any] = {}

    @classmethod
    def of(cls, end: End) -> Any:
        found = cls.made.get(end)
        if found is None:
            target = end.target.model
            names = {
                "__module__": end.owner.model.__module__,
                "__qualname__": f"{end.owner.name}.{end.name}.RelatedObjectDoesNotExist",
            }
            found = cls.made[end] = type("RelatedObjectDoesNotExist", (target.DoesNotExist, AttributeError), names)
        return found


class Unknown:
    """Stands for the options of a model that nobody has looked at yet."""

    _default = object()


UNKNOWN = Unknown()


def _unusual(instance: Any) -> None:
    """Stands for the key where finding the manager takes more than that."""


class ToMany:
    """The accessor of a to-many end: a manager for the related rows. ``source`` is as with ``ToOne``."""

    many = True
    end: Any = None

    def __init__(self, source: Any) -> None:
        self.source = source
        self._class: Any = None
        # The target's default manager when the class was made, and what tells a usual owner's key.
        self._meta: Any = UNKNOWN
        self._default: Any = None
        self._key_of: Callable[[Any], Any] = _unusual

    def bind(self, end: End) -> None:
        """Learn what the relation leads to, now that it is known."""
        self.end = end

    @property
    def manager_class(self) -> Any:
        """The class of managers of this relation, made from the target's default manager on first use."""
        self._meta = self.end.target.model._meta
        self._default = self._meta.default_manager
        base = type(self._default)
        if self._class is None or self._class.base_class is not base:
            kind = "manager_mixin" if self.end.is_forward else "reverse_manager_mixin"
            mixin = getattr(self.end.field, kind, None)
            if mixin is None:
                mixin = ManyRelatedManager if self.end.relation.link is not None else KeyManager
            self._class = made = make_manager_class(mixin, self.end, base)
            self._key_of = made.side.key_of if made.is_usual else _unusual
        return self._class

    related_manager_cls = manager_class

    @property
    def field(self) -> Any:
        return self.end.field

    @property
    def rel(self) -> Any:
        return self.end.field.remote_field

    @property
    def through(self) -> Any:
        link = self.end.relation.link
        return link.model if link is not None else None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return DescribedPath(self)
        if (
            instance._origin is not None and self._meta._default is self._default and self._key_of(instance) is not None
        ):  # the way of a loop: nothing to find out, and nobody to ask
            manager = new(self._class)
            manager.instance = instance
            return manager
        return self.manager_class(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        side = "forward" if self.end.is_forward else "reverse"
        kind = "many-to-many" if len(self.end.hops) == 2 else "related"
        what = f"{side} side of a {kind} set"
        raise TypeError(f"Direct assignment to the {what} is prohibited. Use {self.end.accessor}.set() instead.")


# Django's names.
ForwardManyToOneDescriptor = ForwardOneToOneDescriptor = ReverseOneToOneDescriptor = ToOne
ReverseManyToOneDescriptor = ManyToManyDescriptor = ToMany


def _field_names(model: Any) -> set[str]:
    return {field.name for field in model._meta.fields}


class DescribedPath(typed.RelationPath):
    """``Post.author``, ``Post.tags``: a typed path with what Django's descriptors show too: ``Post.tags.through``."""

    def __init__(self, attribute: ToOne | ToMany) -> None:
        super().__init__(attribute.end.name, lambda: attribute.end.target.model, attribute.end.owner.model)
        self._attribute = attribute

    def __getattr__(self, name: str) -> Any:
        if name == "through" and isinstance(self._attribute, ToMany) and "through" not in _field_names(self._target()):
            return self._attribute.through  # and not the way back from a model of that name
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_") or not hasattr(self._attribute, name):
                raise
            return getattr(self._attribute, name)


# -- loading by name ---------------------------------------------------------------------------------------------------


def questions(instance: Any, name: str) -> Iterator[Question]:
    """What to ask, one after the other, until the to-one relation or deferred field ``name`` is loaded.

    Raises ``FieldDoesNotExist`` for a name that is neither.
    """
    described = getattr_static(type(instance), name, None)
    attributes = instance._meta.entity.attributes
    if hasattr(described, "questions"):
        yield from described.questions(instance)
    elif name in attributes:
        if name not in instance.__dict__ and instance._origin is not None:
            yield column_question(instance, attributes[name])
    elif isinstance(described, ToMany):
        raise FieldDoesNotExist(
            f"{type(instance).__name__}.{name} is a collection and has a manager: ask {name}.all(), or "
            f"prefetch_related({name!r}) for many at once."
        )
    else:
        ends = instance._meta.entity.ends.values()
        known = [*attributes, *[end.accessor for end in ends if end.accessor and not end.is_collection]]
        raise FieldDoesNotExist(unknown_name("field or to-one relation", name, instance._meta.label, known))


def answer(instance: Any, name: str) -> Any:
    """The value of what ``questions`` has loaded."""
    described = getattr_static(type(instance), name, None)
    if hasattr(described, "answer"):
        return described.answer(instance)
    return column_answer(instance, name)
