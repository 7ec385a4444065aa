"""Requirements in conda's environment.yml, those for pip among them.

https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.project.required.lines import of_line
from kedro_kubeflow.project.required.name import Named, named, text_of


def of_environment(file: Path) -> Iterator[Named]:
    """What it asks conda and pip for."""
    import yaml

    try:
        said = yaml.safe_load(text_of(file))
    except yaml.YAMLError:
        return
    found = said.get("dependencies") if isinstance(said, Mapping) else None
    yield from _named(found if isinstance(found, list) else [], file.parent)


def _named(items: list[Any], folder: Path) -> Iterator[Named]:
    for item in items:
        if isinstance(item, str):
            # A channel may stand before a name; a blank may stand for `=`.
            spec = item.rpartition("::")[2]
            yield from filter(None, (named(spec) or named(spec.partition(" ")[0]),))
        elif isinstance(item, Mapping):
            for line in item.get("pip") or ():
                yield from of_line(str(line), folder)
