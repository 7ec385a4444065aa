"""Which values of a project's configuration are worked out by resolvers, and which run-time parameters it asks for.

A date, a variable of the environment, a draw of chance belong to the run, not to the file that was compiled from them half a
year before. So the configuration is read once more with a mark in place of all that a resolver gives
(https://docs.kedro.org/en/stable/configure/advanced_configuration/#how-to-use-resolvers-in-the-omegaconfigloader): the marks
follow every interpolation, and stand in the end where such a value would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kedro_kubeflow.errors import ParameterError
from kedro_kubeflow.interpolation import ANY, references_in, requests_in
from kedro_kubeflow.project.catalog import CatalogEntries
from kedro_kubeflow.project.conf import read_section
from kedro_kubeflow.project.mlflow_plugin import register_patterns
from kedro_kubeflow.project.partial import as_far_as_it_goes

# Characters of Unicode's private use: no configuration holds them.
_OPEN, _CLOSE = "\ue0f0", "\ue0f1"
_MARK = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
_COMMENT = re.compile(r"(?m)(^|\s)#.*$")
RUNTIME_PARAMS = "runtime_params"
# Known without a run: the configuration's own text.
_PLAIN = frozenset({"globals", RUNTIME_PARAMS, "km.random_name", "oc.select", "oc.create", "oc.deprecated"})
# What compiling reads for itself, and what OmegaConf alone reads.
_NOT_A_STEPS = frozenset({"globals", "kubeflow", "vertexai"})
_MISSING: Any = object()


@dataclass(frozen=True)
class Asked:
    """A run-time parameter that the configuration asks for, as in ``${runtime_params:region,europe}``.

    Attributes:
        name: as it stands there; dots lead into mappings.
        defaults: the different values that stand for it where none is given, as far as they are known.
        sections: the parts of the configuration that ask for it.
        needed: whether one of them has no default.
    """

    name: str
    defaults: tuple[Any, ...]
    sections: tuple[str, ...]
    needed: bool = False

    @property
    def key(self) -> str:
        """The top-level name."""
        return self.name.split(".", 1)[0]


@dataclass(frozen=True)
class Marked:
    """The configuration with marks in place of what resolvers give.

    Attributes:
        sections: section → its values.
        asked: the run-time parameters that any of them asks for, by name.
        referred: top-level parameter → the others that its text refers to, be it by way of further ones.
    """

    sections: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Asked] = field(default_factory=dict)
    referred: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def resolved(self, section: str) -> dict[str, tuple[str, ...]]:
        """Top-level name → the resolvers that a part of its value comes from, where there are any.

        ``runtime_params`` stands for one that must be given.
        """
        values = self.sections.get(section) or {}
        return {key: found for key, value in values.items() if (found := resolvers_in(value))}


def read_marked(loader: Any) -> Marked:
    """Read the whole configuration with marks.

    Args:
        loader: a config loader that nobody else uses: it keeps marked globals.
    """
    register_patterns(loader)
    sections = [key for key in getattr(loader, "config_patterns", {}) if key not in _NOT_A_STEPS]
    requests, references = _Requests(), _References()
    found: dict[str, Any] = {}

    def hear(config: Any) -> None:
        if requests.section == "parameters":
            references.take(config)

    with _marking(hear), requests.recorded(loader):
        globals_ = read_section(loader, "globals", missing={})
        loader["globals"] = globals_ or {}
        for section in sections:
            requests.section = section
            found[section] = read_section(loader, section, missing={})
    return Marked(found, {**_in_files(loader), **requests.asked()}, references.followed())


def resolvers_in(value: Any) -> tuple[str, ...]:
    """The resolvers whose marks stand in a value, at any depth; sorted."""
    return tuple(sorted({name for text in _texts(value) for name in _MARK.findall(text)}))


def kept_in_conf(marked: Marked) -> dict[str, tuple[str, ...]]:
    """Top-level parameter → the resolvers that give a part of its value: it is worked out in the pod.

    One that *is* the run-time parameter that it asks for is an input like others.
    """
    own = {asked.key for asked in marked.asked.values()}
    found = marked.resolved("parameters")
    return {key: names for key, names in found.items() if not (key in own and names == (RUNTIME_PARAMS,))}


def resolved_entries(marked: Marked, datasets: Iterable[str]) -> frozenset[str]:
    """The datasets whose catalog entry a resolver gives a part of."""
    catalog = _catalog(marked)
    if catalog is None:
        return frozenset(datasets)  # It could not be read with marks.
    return frozenset(name for name, entry in catalog.of(datasets).items() if resolvers_in(entry))


def changed_entries(marked: Marked, other: Marked, datasets: Iterable[str]) -> frozenset[str]:
    """The datasets whose catalog entry is not the same in two configurations, as far as that can be told."""
    one, two = _catalog(marked), _catalog(other)
    if marked is other or one is None or two is None:
        return frozenset()
    return frozenset(name for name, entry in one.of(datasets).items() if two[name] != entry)


def _catalog(marked: Marked) -> CatalogEntries | None:
    found = marked.sections.get("catalog") or {}
    return CatalogEntries(found) if all(isinstance(entry, Mapping) for entry in found.values()) else None


def check_given(asked: Mapping[str, Asked], given: Mapping[str, Any]) -> None:
    """Refuse to go on without a run-time parameter that the configuration cannot do without.

    Raises:
        ParameterError: names it, and what asks for it.
    """
    for one in asked.values():
        if one.needed and not _is_among(one.name, given):
            raise ParameterError(
                f"The configuration asks for the run-time parameter {one.name!r}, and none is given",
                where=f"${{runtime_params:{one.name}}} in {', '.join(f'{section}*.yml' for section in one.sections)}",
                cure=f"give it, as in --params {one.name}=VALUE, or write a default: ${{runtime_params:{one.name},VALUE}}",
            )


def _is_among(name: str, given: Any) -> bool:
    for part in name.split("."):
        if not isinstance(given, Mapping) or part not in given:
            return False
        given = given[part]
    return True


def defaults_of(asked: Mapping[str, Asked]) -> dict[str, Any]:
    """Top-level name → what the configuration takes where it is not given, where that is one plain value."""
    return {
        one.name: one.defaults[0]
        for one in asked.values()
        if one.name == one.key and len(one.defaults) == 1 and not one.needed and not resolvers_in(one.defaults[0])
    }


def unmarked(value: Any, text: str = "…") -> Any:
    """A marked value with some text in place of each mark."""
    if isinstance(value, str):
        return _MARK.sub(text, value)
    if isinstance(value, Mapping):
        return {unmarked(key, text): unmarked(item, text) for key, item in value.items()}
    return [unmarked(item, text) for item in value] if isinstance(value, list) else value


class _Requests:
    """Takes down every request for a run-time parameter."""

    def __init__(self) -> None:
        self.section = ""
        self._found: dict[str, tuple[list[Any], list[str]]] = {}
        self._needed: set[str] = set()

    @contextmanager
    def recorded(self, loader: Any) -> Iterator[None]:
        """Let a loader's requests be written down; one that must be given is a mark."""
        answer: Callable[..., Any] | None = getattr(loader, "_get_runtime_value", None)
        if answer is None:  # Not Kedro's own loader, or another Kedro: then the configuration asks in a way of its own.
            yield
            return

        def recording(variable: str, default: Any = _MISSING) -> Any:
            defaults, sections = self._found.setdefault(str(variable), ([], []))
            sections.append(self.section)
            if default is not _MISSING:
                defaults.append(_plain(default))
                return answer(variable, default)
            self._needed.add(str(variable))
            return answer(variable) if _is_among(str(variable), loader.runtime_params) else _mark(RUNTIME_PARAMS)

        loader._get_runtime_value = recording
        try:
            yield
        finally:
            del loader._get_runtime_value

    def asked(self) -> dict[str, Asked]:
        return {
            name: Asked(name, tuple(_distinct(defaults)), tuple(dict.fromkeys(sections)), name in self._needed)
            for name, (defaults, sections) in sorted(self._found.items())
        }


