"""Our orchestrator against kfp.local's own: the same compiled pipelines, run by both, and everything they do held together."""

# No `from __future__ import annotations` here: kfp.dsl reads the annotations themselves.

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import compiler, dsl

from kedro_kubeflow.targets.local.adapter import adapted, execute

# Takes note of what it was told, and tells KFP of its outputs.
TASK = """
import json, os, pathlib, sys
name, code, *texts, message = sys.argv[1:]
with open(os.environ["RAN"], "a") as ran:
    ran.write(json.dumps([name, texts]) + "\\n")
outputs = json.loads(message)["outputs"]
file = pathlib.Path(outputs["outputFile"])
file.parent.mkdir(parents=True, exist_ok=True)
for made in outputs.get("artifacts", {}).values():
    pathlib.Path(made["artifacts"][0]["uri"]).write_text(name)
file.write_text(json.dumps({"artifacts": outputs.get("artifacts", {})}))
sys.exit(int(code))
"""
MESSAGE = "{{$}}"


@dsl.container_component
def task(name: str, code: str, out: dsl.Output[dsl.Artifact], said: str = "unsaid"):  # type: ignore[no-untyped-def]
    return dsl.ContainerSpec(image="img", command=["python", "-S", "-c", TASK], args=[name, code, said, MESSAGE])


@dsl.container_component
def reader(name: str, code: str, read: dsl.Input[dsl.Artifact], out: dsl.Output[dsl.Artifact]):  # type: ignore[no-untyped-def]
    return dsl.ContainerSpec(image="img", command=["python", "-S", "-c", TASK], args=[name, code, "read", MESSAGE])


@dsl.container_component
def ending(name: str, status: dsl.PipelineTaskFinalStatus):  # type: ignore[no-untyped-def]
    return dsl.ContainerSpec(image="img", command=["python", "-S", "-c", TASK], args=[name, "0", status, MESSAGE])


@dsl.pipeline(name="flat")
def flat(said: str = "a default") -> None:
    """A chain, and a branch beside it."""
    first = task(name="first", code="0", said=said)
    second = reader(name="second", code="0", read=first.outputs["out"])
    task(name="beside", code="0")
    reader(name="third", code="0", read=second.outputs["out"])


@dsl.pipeline(name="boxes")
def boxes(first_code: str = "0", inner_code: str = "0") -> None:
    """An exit handler with a sub-DAG of tasks, of which some wait for one that may fail."""
    with dsl.ExitHandler(ending(name="end")):
        first = task(name="first", code=first_code)
        inner = reader(name="inner", code=inner_code, read=first.outputs["out"])
        reader(name="after", code="0", read=inner.outputs["out"])
        task(name="beside", code="0").after(first)
        task(name="alone", code="0")


@dsl.pipeline(name="retried")
def retried() -> None:
    task(name="again", code="1").set_retry(2)


@dsl.pipeline(name="forgiving")
def forgiving() -> None:
    """A task that runs whatever became of the one before."""
    with dsl.ExitHandler(ending(name="end")):
        first = task(name="first", code="3")
        task(name="anyway", code="0", said="x").after(first).ignore_upstream_failure()


@dsl.pipeline(name="conditions")
def conditions(yes: str = "yes") -> None:
    with dsl.ExitHandler(ending(name="end")):
        with dsl.If(yes == "yes"):
            task(name="then", code="0")
        with dsl.If(yes == "no"):
            task(name="else", code="0")


def run(pipeline: Path, folder: Path, parallel: int | None, cache: Path | None = None) -> dict[str, Any]:
    """What became of a run: which tasks ran with which arguments, KFP's last word, what is in the folder of artifacts."""
    folder.mkdir()
    ran = folder / "ran"
    ran.touch()
    hits: list[str] = []

    def start(command: list[str], env: Any) -> bool:
        argv = [sys.executable, *command[1:]]
        return subprocess.run(argv, env={**os.environ, **env, "RAN": str(ran)}, check=False).returncode == 0

    said = ""
    with adapted(
        "subprocess",
        "run-id",
        start,
        lambda _command, go: go(),
        hit=lambda command, _: hits.append(command[4]),
        max_parallel=parallel,
    ):
        try:
            execute(pipeline, "subprocess", folder / "artifacts", {}, cache_root=cache)
        except RuntimeError as error:
            said = str(error)
    artifacts = sorted("/".join(p.parts[len(folder.parts) + 2 :]) for p in (folder / "artifacts").rglob("*"))
    lines = ran.read_text().replace(str(folder), "").splitlines()
    return {"ran": sorted(lines), "order": lines, "said": said, "hits": sorted(hits), "artifacts": artifacts}


