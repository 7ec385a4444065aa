"""What a pod is told: the one thing that compile time and run time share.

A step is called as ``python -m kedro_kubeflow.runtime ACTION --step NAME …`` with an argv list. What stands there is in Argo's
workflow nine times a step, so nothing is said twice, and nothing that is the default. Lists of plain names are words with
commas (``--inputs rows:memory,model:file/model.pkl``); as Kedro names may hold nearly anything, all others are JSON. The step's
own name stands literally in the arguments of every component: Kubeflow's backend keys components by a hash of the container
alone and silently drops a second one that hashes alike.

The one placeholder is ``{{$}}``, the executor input
(https://www.kubeflow.org/docs/components/pipelines/reference/api/kubeflow-pipeline-api-spec/), from which the runtime reads
parameters and artifact paths.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from kedro_kubeflow.parameters import Encoding

MODULE = "kedro_kubeflow.runtime"
DEFAULT_PIPELINE = "__default__"
EXECUTOR_INPUT = "{{$}}"

# KFP input names of our own. No Kedro parameter can have them: names.field_name gives a dash only before a digest.
RUN_ID_INPUT = "mlflow-run-id"
JOB_ID_INPUT = "kubeflow-run-id"
JOB_NAME_INPUT = "kubeflow-run-name"
STATUS_INPUT = "status"
WORKSPACE_INPUT = "workspace-path"
CODE = "project-code"
"""The artifact that holds the project's code, where it travels with the run."""

# The environment of a step. KEDRO_KUBEFLOW_RUN_ID comes from the pod's own label, so that it is no part of a cache key.
RUN_ID_ENV = "KEDRO_KUBEFLOW_RUN_ID"
# Which attempt of a step in its pod a process is, from the second on, and when the first began.
ATTEMPT_ENV = "KEDRO_KUBEFLOW_ATTEMPT"
VOLUME_ENV = "KEDRO_KUBEFLOW_VOLUME"
# The addresses of notifications that stand in secrets; a number follows.
NOTIFY_ENV = "KEDRO_KUBEFLOW_NOTIFY_"

# The Kedro parameter that tells the exit pipeline what became of the run, and those that kedro-kubeflow 0.x had for it.
OUTCOME_PARAMETER = "kubeflow_run"
OUTCOME_KEYS = ("status", "failed_steps", "run_id", "pipeline", "error", "mlflow_run_id")
OLD_OUTCOME_PARAMETERS = ("status", "failures")
UI_HOST_ENV = "KEDRO_KUBEFLOW_UI_HOST"
EXIT_DONE = "All that is to be done at the end was done. This task fails so that a retry comes here again."
"""What the exit task of a run that has not succeeded says last, where all went well that it had to do."""

LOCAL_ENV = "KEDRO_KUBEFLOW_LOCAL"
# For a step on this machine that works in a copy of the project: where the project itself is.
HOME_ENV = "KEDRO_KUBEFLOW_HOME"
# In the folder of a run on this machine: what became of each of its steps.
STATES_FILE = "steps.json"

LOCAL_VALUES = "local"
"""The setting that holds what conf/local says of parameters: where it was compiled it was read, and most images lack it."""

Action = Literal["start", "fill", "run", "succeed", "finish", "code", "fetch"]
ACTIONS: tuple[Action, ...] = ("start", "fill", "run", "succeed", "finish", "code", "fetch")

How = Literal["file", "copy", "memory", "metrics", "mlflow", "plot", "link", "model", "code"]


