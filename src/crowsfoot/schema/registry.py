"""The registry: collects entities and relation declarations, links both ends in one pass, and checks the whole.

A relation may name its target before the target exists. Each time an entity is added, every declaration whose target is
known is linked; what remains unknown is a problem only when the entities are used, and then all problems are reported
together, before any SQL is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from crowsfoot.errors import ModelError, unknown_name
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.relation import End, Relation


class Declaration(Protocol):
    """A relation as its field declares it, before its target is known."""

    @property
    def owner(self) -> Entity: ...
    @property
    def target_label(self) -> str:
        """``app.Model`` in lower case."""
        ...

    @property
    def described(self) -> str:
        """How messages name it: ``blog.Post.author``."""
        ...

    def is_ready(self, target: Entity) -> bool:
        """Whether all that the relation needs of its target is there."""
        ...

    def declare(self, target: Entity) -> Relation:
        """Add the key columns and make the relation."""
        ...

    def problems(self) -> Iterable[str]:
        """What is wrong with the declaration itself, one sentence each."""
        ...

    @property
    def may_wait(self) -> bool:
        """Whether it is not linked and the models can be used all the same: only its own name depends on it."""
        ...

    def unready(self, target: Entity) -> str:
        """Why it is not linked though its target is known."""
        ...


class Registry:
    """Entities by lower-case label, and the relations between them."""

    def __init__(self) -> None:
        self.entities: dict[str, Entity] = {}
        self.relations: list[Relation] = []
        # Grows with every relation that is made or forgotten.
        self.version = 0
        self.declared: list[Declaration] = []
        self.on_link: Callable[[Relation], None] = lambda relation: None
        # What is not linked yet, and of it what is worth a look now, by identity; what waits for a target, by label.
        self._pending: dict[int, Declaration] = {}
        self._open: dict[int, Declaration] = {}
        self._awaiting: dict[str, list[Declaration]] = {}
        self._checked: set[Entity] = set()
        self._around: _Around | None = None

    @property
    def pending(self) -> list[Declaration]:
        """The declarations that are not linked yet."""
        return list(self._pending.values())

    def add(self, entity: Entity, declarations: Iterable[Declaration]) -> None:
        """Take an entity in, with the relations it declares, and link all that can be linked now."""
        label = entity.label.lower()
        self.entities[label] = entity
        for declaration in self._awaiting.pop(label, ()):
            if id(declaration) in self._pending:
                self._open[id(declaration)] = declaration
        for declaration in declarations:
            self._take(declaration)
        self._doubt()
        self._link()

    def _take(self, declaration: Declaration) -> None:
        self.declared.append(declaration)
        self._wait(declaration)

    def _wait(self, declaration: Declaration) -> None:
        self._pending[id(declaration)] = self._open[id(declaration)] = declaration

    def _doubt(self) -> None:
        """Something was added: what was known good has to be looked at again before its next query."""
        for entity in self._checked:
            entity.root = None
        self._checked.clear()
        self._around = None

    def declare(self, declaration: Declaration) -> None:
        """Take in one more relation of an entity that is known already."""
        self._take(declaration)
        self._doubt()
        self._link()

    def remove(self, entity: Entity) -> list[Relation]:
        """Forget an entity with its relations, and return these.

        What other entities declare to it waits for the one that takes its label.
        """
        label = entity.label.lower()
        self.entities.pop(label, None)
        gone = [r for r in self.relations if entity in (r.forward.owner, r.reverse.owner)]
        self.relations = [relation for relation in self.relations if relation not in gone]
        self.version += 1
        for end in [end for relation in gone for end in relation.ends]:
            end.owner.remove_end(end)
        self.declared = [d for d in self.declared if d.owner is not entity]
        for declaration in [d for d in self._pending.values() if d.owner is entity]:
            del self._pending[id(declaration)]
            self._open.pop(id(declaration), None)
        for declaration in self.declared:
            if declaration.target_label == label and id(declaration) not in self._pending:
                self._wait(declaration)
        self._doubt()
        return gone

    def link(self) -> None:
        """Make relations of all declarations whose targets are known."""
        self._open = dict(self._pending)
        self._awaiting.clear()
        self._link()

    def _link(self) -> None:
        """``link`` what is worth a look. A key may be a relation itself, so: a loop."""
        progress = True
        while progress and self._open:
            progress = False
            for key, declaration in list(self._open.items()):
                label = declaration.target_label
                target = self.entities.get(label)
                if target is None:
                    del self._open[key]
                    self._awaiting.setdefault(label, []).append(declaration)
                elif declaration.is_ready(target):
                    del self._open[key], self._pending[key]
                    relation = declaration.declare(target)
                    self.relations.append(relation)
                    self.version += 1
                    self._around = None
                    self.on_link(relation)
                    progress = True

    # -- checks --------------------------------------------------------------------------------------------------------

    def ensure(self, entity: Entity) -> None:
        """Raise ``ModelError`` with every problem of ``entity``'s relations; a set look-up once it is known good."""
        if entity in self._checked:
            return
        problems = self.problems(entity)
        if problems:
            raise ModelError(problems)
        self._checked.add(entity)

    def problems(self, entity: Entity | None = None) -> list[str]:
        """What is wrong with the relations that begin or end at ``entity``, or with any of them."""
        found: list[str] = []
        around = self._around = self._around or _Around(self)
        for declaration in self.declared if entity is None else around.declared.get(entity, ()):
            if entity is None or not declaration.may_wait:  # who asks for it is told
                found += declaration.problems()
        for declaration in self.pending:
            if entity is not None and declaration.may_wait:
                continue
            said = declaration.target_label in self.entities and any(declaration.problems())
            if not said and (entity is None or entity is declaration.owner):
                found.append(self._unlinked(declaration))
        for owner in self.entities.values() if entity is None else around.neighbours(entity):
            found += [*self._clashes(owner, around), *owner.misfits()]
        return list(dict.fromkeys(found))

    def _unlinked(self, declaration: Declaration) -> str:
        wanted = declaration.target_label
        if wanted in self.entities:
            return declaration.unready(self.entities[wanted])
        labels = [entity.label for entity in self.entities.values()]
        near = unknown_name("model", _cased(wanted, labels), "The project", labels).partition(" Choices")[0]
        return (
            f"{declaration.described} points at {wanted!r}, which is not a model of this project. {near} "
            "Write the model class, 'Model' for a model of the same app, or 'app.Model'."
        )

    def _clashes(self, entity: Entity, around: _Around) -> list[str]:
        """Reverse accessors and query names that would hide a field or each other."""
        found: list[str] = []
        taken: dict[str, str] = {
            name: f"the field {entity.label}.{name}" for name in [*entity.attributes, *entity.aliases]
        }
        names: dict[str, str] = dict(taken)
        for relation in around.forward.get(entity, ()):
            field = relation.forward.name
            taken[field] = f"the field {entity.label}.{field}"
            if not relation.is_generic:  # whose name goes before a query name, as in Django
                names[field] = taken[field]
        for relation in around.back.get(entity, ()):
            end = relation.reverse
            if relation.symmetrical:
                continue
            source = f"{end.target.label}.{relation.forward.name}"
            for what, name, known in (("accessor", end.accessor, taken), ("query name", end.name, names)):
                if name is None or name.endswith("+"):
                    continue
                if name in known:
                    found.append(
                        f"The reverse {what} {name!r} of {source} on {entity.label} clashes with {known[name]}. "
                        f"Give {source} another related_name, such as related_name={_suggest(end)!r}."
                    )
                known.setdefault(name, f"the reverse {what} of {source}")
        return found


