"""Draw a compiled pipeline as Kubeflow's UI lays it out, top to bottom: ``python docs/pictures_graph.py SPEC PICTURE``.

Layers by longest path, long edges through the gaps between boxes, few crossings by the barycentre rule; an SVG out of
plain text, the same for the same spec. See Sugiyama, Tagawa and Toda: Methods for Visual Understanding of Hierarchical
System Structures (1981).
"""

from __future__ import annotations

import html
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

BOX_HEIGHT, GAP_X, GAP_Y, MARGIN, LETTER = 34, 26, 42, 20, 7.3
STYLE = """\
  text { font: 13px "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: #1f2933; text-anchor: middle; }
  .note { font-size: 11px; fill: #52606d; text-anchor: end; }
  .step rect { fill: #ffffff; stroke: #4a7fb5; stroke-width: 1.4; }
  .frame rect { fill: #fdf3e1; stroke: #c98a2b; stroke-width: 1.4; }
  .group { fill: #f5f8fb; stroke: #9fb3c8; stroke-dasharray: 6 4; }
  .edge { fill: none; stroke: #7b8794; stroke-width: 1.2; }
  .paper { fill: #ffffff; }"""


@dataclass
class Node:
    """A box, or a bend of a long edge where it has no title."""

    name: str
    title: str = ""
    layer: int = 0
    x: float = 0.0
    above: list[Node] = field(default_factory=list)
    below: list[Node] = field(default_factory=list)

    @property
    def width(self) -> float:
        return max(len(self.title) * LETTER + 24, 10) if self.title else 8

    @property
    def y(self) -> float:
        return MARGIN + self.layer * (BOX_HEIGHT + GAP_Y)


def picture(spec: Mapping[str, Any]) -> str:
    """The SVG of a compiled pipeline: its tasks, those of an exit handler inside a frame."""
    nodes, inside = _graph(spec)
    layers = _layers(nodes)
    layers = _ordered(layers)
    _place(layers)
    return "\n".join(_svg(nodes, layers, inside)) + "\n"


def _graph(spec: Mapping[str, Any]) -> tuple[dict[str, Node], set[str]]:
    """The tasks, groups laid open, and which of them are in a group."""
    nodes: dict[str, Node] = {}
    inside: set[str] = set()
    tasks = dict(spec["root"]["dag"]["tasks"])
    for name, task in list(tasks.items()):
        inner = spec["components"][task["componentRef"]["name"]].get("dag", {}).get("tasks")
        if inner:
            inside |= set(inner)
            tasks |= _laid_open(name, tasks, inner)
            del tasks[name]
    for name, task in sorted(tasks.items()):
        nodes[name] = Node(name, task["taskInfo"]["name"])
    for name, task in sorted(tasks.items()):
        for upstream in task.get("dependentTasks", ()):
            _connect(nodes[upstream], nodes[name])
    return nodes, inside


def _laid_open(group: str, tasks: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """A group's tasks in its place: the first wait for what it waited for, what waited for it waits for the last."""
    waited_for = {up for task in inner.values() for up in task.get("dependentTasks", ())}
    before = tasks[group].get("dependentTasks", [])
    first = {n: {**t, "dependentTasks": t.get("dependentTasks") or before} for n, t in inner.items()}
    last = sorted(set(inner) - waited_for)
    after = {n: t for n, t in tasks.items() if group in t.get("dependentTasks", ())}
    return first | {
        n: {**t, "dependentTasks": sorted({*last, *t["dependentTasks"]} - {group})} for n, t in after.items()
    }


def _connect(upper: Node, lower: Node) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def _layers(nodes: dict[str, Node]) -> list[list[Node]]:
    """Nodes by layer, each as high as what it waits for allows; long edges are cut into pieces of one layer."""
    for node in _in_order(nodes):
        node.layer = max((up.layer + 1 for up in node.above), default=0)
    layers: list[list[Node]] = [[] for _ in range(1 + max(n.layer for n in nodes.values()))]
    for node in nodes.values():
        layers[node.layer].append(node)
    for node in list(nodes.values()):
        for lower in [n for n in node.below if n.layer > node.layer + 1]:
            _bend(node, lower, layers)
    return layers


def _in_order(nodes: Mapping[str, Node]) -> Iterator[Node]:
    done: set[str] = set()
    waiting = list(nodes.values())
    while waiting:
        ready = [n for n in waiting if all(up.name in done for up in n.above)]
        yield from ready
        done |= {n.name for n in ready}
        waiting = [n for n in waiting if n.name not in done]


def _bend(upper: Node, lower: Node, layers: list[list[Node]]) -> None:
    upper.below.remove(lower)
    lower.above.remove(upper)
    for layer in range(upper.layer + 1, lower.layer):
        bend = Node(f"{upper.name}>{lower.name}@{layer}", layer=layer)
        layers[layer].append(bend)
        _connect(upper, bend)
        upper = bend
    _connect(upper, lower)


def _ordered(layers: list[list[Node]]) -> list[list[Node]]:
    """The best of some attempts: the rule below ends at the next best order, whichever that is from where it starts."""
    attempts = []
    for seed in range(20):
        attempt = [random.Random(seed).sample(layer, len(layer)) for layer in layers]
        _order(attempt)
        attempts.append(attempt)
    return min(attempts, key=_crossings)


def _crossings(layers: list[list[Node]]) -> int:
    places = {n.name: i for layer in layers for i, n in enumerate(layer)}
    crossed = 0
    for layer in layers:
        edges = [(places[n.name], places[m.name]) for n in layer for m in n.below]
        crossed += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(edges, 2))
    return crossed