@dataclass(frozen=True)
class Artifact:
    """One artifact of a step, and the Kedro dataset behind it.

    Attributes:
        name: its KFP name, unique within the step's inputs or outputs.
        dataset: the Kedro dataset; for transcoded ones the base name, without ``@…``.
        how: ``file``: the catalog entry, its path pointed at the artifact; ``copy``: a copy of a file on the run's volume,
            for the UI and for later; ``memory``: the step's serializer;
            ``metrics``: numbers in the artifact's metadata, with no data of its own; ``plot``: a picture of another
            output, as HTML; ``mlflow``: the metrics that the step logged to MLflow; ``link``: the way to the MLflow run;
            ``model``: where a model lies in MLflow; ``code``: the project's code.
        filename: what the data is called inside the artifact's folder; empty where the artifact is the file itself.
        required: whether a missing output is an error. Pictures and outputs that nobody reads are made if they can be.
    """

    name: str
    dataset: str
    how: How
    filename: str = ""
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class StepCall:
    """One call of the runtime; round-trips through argv."""

    action: Action
    step: str
    pipeline: str = DEFAULT_PIPELINE
    pipelines: tuple[str, ...] = ()
    """The registered pipelines whose union is meant, where they are several; ``pipeline`` is then what people call it."""
    env: str | None = None
    nodes: tuple[str, ...] = ()
    inputs: tuple[Artifact, ...] = ()
    outputs: tuple[Artifact, ...] = ()
    parameters: tuple[tuple[str, Encoding], ...] = ()
    """KFP input name and encoding of each Kedro parameter that the step is given."""
    package: str | None = None
    """A packaged project to configure, where there is no project folder."""
    conf_source: str | None = None
    tracking: bool = False
    """Whether there is one MLflow run to join."""
    code: str | None = None
    """The digest of the code that travels with the run; without one the image's own is run."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Small options of an action, by name: plain JSON."""

    @property
    def pipeline_names(self) -> tuple[str, ...]:
        """The registered pipelines that the nodes are looked up in."""
        return self.pipelines or (self.pipeline,)

    def to_argv(self) -> list[str]:
        """The command and its arguments; ``from_argv`` reads back all that follows the module's name."""
        argv = ["python", "-m", MODULE, self.action, "--step", self.step]
        argv += _option("--pipeline", None if self.pipeline == DEFAULT_PIPELINE else self.pipeline)
        argv += _option("--env", self.env) + _option("--package", self.package)
        argv += _option("--conf-source", self.conf_source) + _option("--code", self.code)
        argv += _option("--pipelines", _names(self.pipelines) if self.pipelines else None)
        argv += _option("--nodes", None if self.nodes == _usual_nodes(self.action, self.step) else _names(self.nodes))
        argv += _option("--inputs", _artifacts(self.inputs) if self.inputs else None)
        argv += _option("--outputs", _artifacts(self.outputs) if self.outputs else None)
        argv += _option("--parameters", _parameters(self.parameters) if self.parameters else None)
        argv += _option("--settings", _json(sorted(self.settings.items())) if self.settings else None)
        argv += ["--tracking"] if self.tracking else []
        return [*argv, "--executor-input", EXECUTOR_INPUT]

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> tuple[StepCall, str]:
        """The call, and the executor input's JSON text, from what follows the module's name.

        Raises:
            ValueError: the arguments are not of this contract, as when image and spec are of different versions.
        """
        if not argv or argv[0] not in ACTIONS:
            raise ValueError(f"the first argument must be one of {', '.join(ACTIONS)}")
        options = _options(argv[1:])
        try:
            executor_input = options.pop("executor_input")
            usual = {"nodes": _usual_nodes(argv[0], options["step"])}
            call = cls(action=argv[0], **usual | {name: _read(name, text) for name, text in options.items()})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"the arguments do not fit this version of kedro-kubeflow, with which the image was built ({error}): compile the "
                "pipeline with the same version"
            ) from error
        return call, executor_input


def runtime_arguments(command: Sequence[str]) -> list[str]:
    """What follows the runtime module's name in a whole command.

    Raises:
        ValueError: the command is not a call of the runtime.
    """
    try:
        return list(command[command.index(MODULE) + 1 :])
    except ValueError:
        raise ValueError(f"not a call of {MODULE}: {list(command)[:4]}") from None


def _option(name: str, value: str | None) -> list[str]:
    return [] if value is None else [name, value]


