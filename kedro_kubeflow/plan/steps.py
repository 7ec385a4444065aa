"""Steps: which nodes run in one pod, what it is given and what it hands on.

Built from plain values, so that it can be printed, compared and tested without a project, a catalog or kfp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kedro_kubeflow.contract import Artifact, How
from kedro_kubeflow.errors import CompileError
from kedro_kubeflow.names import distinct, field_name, task_name
from kedro_kubeflow.plan.grouping import Group
from kedro_kubeflow.plan.grouping.order import in_order, members_of
from kedro_kubeflow.plan.handoff import SINGLE_FILE, ArtifactType, Handoff
from kedro_kubeflow.plan.inputs import PipelineInput, keys_needed
from kedro_kubeflow.plan.nodes import NodeFacts, base_name
from kedro_kubeflow.project.facts import Parameters

# Kinds of data that every step reaches by itself; KFP hands nothing over, the steps are only ordered.
_BY_ITSELF = ("external", "volume")


def _is_handed_over(handed: Handoff) -> bool:
    return handed.model or handed.kind not in _BY_ITSELF


@dataclass(frozen=True)
class StepOutput:
    """An artifact that a step makes."""

    artifact: Artifact
    type: ArtifactType


@dataclass(frozen=True)
class StepInput:
    """An artifact that a step is given, and the task that makes it.

    Attributes:
        key: what that task calls it; the artifact's own name where it is empty.
    """

    artifact: Artifact
    type: ArtifactType
    producer: str
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One pod's work.

    Attributes:
        name: the KFP task name.
        display_name: what people see: the node's name, or the group's.
        nodes: the Kedro nodes, in order.
        after: steps to wait for that hand over nothing through KFP, by task name.
        parameters: the pipeline inputs that its nodes use, by KFP name.
        conf_parameters: the parameters that its nodes use and that are read from the project's conf.
        volume: whether it reads or writes files on the run's volume.
    """

    name: str
    display_name: str
    nodes: tuple[NodeFacts, ...]
    inputs: tuple[StepInput, ...] = ()
    outputs: tuple[StepOutput, ...] = ()
    after: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    conf_parameters: tuple[str, ...] = ()
    volume: bool = False

    @property
    def upstream(self) -> tuple[str, ...]:
        """Every step that this one waits for, by task name, sorted."""
        return tuple(sorted({i.producer for i in self.inputs} | set(self.after)))


def steps_of(
    pipeline: str,
    nodes: Sequence[NodeFacts],
    groups: Sequence[Group],
    handoffs: Mapping[str, Handoff],
    inputs: Mapping[str, PipelineInput],
    parameters: Parameters,
) -> tuple[Step, ...]:
    """Join nodes, groups, datasets and parameters into steps, in an order in which they can run.

    Args:
        pipeline: the Kedro pipeline's name, for errors.
        nodes: its nodes, in an order in which they can run.
        groups: which of them share a step; every node in exactly one.
        handoffs: for every dataset name that the nodes use, as they use it, how it travels.
        inputs: the pipeline's inputs, by top-level parameter.

    Raises:
        CompileError: the pipeline has no nodes, or a group is no group of its nodes.
        NameClash: two steps, or two of a step's datasets, would have one KFP name.
        CycleError: the groups would wait for each other.
        ParameterError: a node uses a parameter that the project does not have.
    """
    if not nodes:
        raise CompileError(
            f"The pipeline {pipeline!r} has no nodes",
            cure="name another pipeline with -p, or widen the selection of nodes",
        )
    facts = {node.name: node for node in nodes}
    members = members_of(groups, facts)
    step_of = {node: group for group, names in members.items() for node in names}
    ordered = in_order(members, facts)
    flow = _Flow(facts, step_of, distinct(ordered, task_name, "steps"), handoffs)
    return tuple(_step(group, [facts[n] for n in members[group]], flow, inputs, parameters) for group in ordered)