def _order(layers: list[list[Node]]) -> None:
    """Each layer in the order of the middle of its neighbours, down and up, until it settles."""
    for turn in range(12):
        for layer in layers[::-1] if turn % 2 else layers:
            places = {n.name: float(i) for other in layers for i, n in enumerate(other)}
            beside = {n.name: [places[m.name] for m in (n.below if turn % 2 else n.above)] for n in layer}
            middles = {n.name: _middle(beside[n.name], places[n.name]) for n in layer}
            layer.sort(key=lambda n, m=middles: m[n.name])


def _middle(places: list[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _place(layers: list[list[Node]]) -> None:
    """Each box near its neighbours' middle, none over another."""
    for layer in layers:
        _spread(layer, [0.0] * len(layer))
    for turn in range(40):
        for layer in layers if turn % 2 else layers[::-1]:
            _spread(layer, [_middle([m.x for m in n.above + n.below], n.x) for n in layer])


@dataclass
class Block:
    """Neighbouring boxes that stand as close as they may: each with its distance from the first."""

    members: list[tuple[Node, float]]
    wanted: float
    """The sum, over the members, of where each would have the first."""

    @property
    def start(self) -> float:
        """Where the first one stands."""
        return self.wanted / len(self.members)

    def distance(self, right: Block) -> float:
        """From the first box to the first one of the block at the right."""
        node, offset = self.members[-1]
        return offset + node.width / 2 + GAP_X + right.members[0][0].width / 2

    def join(self, right: Block) -> None:
        shift = self.distance(right)
        self.wanted += right.wanted - shift * len(right.members)
        self.members += [(node, offset + shift) for node, offset in right.members]


def _spread(layer: list[Node], wanted: list[float]) -> None:
    """The places nearest to the wanted ones that keep the order and the distances."""
    blocks: list[Block] = []
    for node, x in zip(layer, wanted, strict=True):
        blocks.append(Block([(node, 0.0)], x))
        while len(blocks) > 1 and blocks[-2].start + blocks[-2].distance(blocks[-1]) > blocks[-1].start:
            right = blocks.pop()
            blocks[-1].join(right)
    for block in blocks:
        start = block.start
        for node, offset in block.members:
            node.x = start + offset


def _svg(nodes: Mapping[str, Node], layers: list[list[Node]], inside: set[str]) -> Iterator[str]:
    everything = [n for layer in layers for n in layer]
    left = min(n.x - n.width / 2 for n in everything) - 2 * MARGIN
    width = round(max(n.x + n.width / 2 for n in everything) + 2 * MARGIN - left)
    height = round(layers[-1][0].y + BOX_HEIGHT + MARGIN)
    for node in everything:
        node.x -= left
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    yield f"<style>\n{STYLE}\n</style>"
    yield f'<rect class="paper" width="{width}" height="{height}"/>'
    if inside:
        yield from _frame_of([nodes[name] for name in inside], width)
    for node in everything:
        yield from (_edge(node, lower) for lower in node.below)
    for node in nodes.values():
        yield from _box(node)
    yield "</svg>"


def _frame_of(members: list[Node], width: int) -> Iterator[str]:
    top = min(n.y for n in members) - GAP_Y / 2
    bottom = max(n.y for n in members) + BOX_HEIGHT + GAP_Y / 2 - 6
    yield f'<rect class="group" x="{MARGIN / 2:g}" y="{top:g}" width="{width - MARGIN:g}" height="{bottom - top:g}" rx="10"/>'
    yield f'<text class="note" x="{width - MARGIN:g}" y="{top + 16:g}">the steps: one box in Kubeflow\'s UI</text>'


def _edge(upper: Node, lower: Node) -> str:
    start = upper.y + (BOX_HEIGHT if upper.title else BOX_HEIGHT / 2)
    end = lower.y + (0 if lower.title else BOX_HEIGHT / 2)
    bend = (end - start) / 2
    return (
        f'<path class="edge" d="M{upper.x:.1f} {start:.1f} C{upper.x:.1f} {start + bend:.1f} '
        f'{lower.x:.1f} {end - bend:.1f} {lower.x:.1f} {end:.1f}"/>'
    )


def _box(node: Node) -> Iterator[str]:
    kind = "frame" if node.name.startswith("mlflow-") else "step"
    yield f'<g class="{kind}"><title>{html.escape(node.name)}</title>'
    yield (
        f'<rect x="{node.x - node.width / 2:.1f}" y="{node.y:.1f}" width="{node.width:.1f}" height="{BOX_HEIGHT}" rx="7"/>'
        f'<text x="{node.x:.1f}" y="{node.y + BOX_HEIGHT / 2 + 4.5:.1f}">{html.escape(node.title)}</text></g>'
    )


def picture_of_file(spec: Path) -> str:
    """The picture of a file that `kedro kubeflow compile` wrote."""
    return picture(next(iter(yaml.safe_load_all(spec.read_text("utf-8")))))


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(picture_of_file(Path(sys.argv[1])), "utf-8")
