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
        self.pending: list[Declaration] = []
        self.declared: list[Declaration] = []
        self.on_link: Callable[[Relation], None] = lambda relation: None
        self._checked: set[Entity] = set()

    def add(self, entity: Entity, declarations: Iterable[Declaration]) -> None:
        """Take an entity in, with the relations it declares, and link all that can be linked now."""
        self.entities[entity.label.lower()] = entity
        for declaration in declarations:
            self.pending.append(declaration)
            self.declared.append(declaration)
        self._doubt()
        self.link()

    def _doubt(self) -> None:
        """Something was added: what was known good has to be looked at again before its next query."""
        self._checked.clear()
        for entity in self.entities.values():
            entity.root = None

    def declare(self, declaration: Declaration) -> None:
        """Take in one more relation of an entity that is known already."""
        self.pending.append(declaration)
        self.declared.append(declaration)
        self._doubt()
        self.link()

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
        waiting = [d for d in self.declared if d.target_label == label and d not in self.pending]
        self.pending = [d for d in self.pending if d.owner is not entity] + waiting
        self._doubt()
        return gone

    def link(self) -> None:
        """Make relations of all declarations whose targets are known. A key may be a relation itself, so: a loop."""
        progress = True
        while progress and self.pending:
            progress = False
            for declaration in list(self.pending):
                target = self.entities.get(declaration.target_label)
                if target is None or not declaration.is_ready(target):
                    continue
                self.pending.remove(declaration)
                relation = declaration.declare(target)
                self.relations.append(relation)
                self.version += 1
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
        for declaration in self.declared:
            if entity is not None and declaration.may_wait:
                continue  # who asks for it is told
            target = self.entities.get(declaration.target_label)
            if entity is None or entity is declaration.owner or entity is target:
                found += declaration.problems()
        for declaration in self.pending:
            if entity is not None and declaration.may_wait:
                continue
            said = declaration.target_label in self.entities and any(declaration.problems())
            if not said and (entity is None or entity is declaration.owner):
                found.append(self._unlinked(declaration))
        for owner in self.entities.values() if entity is None else self._around(entity):
            found += [*self._clashes(owner), *owner.misfits()]
        return list(dict.fromkeys(found))

    def _around(self, entity: Entity) -> list[Entity]:
        """An entity and those that its own relations lead to: where their names may clash."""
        targets = [relation.reverse.owner for relation in self.relations if relation.forward.owner is entity]
        return list(dict.fromkeys([entity, *targets]))

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

    def _clashes(self, entity: Entity) -> list[str]:
        """Reverse accessors and query names that would hide a field or each other."""
        found: list[str] = []
        taken: dict[str, str] = {
            name: f"the field {entity.label}.{name}" for name in [*entity.attributes, *entity.aliases]
        }
        names: dict[str, str] = dict(taken)
        for relation in self.relations:
            if relation.forward.owner is entity:
                field = relation.forward.name
                taken[field] = f"the field {entity.label}.{field}"
                if not relation.is_generic:  # whose name goes before a query name, as in Django
                    names[field] = taken[field]
        for relation in self.relations:
            end = relation.reverse
            if end.owner is not entity or relation.symmetrical:
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
