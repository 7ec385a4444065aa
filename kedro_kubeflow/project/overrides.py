"""Parameters given on the command line, typed as Kedro types them.

``kedro run --params`` takes OmegaConf's dot-list
(https://omegaconf.readthedocs.io/en/latest/usage.html#from-a-dot-list): ``a.b=3`` is an int in a mapping, ``3.0`` a float,
``null`` null, ``[1, 2]`` a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.errors import ParameterError


def read_overrides(params: str | None, param: Iterable[str], params_file: Path | None) -> dict[str, Any]:
    """The parameters that the caller gives, nested; ``param`` goes before ``params``, and both before the file.

    Raises:
        ParameterError: something is no ``key=value``, or does not parse.
    """
    from omegaconf import OmegaConf

    merged: Any = OmegaConf.create(dict(_from_file(params_file)) if params_file else {})
    items = [item.strip() for item in (params or "").split(",") if item.strip()]
    for item in [*items, *param]:
        # One at a time, so that an error can name the one that is wrong.
        merged = OmegaConf.merge(merged, _from_item(item))
    container = OmegaConf.to_container(merged)
    return {str(key): value for key, value in container.items()} if isinstance(container, dict) else {}


def _from_item(item: str) -> Any:
    from omegaconf import OmegaConf

    cut = min((i for i in (item.find("="), item.find(":")) if i >= 0), default=-1)
    key = item[:cut].strip()
    if cut < 0 or not key:
        raise ParameterError(f"{item!r} is no parameter", cure="write it as key=value, such as model.alpha=0.5")
    try:
        return OmegaConf.from_dotlist([f"{key}={item[cut + 1 :]}"])
    except Exception as error:
        raise ParameterError(
            f"The value of the parameter {key!r} does not parse: {' '.join(str(error).split())}",
            where=item,
            cure="""quote text that looks like YAML, such as --param 'name="{text}"'""",
        ) from error


def _from_file(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"The file of parameters cannot be read: {error}", where=str(path)) from error
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ParameterError("The file of parameters must be a mapping of names to values", where=str(path))
    return values
