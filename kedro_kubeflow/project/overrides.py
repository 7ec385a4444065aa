"""Parameters given on the command line, typed as Kedro types them.

``kedro run --params`` takes OmegaConf's dot-list
(https://omegaconf.readthedocs.io/en/latest/usage.html#from-a-dot-list): ``a.b=3`` is an int in a mapping, ``3.0`` a float,
``null`` null, ``[1, 2]`` a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.errors import ParameterError


def read_overrides(params: str | None, param: Iterable[str], params_file: Path | None) -> dict[str, Any]:
    """The parameters that the caller gives, nested; ``param`` goes before ``params``, and both before the file.

    Raises:
        ParameterError: something is no ``key=value``, or does not parse.
    """
    from omegaconf import OmegaConf

    merged: Any = _from_file(params_file) if params_file else OmegaConf.create({})
    items = [item.strip() for item in (params or "").split(",") if item.strip()]
    _refuse_cut(items, params or "")
    for item in [*items, *param]:
        # One at a time, so that an error can name the one that is wrong.
        _add(item, merged)
    container = OmegaConf.to_container(merged)
    return {str(key): value for key, value in container.items()} if isinstance(container, dict) else {}


def _refuse_cut(items: Iterable[str], whole: str) -> None:
    """``--params`` is cut at every comma, as `kedro run` cuts it; a list or a mapping does not survive that."""
    for item in items:
        if any(item.count(left) != item.count(right) for left, right in ("[]", "{}")) or item.count('"') % 2:
            raise ParameterError(
                f"--params is cut at every comma, which leaves {item!r}",
                where=f"--params {whole}",
                cure="give a value that holds commas by itself, as in --param 'x=[a, b]'",
            )


def _add(item: str, merged: Any) -> None:
    # Kedro takes `=` alone; it has taken `:` too.
    cut = item.find("=") if "=" in item else item.find(":")
    key = item[:cut].strip()
    if cut < 0 or not key:
        raise ParameterError(f"{item!r} is no parameter", cure="write it as key=value, such as model.alpha=0.5")
    try:
        merged.merge_with_dotlist([f"{key}={item[cut + 1 :]}"])
    except Exception as error:
        raise ParameterError(
            f"The value of the parameter {key!r} does not parse: {' '.join(str(error).split())}",
            where=item,
            cure="""quote text that looks like YAML, such as --param 'name="{text}"'""",
        ) from error


def _from_file(path: Path) -> Any:
    """What a file says, read as Kedro reads parameters.yml: ``1e-3`` is a number there, which plain YAML takes for text."""
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        text = path.read_text("utf-8")
        values = yaml.safe_load(text)
        if values is None:
            return OmegaConf.create({})
        _check_file(values, path)
        return OmegaConf.create(text)
    except (yaml.YAMLError, UnicodeDecodeError, OmegaConfBaseException) as error:
        said = " ".join(str(error).split())
        raise ParameterError(f"The file of parameters cannot be read: {said}", where=str(path)) from error


def _check_file(values: Any, path: Path) -> None:
    if not isinstance(values, Mapping):
        raise ParameterError("The file of parameters must be a mapping of names to values", where=str(path))
    for key, value in _leaves(values):
        if value is not None and not isinstance(value, str | bool | int | float):
            raise ParameterError(
                f"The value of {key!r} is a {type(value).__name__}, which no parameter of Kedro's is",
                where=str(path),
                cure=f'write it in quotes, "{value}", and it is text, as it is in parameters.yml',
            )


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        yield prefix, value
        return
    for key, item in inner:
        yield from _leaves(item, f"{prefix}.{key}" if prefix else str(key))
