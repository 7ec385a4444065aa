"""The frozen model between Kedro and KFP: steps, what crosses between them, and the pipeline's inputs.

Built from plain values, so that it can be printed, compared and tested without a project, a catalog or kfp.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kedro.pipeline import Pipeline

from kedro_kubeflow.contract import Artifact, How
from kedro_kubeflow.errors import CompileError, ParameterError, did_you_mean
from kedro_kubeflow.names import distinct, field_name, task_name
from kedro_kubeflow.parameters import Encoding, NotPortableError, encode, encoding_of, part_of, size
from kedro_kubeflow.plan.grouping import Group, NodeFacts, base_name
from kedro_kubeflow.plan.grouping.order import in_order, members_of
from kedro_kubeflow.plan.handoff import SINGLE_FILE, ArtifactType, Handoff

MAX_INPUT_BYTES = 10_000
"""What KFP's server takes as the sum of a run's parameters (``MAX_PARAMETER_BYTES``); the UI sends all of them."""
# Kinds of data that every step reaches by itself; KFP hands nothing over, the steps are only ordered.
_BY_ITSELF = ("external", "volume")


@dataclass(frozen=True)
class Output:
    """An artifact that a step makes."""

    artifact: Artifact
    type: ArtifactType


@dataclass(frozen=True)
class Input:
    """An artifact that a step is given, and the step that makes it."""

    artifact: Artifact
    type: ArtifactType
    producer: str


@dataclass(frozen=True)
class PipelineInput:
    """A Kedro parameter as a typed input of the KFP pipeline."""

    name: str
    encoding: Encoding
    default: Any


@dataclass(frozen=True, kw_only=True)
class Step:
    """One pod's work.

    Attributes:
        name: the KFP task name.
        title: what people see: the node's name, or the group's.
        nodes: the Kedro nodes, in order.
        after: steps to wait for that hand over nothing through KFP, by task name.
        parameters: the pipeline inputs that its nodes use, by KFP name.
        kept: the parameters that its nodes use and that stay in the project's conf.
        volume: whether it reads or writes files on the run's volume.
    """

    name: str
    title: str
    nodes: tuple[NodeFacts, ...]
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    after: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    volume: bool = False

    @property
    def upstream(self) -> tuple[str, ...]:
        """Every step that this one waits for, by task name, sorted."""
        return tuple(sorted({i.producer for i in self.inputs} | set(self.after)))


@dataclass(frozen=True, kw_only=True)
class Dag:
    """A Kedro pipeline as steps, in an order in which they can run.

    Attributes:
        notes: what the user should be told, a sentence each.
        stays: datasets that steps read and that no step writes, by base name: raw data.
        shared: the pipeline inputs that every task is given, ours too, by KFP name.
    """

    pipeline: str
    steps: tuple[Step, ...]
    inputs: tuple[PipelineInput, ...] = ()
    notes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The project's parameters as the DAG needs them.

    Attributes:
        values: top-level name → value, overrides merged in.
        overridden: the top-level names that the caller gave values for.
        shared: top-level names that every task is given, as the configuration itself refers to them.
        at_exit: top-level names that the exit task is given.
        resolved: top-level name → the resolvers that a part of its value comes from, such as the day's date: it is worked out
            in the pod.
        given: what the caller gave, nested.
        defaults: for names among ``shared`` that are no parameters: what the configuration takes where they are not given. One
            that is not here has several defaults, or one that cannot travel.
    """

    values: Mapping[str, Any]
    overridden: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    at_exit: frozenset[str] = frozenset()
    resolved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)


def node_facts(pipeline: Pipeline, registered: Mapping[str, Pipeline] | None = None) -> list[NodeFacts]:
    """The nodes of a Kedro pipeline, in the order in which Kedro would run them."""
    homes: dict[str, list[str]] = {}
    for name, other in sorted((registered or {}).items()):
        if name != "__default__":
            for node in other.nodes:
                homes.setdefault(node.name, []).append(name)
    return [
        NodeFacts(
            name=node.name,
            inputs=tuple(node.inputs),
            outputs=tuple(node.outputs),
            tags=frozenset(node.tags),
            namespace=node.namespace,
            pipelines=tuple(homes.get(node.name, ())),
        )
        for node in pipeline.nodes
    ]


def union(pipelines: Sequence[Pipeline]) -> Pipeline:
    """The nodes of some pipelines as one; a plain one, as pipelines of a class of their own refuse to be cut.

    Raises:
        ValueError: two of them make the same dataset by different nodes, or have different nodes of one name.
    """
    return Pipeline({node for pipeline in pipelines for node in pipeline.nodes})


def is_parameter(name: str) -> bool:
    """Whether a node input is a parameter rather than a dataset."""
    return name == "parameters" or name.startswith("params:")


