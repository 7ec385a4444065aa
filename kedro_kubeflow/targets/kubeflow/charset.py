"""Text that a database may not have the characters for.

Kubeflow's API server starts a run, and a schedule, before it writes it down. Where its database keeps text as Latin-1, or as
UTF-8 of three bytes, what lies beyond is refused then: the run goes on and is in no list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_REFUSED = re.compile(
    r"incorrect string value|illegal mix of collations|character set|error 1366|code.?point", re.IGNORECASE
)


def is_refusal(words: str) -> bool:
    """Whether the server says that its database does not take a text."""
    return _REFUSED.search(words) is not None


def beyond_latin(**texts: Any) -> list[str]:
    """The names of the values that hold characters beyond Latin-1, at any depth.

    >>> beyond_latin(name="café", greeting="hello 😀", items=["Дa"])
    ['greeting', 'items']
    """
    return [name for name, value in texts.items() if any(ord(max(text)) > 0xFF for text in _texts(value) if text)]


def in_spec(spec: Mapping[str, Any], parameters: Mapping[str, Any], name: str = "") -> list[str]:
    """What of a pipeline, or of a run of it, holds such characters, as people call it.

    Args:
        spec: KFP's IR, or that and its platform half together.
        parameters: the inputs that it is given, by KFP name; the spec's own defaults stand in the spec.
        name: of the run.
    """
    given = [f"the parameter {key!r}" for key in beyond_latin(**parameters)]
    given += [f"the name {name!r}"] if beyond_latin(name=name) else []
    ir = spec.get("pipeline_spec", spec)
    found = [(path, text) for path, text in _places(ir) if beyond_latin(text=text)]
    found += [(path, text) for path, text in _places(spec.get("platform_spec") or {}) if beyond_latin(text=text)]
    # What a step is called stands in its arguments too.
    called = {text for path, text in found if path[-2:] == ("taskInfo", "name")}
    shown = [_shown(path, text) for path, text in found if text not in called or path[-1] == "name"]
    return list(dict.fromkeys([*given, *shown]))


def cautions(spec: Mapping[str, Any], tags: Mapping[str, str]) -> list[str]:
    """What is to be said of a pipeline before it is uploaded: which of its texts hold such characters.

    Args:
        tags: what the server is told beside it.
    """
    suspects = in_spec(spec, {}) + [f"the tag {key!r} ({tags[key]})" for key in beyond_latin(**tags)]
    if not suspects:
        return []
    return [
        f"Characters beyond Latin-1: {', '.join(suspects)}. A server whose database does not take them (utf8mb4 does) begins "
        "such a run and has it in no list"
    ]


def _shown(path: Sequence[str], text: str) -> str:
    """A place in a spec, as people call it."""
    match path:
        case ("root", "inputDefinitions", "parameters", key, "defaultValue", *_):
            return f"the parameter {key!r}"
        case ("root", "inputDefinitions", "parameters", key, "description"):
            return f"the name of the parameter {key!r} ({text})"
        case ("pipelineInfo", "displayName"):
            return f"the pipeline's name {text!r}"
        case ("pipelineInfo", "description"):
            return "the pipeline's description"
        case (*_, "taskInfo", "name"):
            return f"the name of the step {text!r}"
        case ("deploymentSpec", "executors", label, "container", "env", variable, *_):
            return f"the environment variable {variable} of the step {label.removeprefix('exec-')!r}"
        case ("deploymentSpec", "executors", label, "container", *_):
            return f"an argument of the step {label.removeprefix('exec-')!r}"
    return ".".join(path)


def _places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in it, and where; keys too. Items of lists go by their names."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield (*path, str(key)), str(key)
            yield from _places(item, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            named = item.get("name") if isinstance(item, Mapping) else None
            yield from _places(item, (*path, str(named or number)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
