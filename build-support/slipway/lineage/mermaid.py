"""Render a lineage as a flowchart of Mermaid, which GitLab and GitHub draw in Markdown.

Source: https://mermaid.js.org/syntax/flowchart.html; ``ci/mermaid`` compares with its own parser.
"""

from __future__ import annotations

from collections.abc import Iterator

from slipway.lineage.describe import short_details
from slipway.lineage.graph import Lineage, Node, NodeKind

# lines of LONGEST characters are not wrapped
WIDTH = '%%{init: {"flowchart": {"wrappingWidth": 420}}}%%'
MOST_DATA = 8  # files of data that are drawn; more make one node
MOST_LINES = 6  # of details in a node
LONGEST = 42  # characters of a line in a node
# opening and closing marks of a node's shape
SHAPES: dict[NodeKind, tuple[str, str]] = {
    "data": ("[(", ")]"),
    "origin": ("[(", ")]"),
    "image": ("[[", "]]"),
    "conversion": ("{{", "}}"),
    "weights": ("[/", "/]"),
    "original": ("[/", "/]"),
    "alias": ("([", "])"),
    "endpoint": ("([", "])"),
}
CLASSES: dict[str, tuple[NodeKind, ...]] = {
    "source": ("data", "code", "image", "origin"),
    "step": ("run", "stage", "conversion"),
    "made": ("weights", "original", "artifact"),
    "served": ("release", "alias", "endpoint"),
}
# readable on a light and on a dark page
STYLES = {
    "source": "fill:#e8f0fe,stroke:#3b6fd4,color:#111",
    "step": "fill:#fff4d6,stroke:#b07d00,color:#111",
    "made": "fill:#e6f4ea,stroke:#2f7d43,color:#111",
    "served": "fill:#f3e8fd,stroke:#7b3fb5,color:#111",
}
# what Mermaid or HTML would take for its own, as entity codes
ESCAPES = {ord(letter): f"#{ord(letter)};" for letter in '"#&<>`\\|{}[]()'}


def render_mermaid(lineage: Lineage) -> str:
    """Return the text of the flowchart, from the data at the top to the endpoints."""
    ids = {node.id: f"n{number}" for number, node in enumerate(lineage.nodes)}
    drawn = list(lineage.nodes)
    data = [node for node in drawn if node.kind == "data"]
    merged = {node.id for node in data[MOST_DATA - 1 :]} if len(data) > MOST_DATA else set()
    for node in merged:
        ids[node] = "more"
    lines = [WIDTH, "flowchart TB"]
    runs = lineage.of_kind("run")
    for run in runs:
        # a title of several lines would lie under the first stage
        lines += [f'  subgraph run["training run {_escape(run.label)}"]', f"    {_node(ids, run)}"]
        lines += [f"    {_node(ids, node)}" for node in drawn if node.kind == "stage"]
        lines += [f"    {ids[run.id]} -.-> {ids[stage.id]}" for stage in _first_stages(lineage)]
        lines.append("  end")
    lines += [
        f"  {_node(ids, node)}"
        for node in drawn
        if node.id not in merged and node.kind not in ("run", "stage")
    ]
    if merged:
        lines.append(f'  more[("and {len(merged)} more files of data")]')
    if runs:
        lines.append("  style run fill:#8881,stroke:#888")
    lines += _edges(lineage, ids)
    return "\n".join([*lines, *_styles(ids, drawn, merged)]) + "\n"


def _first_stages(lineage: Lineage) -> list[Node]:
    """Return the stages that read nothing which another stage wrote."""
    return [
        stage
        for stage in lineage.of_kind("stage")
        if not any(source.kind == "stage" for source, _ in lineage.sources(stage))
    ]


def _node(ids: dict[str, str], node: Node) -> str:
    opening, closing = SHAPES.get(node.kind, ("[", "]"))
    return f'{ids[node.id]}{opening}"{_text(node)}"{closing}'


def _text(node: Node) -> str:
    title, details = node.label, short_details(node)
    if node.kind == "run" and details:  # its name is above the box
        title, *details = details
    if len(details) > MOST_LINES:
        details = [*details[: MOST_LINES - 1], f"and {len(details) - MOST_LINES + 1} more"]
    return "<br/>".join(_escape(line) for line in (title, *details))


def _escape(line: str) -> str:
    """Return a line without marks that have a meaning, and shortened in its middle."""
    plain = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
    if len(plain) > LONGEST:
        half = LONGEST // 2
        plain = f"{plain[: half - 1]}…{plain[-half:]}"
    return plain.translate(ESCAPES)


def _edges(lineage: Lineage, ids: dict[str, str]) -> Iterator[str]:
    drawn: set[str] = set()
    for edge in lineage.edges:
        label = f'|"{_escape(edge.label)}"|' if edge.label else ""
        line = f"  {ids[edge.source]} -->{label} {ids[edge.target]}"
        if line not in drawn:
            drawn.add(line)
            yield line


def _styles(ids: dict[str, str], drawn: list[Node], merged: set[str]) -> Iterator[str]:
    for name, kinds in CLASSES.items():
        members = [ids[node.id] for node in drawn if node.kind in kinds and node.id not in merged]
        if name == "source" and merged:
            members.append("more")
        if members:
            yield f"  classDef {name} {STYLES[name]}"
            yield f"  class {','.join(members)} {name}"
