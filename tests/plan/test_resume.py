"""Which steps of an earlier run are taken over, and where the others find what those have made."""

from __future__ import annotations

import pytest

from kedro_kubeflow.contract import Artifact
from kedro_kubeflow.errors import CompileError
from kedro_kubeflow.parameters import encoding_of
from kedro_kubeflow.plan.inputs import PipelineInput
from kedro_kubeflow.plan.nodes import NodeFacts
from kedro_kubeflow.plan.resume import importer_name, resumed
from kedro_kubeflow.plan.steps import Step, StepInput, StepOutput
from kedro_kubeflow.request import EarlierRun


def step(
    name: str, *reads: tuple[str, str], makes: str, parameters: tuple[str, ...] = (), volume: bool = False
) -> Step:
    made = Artifact(makes, makes, "memory", "data.pkl")
    return Step(
        name=name,
        display_name=name.upper(),
        nodes=(NodeFacts(name=f"node_{name}", inputs=(), outputs=(makes,), tags=frozenset()),),
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


def earlier(*succeeded: str, parameters: dict[str, object] | None = None, **more: object) -> EarlierRun:
    given = {"uris": URIS, **more}
    return EarlierRun(
        id="r1", succeeded=frozenset(succeeded), parameters=SAME if parameters is None else parameters, **given
    )  # type: ignore[arg-type]


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
