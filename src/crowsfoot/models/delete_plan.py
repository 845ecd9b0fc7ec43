"""What a delete would do, as a tree that can be read before anything happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from crowsfoot import trees
from crowsfoot.database import databases
from crowsfoot.drivers.run import Operation
from crowsfoot.errors import DeletePlanOutdated
from crowsfoot.models.deletion import Deleted, Doomed, loading
from crowsfoot.persistence.consequences import DELETE, NOTHING, PROTECT, RESTRICT, TAKES, UP, UPDATE, Edge
from crowsfoot.persistence.delete_preview import DeleteCounts, DeletePreview
from crowsfoot.persistence.session import Session, atomically
from crowsfoot.schema.entity import Entity
from crowsfoot.schema.relation import OnDelete

CAP = 10_000
NO_CAP = 2**62
# How many of the rows that forbid a delete are loaded, for each relation.
SHOWN = 5
WORDS = {
    DELETE: "",
    UP: "the inherited row",
    UPDATE: "stay, their key is changed",
    PROTECT: "protected: they forbid the delete",
    RESTRICT: "restricted: they forbid the delete",
    NOTHING: "are left as they are",
}
TONES = {PROTECT: "alarm", RESTRICT: "alarm", NOTHING: "mild", UPDATE: "mild"}


@dataclass(eq=False)
class Branch:
    """Rows of ``model`` that a delete reaches by one relation; at the root of a plan, the rows that it was asked for.

    ``relation`` names the key by which they hang on the rows above (``Post.author``), ``rule`` is its ``on_delete``.
    ``count`` is how many there are; ``is_capped`` says that there are more, and counting stopped. ``action`` is what
    becomes of them: ``delete``, ``update`` (their key is changed), ``protect`` or ``restrict`` (they forbid the
    delete), ``nothing``, or ``up`` for the row of a model that theirs inherits from. ``blocking`` are the first of the
    rows that forbid it. A table that several relations lead to has its ``branches`` where it is nearest to the root.
    """

    model: Any
    relation: str
    rule: OnDelete | None
    action: str
    count: int
    is_capped: bool
    blocking: list[Any] = field(default_factory=list[Any])
    branches: list[Branch] = field(default_factory=list["Branch"])

    @property
    def blocks(self) -> bool:
        """Whether these rows forbid the delete."""
        return self.action in (PROTECT, RESTRICT)

    def __iter__(self) -> Iterator[Branch]:
        """This branch and all below it, parents first."""
        waiting: list[Branch] = [self]
        while waiting:
            branch = waiting.pop()
            yield branch
            waiting.extend(reversed(branch.branches))

    def __repr__(self) -> str:
        return f"<Branch {self.relation or self.model.__name__}: {_number(self.count, self.is_capped)}>"

    def node(self) -> trees.Node:
        words = WORDS[self.action]
        if self.blocking:
            more = ["…"] if self.is_capped or self.count > len(self.blocking) else []
            words += ": " + ", ".join([*map(repr, self.blocking), *more])
        return trees.Node(
            title=f"{self.model.__name__} {_number(self.count, self.is_capped)}",
            link=f"{self.relation} {self.rule}" if self.rule is not None else "",
            note=words,
            tone=TONES.get(self.action, "plain"),
        )


class DeletePlan:
    """What ``delete()`` of an instance or a queryset would do; made by ``delete_plan()``, which changes nothing.

    ``root`` is the tree (`Branch`), and iterating the plan gives all its branches. ``counts`` are the rows that go, by
    model, as ``delete()`` reports them, and ``total`` is their sum; where ``is_capped`` they are at least that. The
    plan is a reading: rows that come or go afterwards are not in it, and `execute` notices that their number differs.
    """

    def __init__(self, doomed: Doomed, alias: str, cap: int, root: Branch, counts: dict[str, int]) -> None:
        self._doomed = doomed
        self._alias = alias
        self._cap = cap
        self.root = root
        self.counts = counts

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def is_capped(self) -> bool:
        return any(branch.is_capped for branch in self)

    @property
    def blockers(self) -> list[Branch]:
        """The branches whose rows forbid the delete."""
        return [branch for branch in self if branch.blocks]

    def __iter__(self) -> Iterator[Branch]:
        return iter(self.root)

    def __repr__(self) -> str:
        state = "blocked" if self.blockers else f"{_number(self.total, self.is_capped)} to delete"
        return f"<DeletePlan of {self.root.model.__name__}: {state}>"

    # -- pictures ------------------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        """The tree as an outline, with a line above it that says what comes of it."""
        least = "at least " if self.is_capped else ""
        rows = f"{least}{self.total:,} row{'s' if self.total != 1 else ''}"
        names = ", ".join(dict.fromkeys(branch.relation for branch in self.blockers))
        found = f"cannot be deleted: {names} forbids it" if names else "would be deleted"
        return f"{rows} {found}\n{trees.to_text(self._tree())}".rstrip("\n")

    def to_mermaid(self) -> str:
        """The tree as a Mermaid flowchart."""
        return trees.to_mermaid(self._tree())

    def to_svg(self) -> str:
        """The tree as an SVG picture that stands alone."""
        return trees.to_svg(self._tree())

    def _tree(self) -> trees.Node:
        nodes = {branch: branch.node() for branch in self}
        for branch, node in nodes.items():
            node.children = [nodes[child] for child in branch.branches]
        return nodes[self.root]

    # -- carrying it out -----------------------------------------------------------------------------------------------

    def execute(self) -> Deleted:
        """Do what the plan says; gives what ``delete()`` gives.

        In one transaction the plan is read again and carried out. Raises ``DeletePlanOutdated`` where a relation leads
        to another number of rows now (beyond the cap nothing is compared), ``ProtectedError`` or ``RestrictedError``
        where rows forbid it, and ``IntegrityError`` where another transaction adds a row in the very moment. Nothing
        is changed then.
        """
        return databases[self._alias].run(self._execute)

    async def aexecute(self) -> Deleted:
        """``execute``, awaited."""
        return await databases[self._alias].arun(self._execute)

    def _execute(self, session: Session) -> Operation[Deleted]:
        return (yield from atomically(session, self._checked(session)))

    def _checked(self, session: Session) -> Operation[Deleted]:
        now = yield from read_delete_plan(session, self._doomed, self._cap)
        for here, there in zip_longest(_lines(self), _lines(now)):
            if here != there:
                (name, before), (_, after) = here or (there[0], 0), there or (here[0], 0)
                raise DeletePlanOutdated(
                    f"The plan to delete {self.root.model.__name__} is out of date: it says {before} for {name}, "
                    f"and now there are {after}. Read it again with delete_plan()."
                )
        return (yield from self._doomed.delete(session))


def read_delete_plan(session: Session, doomed: Doomed, cap: int | None) -> Operation[DeletePlan]:
    """The plan of deleting what ``doomed`` says, as an operation that counts up to ``cap`` rows for each relation."""
    if cap is None:
        cap = NO_CAP
    elif cap < 1:
        raise ValueError(f"cap is the number up to which rows are counted: at least 1, or None, not {cap!r}.")
    statements = DeleteCounts(session.dialect, doomed.consequences(whole=True), doomed.shape.query, doomed.given)
    preview = DeletePreview(session, statements, doomed.values, cap + 1)
    yield from preview.read()
    root_entity = preview.consequences.root
    root = Branch(doomed.model, "", None, DELETE, *_capped(preview.asked, cap))
    below: dict[Entity, list[Edge]] = {}
    for edge in preview.reached:
        below.setdefault(edge.source, []).append(edge)
    waiting: list[tuple[Entity, Branch]] = [(root_entity, root)]
    for entity, branch in waiting:
        for edge in below.pop(entity, ()):
            count = _capped(preview.reached[edge], cap)
            child = Branch(edge.target.model, edge.label, edge.rule, edge.action, *count)
            if child.blocks:
                rows = loading(statements, edge, session.alias, preview.values)[:SHOWN]
                child.blocking = list((yield from rows._load(session)))
            branch.branches.append(child)
            if edge.action in TAKES:
                waiting.append((edge.target, child))
    counts = {doomed.label(entity): min(count, cap) for entity, count in preview.counts.items()}
    return DeletePlan(doomed, session.alias, cap, root, counts)


def _lines(plan: DeletePlan) -> list[tuple[str, int]]:
    return [(branch.relation or branch.model.__name__, branch.count) for branch in plan]


def _capped(count: int, cap: int) -> tuple[int, bool]:
    return min(count, cap), count > cap


def _number(count: int, is_capped: bool) -> str:
    return f"{count:,}+" if is_capped else f"{count:,}"