def build_dag(
    pipeline: str,
    nodes: Sequence[NodeFacts],
    groups: Sequence[Group],
    handoffs: Mapping[str, Handoff],
    parameters: Parameters,
) -> Dag:
    """Join nodes, groups, datasets and parameters into a DAG.

    Args:
        pipeline: the Kedro pipeline's name.
        nodes: its nodes, in an order in which they can run.
        groups: which of them share a step; every node in exactly one.
        handoffs: for every dataset name that the nodes use, as they use it, how it crosses.
        parameters: the project's parameters.

    Raises:
        CompileError: the pipeline has no nodes, or a group is no group of its nodes.
        NameClash: two steps, or two of a step's datasets, would have one KFP name.
        CycleError: the groups would wait for each other.
        ParameterError: a node uses a parameter that the project does not have, or an override cannot travel.
    """
    if not nodes:
        raise CompileError(
            f"The pipeline {pipeline!r} has no nodes",
            cure="name another pipeline with -p, or widen the selection of nodes",
        )
    facts = {node.name: node for node in nodes}
    members = members_of(groups, facts)
    step_of = {node: title for title, names in members.items() for node in names}
    titles = in_order(members, facts)
    names = distinct(titles, task_name, "steps")
    inputs, notes = _pipeline_inputs(nodes, parameters)
    flow = _Flow(facts, step_of, names, handoffs)
    steps = tuple(_step(title, [facts[n] for n in members[title]], flow, inputs, parameters) for title in titles)
    return Dag(
        pipeline=pipeline,
        steps=steps,
        inputs=tuple(inputs[key] for key in sorted(inputs)),
        notes=tuple(notes),
        shared=tuple(sorted(inputs[key].name for key in parameters.shared if key in inputs)),
        stays=tuple(sorted({base_name(d) for n in nodes for d in _datasets(n) if base_name(d) not in flow.producer})),
    )


class _Flow:
    """Who makes each dataset, and who outside reads it."""

    def __init__(
        self,
        facts: Mapping[str, NodeFacts],
        step_of: Mapping[str, str],
        names: Mapping[str, str],
        handoffs: Mapping[str, Handoff],
    ) -> None:
        self.names = names
        self.handoffs = handoffs
        self.producer: dict[str, str] = {}
        self.written_as: dict[str, str] = {}
        self.readers: dict[str, set[str]] = {}
        for node in facts.values():
            for dataset in node.outputs:
                self.producer[base_name(dataset)] = step_of[node.name]
                self.written_as[base_name(dataset)] = dataset
            for dataset in _datasets(node):
                self.readers.setdefault(base_name(dataset), set()).add(step_of[node.name])

    def handoff(self, dataset: str) -> Handoff:
        """How a dataset crosses: as its writer sees it."""
        return self.handoffs[self.written_as[dataset]]

    def read_outside(self, dataset: str) -> bool:
        """Whether another step than the writer's reads it."""
        return bool(self.readers.get(dataset, set()) - {self.producer[dataset]})

    def read(self, dataset: str) -> bool:
        """Whether anybody reads it."""
        return dataset in self.readers


def _datasets(node: NodeFacts) -> list[str]:
    """What a node reads, parameters left out."""
    return [name for name in node.inputs if not is_parameter(name)]


def _step(
    title: str,
    nodes: list[NodeFacts],
    flow: _Flow,
    inputs: Mapping[str, PipelineInput],
    parameters: Parameters,
) -> Step:
    read = {base_name(d) for node in nodes for d in _datasets(node)}
    foreign = sorted(d for d in read if flow.producer.get(d, title) != title)
    written = sorted({base_name(d) for node in nodes for d in node.outputs})
    used = {key for node in nodes for key in _keys_used(node, parameters.values)} | parameters.shared
    return Step(
        name=flow.names[title],
        title=title,
        nodes=tuple(nodes),
        inputs=tuple(_input(d, flow) for d in foreign if flow.handoff(d).kind not in _BY_ITSELF),
        outputs=tuple(_outputs(written, flow)),
        after=tuple(sorted({flow.names[flow.producer[d]] for d in foreign if flow.handoff(d).kind in _BY_ITSELF})),
        parameters=tuple(sorted(inputs[key].name for key in used if key in inputs)),
        kept=tuple(sorted(used - set(inputs))),
        volume=any(flow.handoffs[d].kind == "volume" for n in nodes for d in (*_datasets(n), *n.outputs)),
    )


def _input(dataset: str, flow: _Flow) -> Input:
    handed = flow.handoff(dataset)
    return Input(_artifact(dataset, handed), handed.artifact_type, flow.names[flow.producer[dataset]])


def _outputs(written: list[str], flow: _Flow) -> list[Output]:
    outputs: list[Output] = []
    for dataset in written:
        handed = flow.handoff(dataset)
        if handed.kind == "memory" and (flow.read_outside(dataset) or not flow.read(dataset)):
            outputs.append(Output(_artifact(dataset, handed, required=flow.read(dataset)), handed.artifact_type))
        elif handed.kind == "file" or (handed.kind == "volume" and handed.stored):
            outputs.append(Output(_artifact(dataset, handed), handed.artifact_type))
        elif handed.kind in _BY_ITSELF and handed.artifact_type == "Metrics":
            outputs.append(Output(Artifact(field_name(dataset), dataset, "metrics"), "Metrics"))
        if handed.plot:
            picture = Artifact(field_name(f"{dataset} picture"), dataset, "plot", required=False)
            outputs.append(Output(picture, "HTML"))
    distinct(written, field_name, "datasets")
    return outputs


