"""One file under two names: written as one dataset, read as another.

Kedro knows nothing of it, but runs its nodes one after the other in one folder, so that who comes later reads what was written
before. Here the two names are taken for one dataset, as those of a transcoded one are, and the data travels.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kedro_kubeflow.plan.handoff import Handoff
from kedro_kubeflow.plan.nodes import NodeFacts, base_name

_LOCAL = ("file", "volume")


def with_aliases(nodes: Sequence[NodeFacts], handoffs: Mapping[str, Handoff], root: str = "") -> list[NodeFacts]:
    """The nodes, and in place of a name whose file an earlier node writes under another name, that other name.

    The new name is made as those of transcoded datasets are, ``written@read``.

    Args:
        nodes: in the order in which Kedro would run them.
        handoffs: how each of their datasets travels.
        root: the project's folder, which absolute paths may name.
    """
    files = {name: _file(handed, root) for name, handed in handoffs.items()}
    made = {base_name(d) for node in nodes for d in node.outputs}
    written: dict[tuple[str, bool], str] = {}
    found: list[NodeFacts] = []
    for node in nodes:
        seen = {d: written.get(files[d]) for d in node.datasets if base_name(d) not in made and d in handoffs}
        known = {d: other for d, other in seen.items() if other}
        inputs = tuple(f"{known[d]}@{d}" if d in known else d for d in node.inputs)
        aliases = tuple(sorted((base_name(d), other) for d, other in known.items()))
        found.append(replace(node, inputs=inputs, aliases=aliases) if known else node)
        written |= {files[d]: base_name(d) for d in node.outputs if handoffs[d].kind in _LOCAL}
    return found


def written_elsewhere(name: str) -> str:
    """The name by which a node reads a dataset, from one that `with_aliases` has made.

    >>> written_elsewhere("companies_written@companies")
    'companies'
    """
    return name.partition("@")[2]


def plain_path(handed: Handoff, root: str = "") -> str:
    """A local path that compares equal for the same file: relative to the project, or absolute outside of it."""
    path = posixpath.normpath(re.sub(r"^[a-z]+://", "", handed.path.replace("\\", "/")))
    return posixpath.relpath(path, root) if root and path.startswith(f"{root}/") else path


def _file(handed: Handoff, root: str) -> tuple[str, bool]:
    """What is the same for the same file; versions are another thing than the file that they are versions of."""
    return (plain_path(handed, root) if handed.kind in _LOCAL else "", handed.versioned)
