"""Any graph of relations is drawn so that it can be read back: every box, every line once, with both of its feet."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from picture import Picture

from crowsfoot.diagram import read, to_mermaid, to_text
from crowsfoot.schema.entity import Attribute, Entity
from crowsfoot.schema.relation import CASCADE, SET_NULL, many_to_many, many_to_one, one_to_one
from crowsfoot.schema.table import Column, Table
from crowsfoot.schema.types import Integer, Text

KINDS = ("many_to_one", "nullable", "one_to_one", "many_to_many")


def entity(name: str, *names: str) -> Entity:
    made = Entity(f"app.{name}", Table(name.lower()))
    columns = [Column("id", Integer("bigint", auto=True)), *(Column(n, Text()) for n in names)]
    made.table.add(columns)
    for column in columns:
        made.add_attribute(Attribute(made, column.name, column))
    made.table.primary_key = ("id",)
    made.key = (made.attributes["id"],)
    return made


def key(owner: Entity, name: str, target: Entity, kind: str) -> None:
    column = Column(f"{name}_id", Integer("bigint"), null=kind == "nullable")
    owner.table.add([column])
    owner.add_attribute(Attribute(owner, column.name, column))
    make = one_to_one if kind == "one_to_one" else many_to_one
    rule = SET_NULL if kind == "nullable" else CASCADE
    relation = make(
        owner, name, target, (column.name,), ("id",), rule,
        accessor=f"{name}_back", query_name=f"{name}_back", nullable=kind == "nullable",
    )  # fmt: skip
    for end in relation.ends:
        end.owner.add_end(end)


def link(owner: Entity, name: str, target: Entity) -> Entity:
    made = entity(f"Link{name}")
    key(made, "left", owner, "many_to_one")
    key(made, "right", target, "many_to_one")
    for back in ("left_back", "right_back"):
        for side in (owner, target):
            side.ends.pop(back, None)
    relation = many_to_many(
        owner, name, target, made, made.ends["left"], made.ends["right"],
        accessor=f"{name}_back", query_name=f"{name}_back",
    )  # fmt: skip
    for end in relation.ends:
        end.owner.add_end(end)
    return made


@st.composite
def schemas(draw: st.DrawFn) -> tuple[list[Entity], list[Entity]]:
    """Entities, and the links of their many-to-many relations."""
    count = draw(st.integers(1, 12))
    entities = [entity(f"M{n}", *(f"value{v}" for v in range(draw(st.integers(0, 4))))) for n in range(count)]
    some = st.sampled_from(entities)
    links = []
    for number, (owner, target, kind) in enumerate(
        draw(st.lists(st.tuples(some, some, st.sampled_from(KINDS)), max_size=20))
    ):
        if kind == "many_to_many":
            links.append(link(owner, f"r{number}", target))
        else:
            key(owner, f"r{number}", target, kind)
    return entities, links


def in_graph(entities: list[Entity]) -> Counter[object]:
    """What a picture should say of each relation: its two ends, its name and its rule."""
    found: Counter[object] = Counter()
    for one in entities:
        for end in one.ends.values():
            if end.is_forward:
                back, rule = end.inverse, "" if end.many else str(end.relation.on_delete)
                ends = [(one.name, back.minimum, back.many), (end.target.name, end.minimum, end.many)]
                found[tuple(sorted(ends)), end.name, rule] += 1
    return found


@settings(max_examples=150, deadline=None)
@given(schemas(), st.sampled_from([40, 80, 120, 400]), st.booleans())
def test_every_relation_can_be_read_back(
    schema: tuple[list[Entity], list[Entity]], width: int, with_links: bool
) -> None:
    entities, links = schema
    text = to_text(entities + links if with_links else entities, width)
    picture = Picture(text)
    assert sorted(box.name for box in picture.boxes) == sorted(one.name for one in entities)
    rows = {box.name: box.rows for box in picture.boxes}
    for one in entities:
        assert [row.split()[0] for row in rows[one.name]] == [a.name for a in one.attributes.values()]
    expected = in_graph(entities)
    rules = {name: rule for _, name, rule in expected}
    read_back = Counter((ends, name, rule or rules.get(name)) for ends, name, rule in picture.lines)
    # Each line is read twice, once from either end; where there is little room it has no rule.
    assert read_back == Counter({line: 2 * n for line, n in expected.items()})
    assert not picture.strays


@settings(max_examples=50, deadline=None)
@given(schemas())
def test_plain_characters_draw_the_same(schema: tuple[list[Entity], list[Entity]]) -> None:
    plain = str.maketrans("─│┼├┤┌┐└┘", "-||++++++")
    assert to_text(schema[0], 80, ascii=True) == to_text(schema[0], 80).translate(plain)


@settings(max_examples=50, deadline=None)
@given(schemas())
def test_mermaid_has_every_relation_once(schema: tuple[list[Entity], list[Entity]]) -> None:
    entities, links = schema
    text = to_mermaid(entities + links)
    for line in read(entities).lines:
        assert text.count(f' : "{line.label}"\n') == 1
    assert text.count("--") == len(read(entities).lines)