def _artifact(dataset: str, handed: Handoff, *, required: bool = True) -> Artifact:
    name = field_name(dataset)
    if handed.kind == "memory":
        return Artifact(name, dataset, "memory", "data.pkl", required)
    how: How = "copy" if handed.kind == "volume" else "file"
    return Artifact(name, dataset, how, "" if handed.artifact_type in SINGLE_FILE else handed.filename, required)


def _keys_used(node: NodeFacts, values: Mapping[str, Any]) -> Iterable[str]:
    """The top-level parameters behind a node's ``params:…`` and ``parameters`` inputs."""
    for name in node.inputs:
        if name == "parameters":
            yield from values
        elif name.startswith("params:"):
            yield _top_level(name.removeprefix("params:"), values, node.name)


def _top_level(path: str, values: Mapping[str, Any], node: str) -> str:
    """The top-level key of a dotted parameter; a key may itself hold dots."""
    if path in values:
        return path
    parts = path.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        key, rest = ".".join(parts[:cut]), parts[cut:]
        if key in values and _has(values[key], rest):
            return key
    raise ParameterError(
        f"The node {node!r} uses the parameter {path!r}, which the project does not have. "
        f"{did_you_mean(path, _paths(values))}",
        where="conf, parameters*.yml",
        cure="add it there, or mend the node's input",
    )


def _has(value: Any, path: Sequence[str]) -> bool:
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True


def _paths(values: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for key, value in values.items():
        yield f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{key}.")


def _pipeline_inputs(nodes: Sequence[NodeFacts], parameters: Parameters) -> tuple[dict[str, PipelineInput], list[str]]:
    """Top-level parameter → pipeline input, and what to say of those that cannot be one."""
    used = sorted({key for node in nodes for key in _keys_used(node, parameters.values)})
    used = sorted({*used, *parameters.shared, *parameters.at_exit})
    names = distinct(used, field_name, "parameters")
    inputs: dict[str, PipelineInput] = {}
    stays: dict[str, str] = {}
    for key in used:
        if key in parameters.resolved and key not in parameters.overridden:
            stays[key] = _worked_out(parameters.resolved[key])
            continue
        try:
            inputs[key] = _pipeline_input(names[key], key, parameters)
        except NotPortableError as error:
            stays[key] = str(error)
    stays |= _over_budget(inputs)
    for key, reason in stays.items():
        if key in parameters.overridden:
            raise ParameterError(
                f"The parameter {key!r} cannot be given a value from outside: {reason}",
                cure="change it in the project's conf (in an environment of its own, with --env) and build the image anew",
            )
        inputs.pop(key, None)
    return inputs, [f"The parameter {key!r} stays in the project's conf: {why}" for key, why in sorted(stays.items())]


def _pipeline_input(name: str, key: str, parameters: Parameters) -> PipelineInput:
    """One input.

    Raises:
        NotPortableError: its value cannot travel.
    """
    if key not in parameters.values and key not in parameters.defaults:
        return PipelineInput(name, Encoding(key, "unset"), "")
    value = parameters.values[key] if key in parameters.values else parameters.defaults[key]
    if key not in parameters.resolved:
        encoding = encoding_of(key, value)
        return PipelineInput(name, encoding, encode(encoding, value))
    # What resolvers give is not to stand in the file: only what was given does, and is laid over the rest in the pod.
    value = parameters.given.get(key, value)
    encoding = part_of(key, value) if isinstance(value, Mapping) else encoding_of(key, value)
    return PipelineInput(name, encoding, encode(encoding, value))


def _worked_out(resolvers: Sequence[str]) -> str:
    known = ", ".join(f"${{{name}:}}" for name in resolvers if name != "…")
    return f"{known or 'a resolver'} gives its value when the step runs, so that it is no run-time input unless it is given one"


def _over_budget(inputs: Mapping[str, PipelineInput]) -> dict[str, str]:
    """The largest inputs that must stay behind so that the rest fits KFP's limit together."""
    sizes = {key: size(i.name, i.default) for key, i in inputs.items()}
    total = sum(sizes.values())
    stays: dict[str, str] = {}
    for key in sorted(sizes, key=lambda k: (-sizes[k], k)):
        if total <= MAX_INPUT_BYTES:
            break
        total -= sizes[key]
        stays[key] = (
            f"its {sizes[key]:,} bytes do not fit Kubeflow Pipelines, which takes {MAX_INPUT_BYTES:,} bytes of "
            "parameters a run"
        )
    return stays