def compiled(pipeline: Any, tmp_path: Path, **values: str) -> Path:
    file = tmp_path / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(file), pipeline_parameters=values)
    return file


@pytest.mark.parametrize(
    ("pipeline", "values"),
    [
        (flat, {"said": "given"}),
        (boxes, {}),
        (boxes, {"first_code": "1"}),
        (boxes, {"inner_code": "2"}),
        (retried, {}),
        (forgiving, {}),
        (conditions, {}),
    ],
    ids=["flat", "boxes", "first-fails", "inner-fails", "retried", "forgiving", "conditions"],
)
def test_both_do_the_same(pipeline: Any, values: dict[str, str], tmp_path: Path) -> None:
    file = compiled(pipeline, tmp_path, **values)
    theirs = run(file, tmp_path / "theirs", None)
    one, several = run(file, tmp_path / "one", 1), run(file, tmp_path / "several", 4)
    assert one == theirs, "one after the other: also in KFP's order"
    assert {**several, "order": None} == {**theirs, "order": None}


def test_both_take_results_from_the_cache(tmp_path: Path) -> None:
    file = compiled(flat, tmp_path)
    for parallel, folder in ((None, "theirs"), (3, "ours")):
        first, second = (
            run(file, tmp_path / f"{folder}-{time}", parallel, tmp_path / f"cache-{folder}") for time in "ab"
        )
        assert (len(first["ran"]), first["hits"]) == (4, [])
        assert (second["ran"], len(second["hits"])) == ([], 4)


def test_a_flat_pipeline_starts_nothing_after_a_failure(tmp_path: Path) -> None:
    @dsl.pipeline(name="chain")
    def chain() -> None:
        first = task(name="first", code="1")
        second = reader(name="second", code="0", read=first.outputs["out"])
        reader(name="third", code="0", read=second.outputs["out"])

    file = compiled(chain, tmp_path)
    assert run(file, tmp_path / "ours", 2) == run(file, tmp_path / "theirs", None)


def a_dag(seed: int) -> Any:
    """A random DAG in an exit handler, a tenth of whose tasks fail."""
    dice = random.Random(seed)
    codes = [str(int(dice.random() < 0.1)) for _ in range(12)]
    before = [[j for j in range(i) if dice.random() < 0.25] for i in range(12)]

    @dsl.pipeline(name="random")
    def pipeline() -> None:
        with dsl.ExitHandler(ending(name="end")):
            tasks: list[Any] = []
            for i, code in enumerate(codes):
                tasks.append(task(name=f"t{i}", code=code).after(*(tasks[j] for j in before[i])))

    return pipeline


@pytest.mark.parametrize("seed", range(3))
def test_random_dags(seed: int, tmp_path: Path) -> None:
    file = compiled(a_dag(seed), tmp_path)
    theirs, ours = run(file, tmp_path / "theirs", None), run(file, tmp_path / "ours", 3)
    assert {**ours, "order": None, "said": None} == {**theirs, "order": None, "said": None}
    assert bool(ours["said"]) == bool(theirs["said"])


def test_as_many_at_once_as_are_allowed_and_no_more(tmp_path: Path) -> None:
    @dsl.pipeline(name="wide")
    def wide() -> None:
        with dsl.ExitHandler(ending(name="end")):
            for i in range(6):
                task(name=f"t{i}", code="0")

    most: list[int] = []
    lock, running = threading.Lock(), 0

    def start(_command: list[str], _env: Any) -> bool:
        nonlocal running
        with lock:
            running += 1
            most.append(running)
        time.sleep(0.15)
        with lock:
            running -= 1
        return True

    go: Callable[..., bool] = lambda _command, run_it: run_it()  # noqa: E731
    with adapted("subprocess", "run-id", start, go, max_parallel=3):
        execute(compiled(wide, tmp_path), "subprocess", tmp_path / "artifacts", {})
    assert max(most) == 3
    assert len(most) == 7


def test_what_is_raised_in_a_task_is_raised_by_the_run(tmp_path: Path) -> None:
    def start(_command: list[str], _env: Any) -> bool:
        raise LookupError("Docker is not there")

    with (
        pytest.raises(LookupError, match="Docker is not there"),
        adapted("subprocess", "run-id", start, lambda _command, run_it: run_it(), max_parallel=2),
    ):
        execute(compiled(flat, tmp_path), "subprocess", tmp_path / "artifacts", {})