def free_inputs(nodes: Sequence[NodeFacts]) -> tuple[str, ...]:
    """The datasets that nodes read and none of them writes, by base name, sorted: raw data, as Kedro's free inputs."""
    made = {base_name(d) for node in nodes for d in node.outputs}
    return tuple(sorted({base_name(d) for node in nodes for d in node.datasets} - made))


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
            for dataset in node.datasets:
                self.readers.setdefault(base_name(dataset), set()).add(step_of[node.name])

    def handoff(self, dataset: str) -> Handoff:
        """How a dataset travels: as its writer sees it."""
        return self.handoffs[self.written_as[dataset]]

    def read_outside(self, dataset: str) -> bool:
        """Whether another step than the writer's reads it."""
        return bool(self.readers.get(dataset, set()) - {self.producer[dataset]})

    def read(self, dataset: str) -> bool:
        """Whether anybody reads it."""
        return dataset in self.readers


def _step(
    group: str,
    nodes: list[NodeFacts],
    flow: _Flow,
    inputs: Mapping[str, PipelineInput],
    parameters: Parameters,
) -> Step:
    read = {base_name(d) for node in nodes for d in node.datasets}
    foreign = sorted(d for d in read if flow.producer.get(d, group) != group)
    written = sorted({base_name(d) for node in nodes for d in node.outputs})
    used = keys_needed(nodes, parameters)
    return Step(
        name=flow.names[group],
        display_name=group,
        nodes=tuple(nodes),
        inputs=tuple(_input(d, flow) for d in foreign if _is_handed_over(flow.handoff(d))),
        outputs=tuple(_outputs(written, flow)),
        after=tuple(sorted({flow.names[flow.producer[d]] for d in foreign if not _is_handed_over(flow.handoff(d))})),
        parameters=tuple(given.name for key, given in inputs.items() if key in used),
        conf_parameters=tuple(sorted(map(str, used - set(inputs)))),
        volume=any(flow.handoffs[d].kind == "volume" for n in nodes for d in (*n.datasets, *n.outputs)),
    )


def _input(dataset: str, flow: _Flow) -> StepInput:
    handed = flow.handoff(dataset)
    return StepInput(_artifact(dataset, handed), handed.artifact_type, flow.names[flow.producer[dataset]])


def _outputs(written: list[str], flow: _Flow) -> list[StepOutput]:
    outputs: list[StepOutput] = []
    for dataset in written:
        handed = flow.handoff(dataset)
        if handed.kind == "memory" and (flow.read_outside(dataset) or not flow.read(dataset)):
            outputs.append(StepOutput(_artifact(dataset, handed, required=flow.read(dataset)), handed.artifact_type))
        elif handed.kind == "file" or (handed.kind == "volume" and handed.stored):
            outputs.append(StepOutput(_artifact(dataset, handed), handed.artifact_type))
        elif handed.model:
            outputs.append(StepOutput(_artifact(dataset, handed, required=flow.read_outside(dataset)), "Model"))
        elif handed.kind in _BY_ITSELF and handed.artifact_type == "Metrics":
            outputs.append(StepOutput(Artifact(field_name(dataset), dataset, "metrics"), "Metrics"))
        if handed.plot:
            picture = Artifact(field_name(f"{dataset} picture"), dataset, "plot", required=False)
            outputs.append(StepOutput(picture, "HTML"))
    distinct(written, field_name, "datasets")
    return outputs


def _artifact(dataset: str, handed: Handoff, *, required: bool = True) -> Artifact:
    name = field_name(dataset)
    if handed.kind == "memory":
        return Artifact(name, dataset, "memory", "data.pkl", required)
    if handed.model:
        return Artifact(name, dataset, "model", "", required)
    how: How = "copy" if handed.kind == "volume" else "file"
    return Artifact(name, dataset, how, "" if handed.artifact_type in SINGLE_FILE else handed.filename, required)
