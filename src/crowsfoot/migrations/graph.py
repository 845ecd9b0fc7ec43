"""Which migration comes after which."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from crowsfoot.errors import unknown_name
from crowsfoot.migrations.exceptions import CircularDependencyError, NodeNotFoundError
from crowsfoot.migrations.state import ProjectState

Node: TypeAlias = tuple[str, str]


class MigrationGraph:
    """Migrations by ``(app, name)``; edges lead from a migration to those that it depends on.

    A dependency may name a migration before it is added; ``validate_consistency`` finds those that never were.
    """

    def __init__(self) -> None:
        self.nodes: dict[Node, Any] = {}
        self.parents: dict[Node, set[Node]] = {}
        self.children: dict[Node, set[Node]] = {}
        self.replaced: dict[Node, Node] = {}
        self._missing: dict[Node, tuple[Any, str]] = {}

    def add_node(self, key: Node, migration: Any) -> None:
        self.nodes[key] = migration
        self.parents.setdefault(key, set())
        self.children.setdefault(key, set())
        self._missing.pop(key, None)

    def add_dependency(self, migration: Any, child: Node, parent: Node, skip_validation: bool = False) -> None:
        """Let ``child`` come after ``parent``; ``migration`` is the one that says so."""
        for key in (child, parent):
            if key not in self.nodes:
                self._missing.setdefault(key, (migration, f"Migration {migration} depends on {_said(key)}"))
                self.parents.setdefault(key, set())
                self.children.setdefault(key, set())
        self.parents[child].add(parent)
        self.children[parent].add(child)
        if not skip_validation:
            self.validate_consistency()

    def remove_replaced_nodes(self, replacement: Node, replaced: Iterable[Node]) -> None:
        """Let ``replacement`` stand where ``replaced`` stood."""
        gone = set(replaced)
        for key in gone:
            parents, children = self.parents.pop(key, set()), self.children.pop(key, set())
            self.nodes.pop(key, None)
            self._missing.pop(key, None)
            self.replaced[key] = replacement
            for parent in parents:
                self._unlink(self.children, parent, key)
                if parent not in gone and parent != replacement:
                    self.parents[replacement].add(parent)
                    self.children[parent].add(replacement)
            for child in children:
                self._unlink(self.parents, child, key)
                if child not in gone and child != replacement:
                    self.parents[child].add(replacement)
                    self.children[replacement].add(child)

    def remove_replacement_node(self, replacement: Node, replaced: Iterable[Node]) -> None:
        """Take a squashed migration out, as those that it stands for are partly applied; what came after it comes after
        the last of them.
        """
        wanted = {key for key in replaced if key in self.nodes}
        ends = {key for key in wanted if not (self.children[key] & wanted)}
        self.nodes.pop(replacement, None)
        parents, children = self.parents.pop(replacement, set()), self.children.pop(replacement, set())
        for parent in parents:
            self._unlink(self.children, parent, replacement)
        for child in children:
            self._unlink(self.parents, child, replacement)
            for end in ends - {child}:
                self.parents[child].add(end)
                self.children[end].add(child)

    @staticmethod
    def _unlink(edges: dict[Node, set[Node]], node: Node, other: Node) -> None:
        if node in edges:
            edges[node].discard(other)

    # -- checks --------------------------------------------------------------------------------------------------------

    def validate_consistency(self) -> None:
        """Raise ``NodeNotFoundError`` for a migration that others depend on and that does not exist."""
        for key, (origin, sentence) in self._missing.items():
            names = [name for app, name in self.nodes if app == key[0]]
            hint = unknown_name("migration", key[1], f"The app {key[0]!r}", names)
            raise NodeNotFoundError(f"{sentence}, which does not exist. {hint}", key, origin)

    def ensure_not_cyclic(self) -> None:
        """Raise ``CircularDependencyError`` with the ring, where there is one."""
        done: set[Node] = set()
        for start in self.nodes:
            trail: dict[Node, list[Node]] = {}
            node: Node | None = start
            while node is not None:
                if node not in trail:
                    trail[node] = [] if node in done else sorted(self.parents[node])
                following = trail[node].pop() if trail[node] else None
                if following is None:
                    done.add(node)
                    del trail[node]
                    node = next(reversed(trail), None)
                elif following in trail:
                    ring = list(trail)[list(trail).index(following) :]
                    listed = ", ".join(f"{app}.{name}" for app, name in [*ring, following])
                    raise CircularDependencyError(f"Migrations depend on each other in a ring: {listed}")
                elif following not in done:
                    node = following

    # -- plans ---------------------------------------------------------------------------------------------------------

    def forwards_plan(self, target: Node) -> list[Node]:
        """All migrations that ``target`` needs, in order, and itself at the end."""
        return self._plan(target, self.parents)

    def backwards_plan(self, target: Node) -> list[Node]:
        """All migrations that need ``target``, the last first, and itself at the end."""
        return self._plan(target, self.children)

    def _plan(self, target: Node, edges: dict[Node, set[Node]]) -> list[Node]:
        if target not in self.nodes:
            names = [name for app, name in self.nodes if app == target[0]]
            raise NodeNotFoundError(unknown_name("migration", target[1], f"The app {target[0]!r}", names), target)
        order: dict[Node, None] = {}
        stack: list[tuple[Node, bool]] = [(target, False)]
        while stack:
            node, finished = stack.pop()
            if finished:
                order.setdefault(node)
            elif node not in order:
                stack.append((node, True))
                # The stack turns them round: what sorts first comes first.
                stack += [(other, False) for other in sorted(edges[node], reverse=True) if other not in order]
        return list(order)

    def root_nodes(self, app: str | None = None) -> list[Node]:
        """Migrations (of one app) that depend on none of their own app."""
        return self._ends(self.parents, app)

    def leaf_nodes(self, app: str | None = None) -> list[Node]:
        """Migrations (of one app) that none of their own app depends on: normally one per app."""
        return self._ends(self.children, app)

    def _ends(self, edges: dict[Node, set[Node]], app: str | None) -> list[Node]:
        return sorted(
            node for node in self.nodes if app in (None, node[0]) and all(other[0] != node[0] for other in edges[node])
        )

    def make_state(
        self,
        nodes: Node | Iterable[Node] | None = None,
        at_end: bool = True,
        start: Callable[[], ProjectState] = ProjectState,
    ) -> ProjectState:
        """The state behind these migrations (all of them, without any), or before them with ``at_end=False``."""
        wanted = list(self.leaf_nodes()) if nodes is None else _listed(nodes)
        plan: dict[Node, None] = {}
        for node in wanted:
            for step in self.forwards_plan(node):
                if at_end or step not in wanted:
                    plan.setdefault(step)
        state = start()
        for node in plan:
            self.nodes[node].mutate_state(state, preserve=False)
        return state

    def __contains__(self, node: object) -> bool:
        return node in self.nodes


def _listed(nodes: Any) -> list[Node]:
    return [nodes] if nodes and isinstance(nodes[0], str) else list(nodes)


def _said(key: Node) -> str:
    return f"{key[0]}.{key[1]}"
