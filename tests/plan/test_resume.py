"""Which steps of an earlier run are taken over, and where the others find what those have made."""

from __future__ import annotations

from pathlib import Path

import pytest
from plans import kedro_pipeline

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.contract import Artifact, StepCall
from kedro_kubeflow.errors import CompileError
from kedro_kubeflow.parameters import encoding_of
from kedro_kubeflow.plan import make_plan
from kedro_kubeflow.plan.inputs import PipelineInput
from kedro_kubeflow.plan.nodes import NodeFacts
from kedro_kubeflow.plan.resume import importer_name, recorded, resume_options, resumed
from kedro_kubeflow.plan.steps import Step, StepInput, StepOutput
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.project.catalog import CatalogEntries
from kedro_kubeflow.project.facts import Facts, Parameters
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.request import EarlierRun, Request


def step(
    name: str,
    *reads: tuple[str, str],
    makes: str,
    parameters: tuple[str, ...] = (),
    volume: bool = False,
    nodes: tuple[str, ...] = (),
) -> Step:
    made = Artifact(makes, makes, "memory", "data.pkl")
    return Step(
        name=name,
        display_name=name.upper(),
        nodes=tuple(
            NodeFacts(name=node, inputs=(), outputs=(makes,), tags=frozenset()) for node in nodes or (f"node_{name}",)
        ),
        inputs=tuple(StepInput(Artifact(d, d, "memory", "data.pkl"), "Dataset", maker) for maker, d in reads),
        outputs=(StepOutput(made, "Dataset"),),
        parameters=parameters,
        volume=volume,
    )


# a → b → d, a → c → d
STEPS = [
    step("a", makes="da", parameters=("limit",)),
    step("b", ("a", "da"), makes="db", parameters=("rate",)),
    step("c", ("a", "da"), makes="dc"),
    step("d", ("b", "db"), ("c", "dc"), makes="dd"),
]
INPUTS = [PipelineInput("limit", encoding_of("limit", 3), 3), PipelineInput("rate", encoding_of("rate", 0.5), 0.5)]
SAME = {"limit": 3.0, "rate": 0.5}
URIS = {"da": "s3://b/da", "db": "s3://b/db", "dc": "s3://b/dc"}


def earlier(
    *succeeded: str, parameters: dict[str, object] | None = None, uris: dict[str, str] = URIS, **more: object
) -> EarlierRun:
    return EarlierRun(
        id="r1",
        nodes={f"node_{name.lower()}": name for name in succeeded},
        parameters=SAME if parameters is None else parameters,
        made={dataset: {"uri": uri, "step": "there", "type": "Dataset"} for dataset, uri in uris.items()},
        **more,  # type: ignore[arg-type]
    )


def test_without_an_earlier_run_everything_runs() -> None:
    assert resumed(STEPS, None, INPUTS).steps == tuple(STEPS)


def test_what_failed_and_what_follows_run_with_what_was_made() -> None:
    done = resumed(STEPS, earlier("A", "C"), INPUTS)
    assert done.taken_over == ("A", "C")
    assert [s.name for s in done.steps] == ["b", "d"]
    assert {t.name: t.imports for t in done.importers} == {
        importer_name("da"): "s3://b/da",
        importer_name("dc"): "s3://b/dc",
    }
    # KFP's backend would not find them by any other name.
    assert all(t.display_name == t.name for t in done.importers)
    (given,) = done.steps[0].inputs
    assert given.key == "artifact"
    assert given.producer in {t.name for t in done.importers}
    assert {i.producer for i in done.steps[1].inputs} == {"b", importer_name("dc")}
    assert done.reasons == {"B": "did not succeed there", "D": "did not succeed there"}


def test_a_parameter_that_has_changed_makes_its_steps_run() -> None:
    changed = {"limit": 3, "rate": 0.1}
    done = resumed(STEPS, earlier("A", "B", "C", "D", parameters=changed), INPUTS)
    assert done.taken_over == ("A", "C")
    assert done.reasons == {"B": "parameters have changed: rate", "D": "follows from B"}
    trusted = earlier("A", "B", "C", parameters=changed, trust=True)
    assert resumed(STEPS, trusted, INPUTS).taken_over == ("A", "B", "C")


def test_from_a_node_on() -> None:
    done = resumed(STEPS, earlier("A", "B", "C", "D", again=("node_c",)), INPUTS)
    assert done.reasons == {"C": "asked for", "D": "follows from C"}
    with pytest.raises(CompileError, match="no node 'node_x'"):
        resumed(STEPS, earlier("A", again=("node_x",)), INPUTS)


def test_what_is_lost_is_made_again() -> None:
    done = resumed(STEPS, earlier("A", "C", uris={"dc": "s3://b/dc"}), INPUTS)
    # b needs da, which is lost: a runs, and so does c, which follows from it.
    assert done.reasons["A"] == "da is not to be found any more"
    assert done.reasons["C"] == "follows from A"
    # Nobody who runs needs da here.
    assert resumed(STEPS, earlier("A", "B", "C", uris={"db": "x", "dc": "y"}), INPUTS).taken_over == ("A", "B", "C")


