"""Drawings of trees."""

from __future__ import annotations

import xml.etree.ElementTree as xml

from crowsfoot.trees import Node, to_mermaid, to_svg, to_text

TREE = Node(
    "root",
    children=[
        Node("a", "first", children=[Node("b", "deep", "a note"), Node("c", tone="mild")]),
        Node('<"d"> & #1', "last", tone="alarm"),
    ],
)


def test_an_outline() -> None:
    assert to_text(TREE) == (
        "root\n"
        "├─ a  first\n"
        "│  ├─ b  deep  a note\n"
        "│  └─ c\n"
        '└─ <"d"> & #1  last\n'
    )  # fmt: skip
    assert to_text(TREE, ascii=True).splitlines()[1:4] == ["|- a  first", "|  |- b  deep  a note", "|  `- c"]


def test_a_flowchart() -> None:
    assert to_mermaid(TREE).splitlines() == [
        "flowchart LR",
        '    n0["root"]',
        '    n0 -->|"first"| n1["a"]',
        '    n1 -->|"deep"| n2["b<br/>a note"]',
        '    n1 --> n3["c"]:::mild',
        '    n0 -->|"last"| n4["#60;#34;d#34;#62; #38; #35;1"]:::alarm',
        "    classDef alarm fill:#ffebe9,stroke:#cf222e",
        "    classDef mild fill:#fff8c5,stroke:#bf8700",
    ]


def test_a_picture() -> None:
    picture = xml.fromstring(to_svg(TREE))
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["root", "a", "first", "b", "deep  a note", "c", '<"d"> & #1', "last"]
    boxes = [element for element in picture.iter("{http://www.w3.org/2000/svg}rect") if element.get("rx")]
    assert [box.get("x") for box in boxes] == ["12", "40", "68", "68", "40"]
    right = max(float(box.get("x", 0)) + float(box.get("width", 0)) for box in boxes)
    assert right < float(picture.get("width", 0))


def test_a_deep_tree_does_not_recurse() -> None:
    root = leaf = Node("0")
    for number in range(1, 3_000):
        leaf.children.append(Node(str(number)))
        leaf = leaf.children[0]
    assert len(to_text(root).splitlines()) == 3_000
    assert to_mermaid(root).count("-->") == to_svg(root).count("<path") == 2_999
