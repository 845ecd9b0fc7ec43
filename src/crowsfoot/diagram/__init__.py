"""Entity-relationship diagrams with crow's feet, for the terminal and as Mermaid, read from the schema alone."""

from crowsfoot.diagram.graph import Foot, Graph, read
from crowsfoot.diagram.mermaid import to_mermaid
from crowsfoot.diagram.text import legend, to_text

__all__ = ["Foot", "Graph", "legend", "read", "to_mermaid", "to_text"]
