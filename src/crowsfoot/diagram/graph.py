"""What a diagram shows, read from entities and their relations: boxes with columns, lines with a foot at either end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crowsfoot.models.tables import complete
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.relation import End, Relation


@dataclass(frozen=True, slots=True)
class Foot:
    """The two marks at one end of a line: how few rows there may be (0 or 1), and whether there may be many."""

    minimum: int
    many: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A column of a box: its attribute, its type in one word, and ``PK``, ``FK`` and ``UK`` as they apply."""

    name: str
    type: str
    keys: tuple[str, ...]
    nullable: bool


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """An entity. ``name`` is the model's, with its app where two models of the diagram share a name."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A relation, once. ``owner`` is the box that declares it; each foot says how many rows of *its* box there are."""

    owner: Box
    target: Box
    owner_foot: Foot
    target_foot: Foot
    name: str
    rule: str
    """What a delete of the target does, for a key; empty for a many-to-many, which is no key and has no rule."""

    @property
    def points(self) -> bool:
        """Whether it is a key from ``owner`` to ``target``, rather than a many-to-many."""
        return bool(self.rule)

    @property
    def label(self) -> str:
        return f"{self.name} {self.rule}".rstrip()


@dataclass(frozen=True, slots=True)
class Graph:
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def read(models: Iterable[Any]) -> Graph:
    """The graph of ``models`` (or entities) and of the relations among them; no query is sent.

    A link table that carries nothing but its two keys is not a box: it is the line of its many-to-many. A link with
    values of its own is a box when it is among ``models``, and its two keys are the lines. Proxies share the box of
    the model they stand for. Raises ``ModelError`` where the models' relations are not sound.
    """
    entities = list(dict.fromkeys(_entity(model).concrete for model in models))
    relations = [r for r in _relations(entities) if r.forward.target.concrete in entities]
    plain = {relation.link for relation in relations if relation.link is not None and _is_plain(relation, relations)}
    drawn = [entity for entity in entities if entity not in plain]
    names = [entity.name for entity in drawn]
    boxes = {
        entity: Box(entity.name if names.count(entity.name) == 1 else entity.label, _rows(entity)) for entity in drawn
    }
    lines = [
        _line(relation, boxes)
        for relation in relations
        if relation.link not in boxes and relation.forward.owner.concrete in boxes
    ]
    return Graph(tuple(boxes.values()), tuple(lines))


def _entity(model: Any) -> Entity:
    return model if isinstance(model, Entity) else complete(model)


def _relations(entities: list[Entity]) -> list[Relation]:
    """Every relation that one of ``entities`` declares, in their order."""
    ends: list[End] = [end for entity in entities for end in entity.ends.values()]
    return [end.relation for end in ends if end.is_forward]


def _is_plain(relation: Relation, relations: list[Relation]) -> bool:
    """Whether the link of ``relation`` has no columns but its keys, and takes part in nothing else."""
    link = relation.link
    assert link is not None
    columns = {column for hop in relation.forward.hops for column in _of(hop, link)} | set(link.table.primary_key)
    columns |= {attribute.column.name for attribute in link.key}
    others = [r for r in relations if r is not relation and (r.link is link or r.forward.target is link)]
    return columns.issuperset(link.table.columns) and not others


def _of(hop: Any, entity: Entity) -> tuple[str, ...]:
    """The columns of ``entity`` that a hop of its many-to-many joins on."""
    columns: tuple[str, ...] = hop.target_columns if hop.target is entity.table else hop.source_columns
    return columns


def _line(relation: Relation, boxes: dict[Entity, Box]) -> Line:
    forward, reverse = relation.ends
    return Line(
        boxes[forward.owner.concrete],
        boxes[forward.target.concrete],
        Foot(reverse.minimum, reverse.many),
        Foot(forward.minimum, forward.many),
        forward.name,
        "" if forward.many else str(relation.on_delete),
    )


def _rows(entity: Entity) -> tuple[Row, ...]:
    ends = [end for end in entity.ends.values() if end.holds_key]
    foreign = {column for end in ends for column in end.local_columns}
    single = {end.local_columns[0] for end in ends if not end.inverse.many and len(end.local_columns) == 1}
    unique = {rule.columns[0] for rule in entity.table.uniques if len(rule.columns) == 1 and not rule.is_index}
    return tuple(_row(attribute, entity, foreign, single | unique) for attribute in entity.own_attributes)


def _row(attribute: Attribute, entity: Entity, foreign: set[str], unique: set[str]) -> Row:
    column = attribute.column
    is_key = attribute in entity.key
    marks = (("PK", is_key), ("FK", column.name in foreign), ("UK", column.name in unique and not is_key))
    return Row(attribute.name, _type(column.type), tuple(mark for mark, holds in marks if holds), column.null)


def _type(kind: Any) -> str:
    sizes = [getattr(kind, name, None) for name in ("length", "max_digits", "decimal_places")]
    given = ",".join(str(size) for size in sizes if size is not None)
    return f"{kind.kind}({given})" if given else str(kind.kind)