def _json(value: Sequence[Any]) -> str:
    """JSON that no template engine on the way finds a mark in."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("$", "\\u0024").replace("[[", "[ [").replace("{{", "\\u007b\\u007b")


# What can be a word in a list: no mark that divides lists and words, and nothing that a template engine knows.
_PLAIN = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_. -]*[A-Za-z0-9_.-])?")
_USUAL_FILENAME = {"memory": "data.pkl"}


def _are_plain(texts: Iterable[str]) -> bool:
    return all(_PLAIN.fullmatch(text) for text in texts)


def _usual_nodes(action: str, step: str) -> tuple[str, ...]:
    """The nodes that need not be said: a step as a rule runs the node that it is called as."""
    return (step,) if action == "run" else ()


def _names(names: Sequence[str]) -> str:
    """``a,b``."""
    return ",".join(names) if names and _are_plain(names) else _json(list(names))


def _artifacts(artifacts: Sequence[Artifact]) -> str:
    """``rows:memory,model=ns.model:file/model.pkl,page:plot?``: name=dataset, how, file name, `?` if it may lack."""
    texts = [text for a in artifacts for text in (a.name, a.dataset, *([a.filename] if a.filename else []))]
    if not _are_plain(texts):
        return _json([[getattr(a, f.name) for f in fields(Artifact)] for a in artifacts])
    return ",".join(map(_artifact, artifacts))


def _artifact(artifact: Artifact) -> str:
    named = artifact.name if artifact.name == artifact.dataset else f"{artifact.name}={artifact.dataset}"
    usual = artifact.filename == _USUAL_FILENAME.get(artifact.how, "")
    return f"{named}:{artifact.how}{'' if usual else f'/{artifact.filename}'}{'' if artifact.required else '?'}"


def _read_artifact(word: str) -> Artifact:
    named, _, rest = word.partition(":")
    name, differs, dataset = named.partition("=")
    how, said, filename = rest.removesuffix("?").partition("/")
    filename = filename if said else _USUAL_FILENAME.get(how, "")
    return Artifact(name, dataset if differs else name, how, filename, not rest.endswith("?"))  # type: ignore[arg-type]


def _parameters(parameters: Sequence[tuple[str, Encoding]]) -> str:
    """``lr:float,model_options-1a2b3c4d=model.options:dict``: name=key where they differ, kind."""
    texts = [text for name, encoding in parameters for text in (name, encoding.key)]
    if not _are_plain(texts) or any(encoding.floats for _, encoding in parameters):
        return _json([[name, e.key, e.kind, e.floats] for name, e in parameters])
    return ",".join(f"{name if name == e.key else f'{name}={e.key}'}:{e.kind}" for name, e in parameters)


def _read_parameter(word: str) -> tuple[str, Encoding]:
    named, _, kind = word.rpartition(":")
    name, differs, key = named.partition("=")
    return name, Encoding(key if differs else name, kind)


def _options(argv: Sequence[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    words = iter(argv)
    for word in words:
        if not word.startswith("--"):
            raise ValueError(f"unexpected argument {word!r}")
        name = word[2:].replace("-", "_")
        options[name] = "true" if name == "tracking" else next(words, "")
    return options


def _read(name: str, text: str) -> Any:
    if name == "tracking":
        return True
    if name in _LISTS:
        from_row, from_word = _LISTS[name]
        is_json = text.startswith("[")
        return tuple(map(from_row, json.loads(text)) if is_json else map(from_word, text.split(",")))
    return dict(json.loads(text)) if name == "settings" else text


def _parameter(name: str, key: str, kind: str, floats: Iterable[Iterable[str | int]]) -> tuple[str, Encoding]:
    return name, Encoding(key, kind, tuple(tuple(path) for path in floats))


# Of each option that is a list: how one of its rows is read from JSON, and from a word.
_LISTS: dict[str, tuple[Callable[[Any], Any], Callable[[str], Any]]] = {
    "nodes": (str, str),
    "pipelines": (str, str),
    "inputs": (lambda row: Artifact(*row), _read_artifact),
    "outputs": (lambda row: Artifact(*row), _read_artifact),
    "parameters": (lambda row: _parameter(*row), _read_parameter),
}