def test_a_volume_is_another_one_now() -> None:
    steps = [step("a", makes="da", volume=True), step("b", ("a", "da"), makes="db")]
    done = resumed(steps, earlier("A", "B"), [])
    assert done.reasons == {"A": "uses the run's volume, which is another one now", "B": "follows from A"}


def test_nothing_left_to_run() -> None:
    with pytest.raises(CompileError, match="Nothing is left to run"):
        resumed(STEPS, earlier("A", "B", "C", "D"), INPUTS)


def test_what_counts_are_nodes_whatever_steps_they_share() -> None:
    # There a and b were one step, here b and d are: as d failed, b runs again, and finds a's data nowhere.
    there = EarlierRun(
        id="r1",
        nodes={"node_a": "A+B", "node_b": "A+B", "node_c": "C"},
        parameters=SAME,
        made={"db": {"uri": "s3://b/db"}, "dc": {"uri": "s3://b/dc"}},
    )
    assert resumed(STEPS, there, INPUTS).taken_over == ("A", "B", "C")
    together = [STEPS[0], STEPS[2], step("bd", ("a", "da"), ("c", "dc"), makes="dd", nodes=("node_b", "node_d"))]
    done = resumed(together, there, INPUTS)
    assert done.reasons == {"BD": "did not succeed there", "A": "da is not to be found any more", "C": "follows from A"}


def test_what_is_said_for_a_run_that_goes_on_from_this_one() -> None:
    there = EarlierRun(
        id="r1",
        nodes={"node_a": "A", "node_b": "B+C", "node_c": "B+C"},
        parameters=SAME,
        made={name: {"uri": uri, "step": "x"} for name, uri in URIS.items()},
    )
    said = resume_options(there, resumed(STEPS, there, INPUTS))["resume"]
    assert said == {
        "run": "r1",
        "steps": ["A", "B+C"],
        "made": there.made,
        "nodes": {"A": ["node_a"], "B+C": ["node_b", "node_c"]},
    }
    # Of B+C, b runs again: what that step has logged is none of c's alone.
    again = EarlierRun(id="r1", nodes=there.nodes, parameters=SAME, made=there.made, again=("node_b",))
    said = resume_options(again, resumed(STEPS, again, INPUTS))["resume"]
    assert (said["steps"], said["nodes"]) == (["A"], {"A": ["node_a"], "B+C": ["node_c"]})
    assert set(said["made"]) == {"da", "dc"}


def test_without_an_mlflow_run_the_first_task_that_no_cache_holds_says_it() -> None:
    call = StepCall(action="run", step="x")
    tasks = [
        Task.importer(importer_name("da"), uri="s3://b/da", kind="Dataset"),
        Task(name="one", display_name="one", image="i", call=call, cache=True),
        Task(name="two", display_name="two", image="i", call=call),
    ]
    told = recorded(tasks, {"resume": {"run": "r1"}})
    assert [bool(task.call and task.call.settings) for task in told] == [False, False, True]
    (cached,) = recorded(tasks[1:2], {"resume": {"run": "r1"}})
    assert cached.call
    assert cached.call.settings == {"resume": {"run": "r1"}}


def test_grouping_by_time_stays_as_it_was_there() -> None:
    """Now that the nodes are known to be short, they would all share one step, and all of it would run again."""
    chain = [
        NodeFacts(name=name, inputs=inputs, outputs=(f"d{name}",), tags=frozenset())
        for name, inputs in (("a", ()), ("b", ("da",)), ("c", ("db",)))
    ]
    facts = Facts(
        project=OpenProject(Path("/nowhere"), "demo", "demo", "base", "/nowhere/conf"),
        pipelines={"p": kedro_pipeline(chain)},
        catalog=CatalogEntries({}),
        parameters=Parameters(values={}),
    )
    config = KubeflowConfig.model_validate({"run_config": {"image": "i:1", "grouping": {"by": "auto"}}})
    there = {"nodes": {"a": "a"}, "made": {"da": {"uri": "s3://b/da"}}}
    alone = EarlierRun(id="r1", **there)  # type: ignore[arg-type]
    assert make_plan(facts, config, Request(pipelines=("p",), earlier=alone)).taken_over == ()
    same = EarlierRun(id="r1", steps={"a": ("a",), "b+c": ("b", "c")}, **there)  # type: ignore[arg-type]
    made = make_plan(facts, config, Request(pipelines=("p",), earlier=same))
    assert made.taken_over == ("a",)
    assert made.reasons == {"b+c": "did not succeed there"}
    other = EarlierRun(id="r1", steps={"a": ("a",), "b+x": ("b", "x")}, **there)  # type: ignore[arg-type]
    assert make_plan(facts, config, Request(pipelines=("p",), earlier=other)).taken_over == ()
