"""One place under two names: written as one dataset, read or written again as another.

Kedro knows nothing of it, but runs its nodes one after the other in one folder, so that who comes later finds what was left
before. Here two names of one file are taken for one dataset, as those of a transcoded one are, and the data travels: to those
who read it, and to those who write there again, as they may add to it. What lies elsewhere is waited for.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kedro_kubeflow.plan.handoff import Handoff
from kedro_kubeflow.plan.nodes import NodeFacts, base_name

_LOCAL = ("file", "volume")
_Place = tuple[str, bool]


def with_aliases(nodes: Sequence[NodeFacts], handoffs: Mapping[str, Handoff], root: str = "") -> list[NodeFacts]:
    """The nodes, and in place of a name whose file an earlier node has written last under another name, that other name.

    The new name is made as those of transcoded datasets are, ``written@read``. A node that writes where another has written is
    given that dataset too, and so is one that uses what lies elsewhere.

    Args:
        nodes: in the order in which Kedro would run them.
        handoffs: how each of their datasets travels.
        root: the project's folder, which absolute paths may name.
    """
    seen = _Seen({name: _place(handed, root) for name, handed in handoffs.items()}, handoffs)
    return [seen.next(node) for node in nodes]


@dataclass
class _Seen:
    """What the nodes so far have done.

    Attributes:
        places: where each dataset lies; empty where that says nothing.
        written: file → the dataset that it was last written as.
        read: files that were read before anybody had written them.
        elsewhere: place → the datasets that were written there; the places around it too, marked so.
    """

    places: Mapping[str, _Place]
    handoffs: Mapping[str, Handoff]
    written: dict[_Place, str] = field(default_factory=dict)
    read: set[_Place] = field(default_factory=set)
    elsewhere: dict[tuple[str, bool], list[str]] = field(default_factory=dict)

    def next(self, node: NodeFacts) -> NodeFacts:
        """A node as it is after the others."""
        renamed = {d: self._renamed(d) for d in node.datasets}
        self.read |= {self.places[d] for d in node.datasets if self._is_file(d) and self.places[d] not in self.written}
        begins = tuple(self._begins(node))
        before = [f"{old}@{base_name(new)}" for new, old in begins if old]
        waits = [f"{w}@{d}" for d in (*node.datasets, *node.outputs) for w in self._overwritten(d)]
        self.written |= {self.places[d]: base_name(d) for d in node.outputs if self._is_file(d)}
        for d in filter(self._is_elsewhere, node.outputs):
            here, *around = _around(self.places[d][0])
            for key in ((here, True), *((place, False) for place in around)):
                self.elsewhere.setdefault(key, []).append(base_name(d))
        inputs = tuple(dict.fromkeys([*(renamed.get(d, d) for d in node.inputs), *before, *waits]))
        aliases = tuple(sorted((base_name(d), base_name(new)) for d, new in renamed.items() if new != d))
        return replace(node, inputs=inputs, aliases=aliases, begins=begins) if inputs != node.inputs or begins else node

    def _renamed(self, dataset: str) -> str:
        last = self.written.get(self.places[dataset]) if self._is_file(dataset) else None
        return dataset if last in (None, base_name(dataset)) else f"{last}@{dataset}"

    def _begins(self, node: NodeFacts) -> Iterator[tuple[str, str]]:
        """Each file that the node writes and that is not new → the dataset that it was written as; empty: it was there."""
        for name in dict.fromkeys(base_name(d) for d in node.outputs if self._is_file(d)):
            place = next(self.places[d] for d in node.outputs if base_name(d) == name)
            if place in self.written:
                yield name, self.written[place]
            elif place in self.read:
                yield name, ""

    def _overwritten(self, dataset: str) -> list[str]:
        """What was written elsewhere under other names, at the dataset's place, inside of it or around it."""
        if not self._is_elsewhere(dataset):
            return []
        here, *around = _around(self.places[dataset][0])
        keys = ((here, True), (here, False), *((place, True) for place in around))
        return [w for key in keys for w in self.elsewhere.get(key, ()) if w != base_name(dataset)]

    def _is_file(self, dataset: str) -> bool:
        return dataset in self.handoffs and self.handoffs[dataset].kind in _LOCAL

    def _is_elsewhere(self, dataset: str) -> bool:
        return dataset in self.handoffs and self.handoffs[dataset].kind == "external" and bool(self.places[dataset][0])


def written_elsewhere(name: str) -> str:
    """The name by which a node uses a dataset, from one that `with_aliases` has made.

    >>> written_elsewhere("companies_written@companies")
    'companies'
    """
    return name.partition("@")[2]


def shared_files(nodes: Sequence[NodeFacts]) -> tuple[dict[str, str], dict[str, str]]:
    """What a step must know of files that have several names.

    Returns:
        Each name that is another's file → the name that it goes by in the step, the last one that it is written as, or that an
        earlier step has written; and each file that the step writes and that is not new, by that name → what it begins as: the
        dataset of an earlier step, or what the image holds, where that is empty.
    """
    made = {base_name(d) for node in nodes for d in node.outputs}
    last: dict[str, str] = {}
    begins: dict[str, str] = {}
    for node in nodes:
        for new, old in node.begins:
            begun = begins.pop(old, None) if old in made else old
            begins |= {} if begun is None else {new: begun}
            last = {name: new if known == old else known for name, known in last.items()} | ({old: new} if old else {})
        last |= {name: last.get(old, old) for name, old in node.aliases}
    return last, begins


def file_options(nodes: Sequence[NodeFacts]) -> dict[str, Mapping[str, str]]:
    """`shared_files` as a step's options."""
    return {name: given for name, given in zip(("aliases", "begins"), shared_files(nodes), strict=True) if given}


def plain_path(handed: Handoff, root: str = "") -> str:
    """A local path that compares equal for the same file: relative to the project, or absolute outside of it.

    With the project's folder, links are followed, as Kedro's datasets would; ``~`` is a folder of the project's, as for Kedro.
    """
    path = re.sub(r"^(?:file|local):(?://)?", "", handed.path.replace("\\", "/"), flags=re.IGNORECASE)
    if not root:
        return posixpath.normpath(path)
    home, found = Path(root).resolve(), Path(root, path).resolve()
    return (found.relative_to(home) if found.is_relative_to(home) else found).as_posix()


def _place(handed: Handoff, root: str) -> _Place:
    """What is the same for the same data; versions are another thing than the file that they are versions of."""
    return (plain_path(handed, root) if handed.kind in _LOCAL else handed.address, handed.versioned)


def _around(place: str) -> list[str]:
    """A place and the folders that it is in; a pattern is its folder.

    >>> _around("s3://bucket/parts/*.csv")
    ['s3://bucket/parts', 's3://bucket']
    """
    scheme, mark, path = place.partition("://")
    if not mark or place.startswith("{"):
        return [place]
    parts = path.split("/")
    kept = list(itertools.takewhile(lambda part: not set(part) & set("*?["), parts)) or parts
    return [f"{scheme}://" + "/".join(kept[:end]) for end in range(len(kept), 0, -1)]