class _Around:
    """What begins or ends at each entity: looked up for all at once, so that checking one does not go through all."""

    def __init__(self, registry: Registry) -> None:
        self.declared: dict[Entity, list[Declaration]] = {}
        self.forward: dict[Entity, list[Relation]] = {}
        self.back: dict[Entity, list[Relation]] = {}
        for declaration in registry.declared:
            target = registry.entities.get(declaration.target_label)
            for entity in {declaration.owner, target or declaration.owner}:
                self.declared.setdefault(entity, []).append(declaration)
        for relation in registry.relations:
            self.forward.setdefault(relation.forward.owner, []).append(relation)
            self.back.setdefault(relation.reverse.owner, []).append(relation)

    def neighbours(self, entity: Entity) -> list[Entity]:
        """An entity and those that its own relations lead to: where their names may clash."""
        targets = [relation.reverse.owner for relation in self.forward.get(entity, ())]
        return list(dict.fromkeys([entity, *targets]))


def _suggest(end: End) -> str:
    return f"{end.relation.forward.name}_{end.target.name.lower()}s"


def _cased(label: str, labels: list[str]) -> str:
    return next((known for known in labels if known.lower() == label), label)


def is_complete(entity: Entity) -> bool:
    """Whether the columns of the entity's key are known."""
    return bool(entity.key) and all(attribute.column.type is not PENDING for attribute in entity.key)


class _Pending:
    """Stands for the type of a key column until the relation is linked."""

    kind = "pending"


PENDING: Any = _Pending()