class _References:
    """Takes down which parameter refers to which."""

    def __init__(self) -> None:
        self._found: dict[str, set[str]] = {}

    def take(self, config: Any) -> None:
        """Look through parameters as their text stands in the files."""
        from omegaconf import OmegaConf

        values = OmegaConf.to_container(config)
        for key, value in values.items() if isinstance(values, Mapping) else ():
            self._found.setdefault(str(key), set()).update(_referred_in(value))

    def followed(self) -> dict[str, frozenset[str]]:
        return {key: frozenset(self._from(key) - {key, ANY}) for key in self._found}

    def _from(self, key: str) -> set[str]:
        reached: set[str] = set()
        ahead = [key]
        while ahead:
            names = self._found.get(ahead.pop(), set())
            new = (names if ANY not in names else {*names, *self._found}) - reached
            reached |= new
            ahead += new
        return reached


def _referred_in(value: Any) -> Iterator[str]:
    """The top-level names that a value's text refers to."""
    for text in _texts(value):
        yield from references_in(text)


@contextmanager
def _marking(hear: Callable[[Any], None]) -> Iterator[None]:
    """Let every resolver but the plain ones give a mark while the block runs, and let what cannot be read so be one.

    Args:
        hear: is given each configuration before it is worked out.
    """
    from omegaconf import OmegaConf
    from omegaconf.basecontainer import BaseContainer
    from omegaconf.errors import OmegaConfBaseException

    # OmegaConf 2.4 renamed the function and warns of the old name.
    register = getattr(OmegaConf, "register_resolver", None) or OmegaConf.register_new_resolver
    before = dict(BaseContainer._resolvers)
    try:
        for name in {*before, "oc.env"} - _PLAIN:
            register(name, _marker(name), replace=True)
        # As a rule a mark stands for a mapping that something else looks into. What is not known to be plain is not.
        with as_far_as_it_goes(_mark("…"), goes_on=lambda error: isinstance(error, OmegaConfBaseException), hear=hear):
            yield
    finally:
        BaseContainer._resolvers = before


def _in_files(loader: Any) -> dict[str, Asked]:
    """What files ask for that no section of Kedro's or a plugin's holds, such as one that a hook reads."""
    source = Path(str(getattr(loader, "conf_source", "")))
    envs = {getattr(loader, "base_env", None), loader.env or getattr(loader, "default_run_env", None)} - {None, ""}
    found: dict[str, list[str]] = {}
    for file in sorted(file for env in envs for file in (source / str(env)).rglob("*.y*ml")):
        if not file.name.startswith(tuple(_NOT_A_STEPS)):
            for name in requests_in(_COMMENT.sub("", file.read_text("utf-8", errors="replace"))):
                found.setdefault(name, []).append(file.name)
    return {name: Asked(name, (), tuple(dict.fromkeys(files))) for name, files in found.items()}


def _marker(name: str) -> Callable[..., str]:
    return lambda *_args: _mark(name)


def _mark(name: str) -> str:
    return f"{_OPEN}{name}{_CLOSE}"


def _plain(value: Any) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _distinct(values: Iterable[Any]) -> Iterator[Any]:
    seen: list[tuple[type, Any]] = []
    for value in values:
        if (type(value), value) not in seen:
            seen.append((type(value), value))
            yield value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
