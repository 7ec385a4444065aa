"""`kedro kubeflow plan`: what would be submitted, three ways."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KedroProject, make_project

NODES = """
from kedro.pipeline import Pipeline, node

def f(*x): return x

def create_pipeline():
    return Pipeline([
        node(f, ["raw", "params:limit"], "rows", name="load", tags=["group.prepare"]),
        node(f, "rows", ["clean", "inside"], name="clean", tags=["group.prepare"]),
        node(f, ["clean", "inside", "rows"], "model", name='train'),
        node(f, "model", "remote", name="publish"),
        node(f, "remote", "left_over", name="look"),
    ])
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "clean": {"type": "json.JSONDataset", "filepath": "data/02/clean.json"},
    "remote": {"type": "json.JSONDataset", "filepath": "s3://bucket/model.json"},
}
RUN = {
    "image": "demo:1",
    "images": {"train": "demo-gpu:1"},
    "grouping": "tag",
    "resources": {"__default__": {"cpu": "500m"}, "load": {"memory": "1Gi"}, "clean": {"memory": "4Gi"}},
    "retry_policy": {"train": {"num_retries": 2, "backoff_duration": "10s"}},
    "cache": {"train": True},
}


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., KedroProject]:
    def make(run_config: dict[str, Any] | None = None, **more: Any) -> KedroProject:
        more = {"pipelines": NODES, "catalog": CATALOG, **more}
        return make_project(tmp_path, kubeflow={"run_config": run_config or RUN}, **more)

    return make


def plan(project: KedroProject, *words: str) -> Any:
    return json.loads(project.kubeflow("plan", "--output", "json", *words).ok().out)


def test_steps_and_their_settings(project: Callable[..., KedroProject]) -> None:
    steps = {step["title"]: step for step in plan(project())["steps"]}
    assert {title: (step["order"], step["nodes"], step["waits_for"]) for title, step in steps.items()} == {
        "prepare": (1, ["load", "clean"], []),
        "train": (2, ["train"], ["prepare"]),
        "publish": (3, ["publish"], ["train"]),
        "look": (4, ["look"], ["publish"]),
    }
    assert {title: step["image"] for title, step in steps.items()} == {
        **dict.fromkeys(steps, "demo:1"),
        "train": "demo-gpu:1",
    }
    assert steps["prepare"]["resources"]["resourceMemoryRequest"] == "4Gi"
    assert steps["prepare"]["origins"]["resources.memory.request"] == "load, clean"
    assert steps["prepare"]["origins"]["resources.cpu.request"] == "__default__"
    assert steps["prepare"]["parameters"] == ["limit"]
    assert steps["train"]["retries"]["maxRetryCount"] == 2
    assert [title for title, step in steps.items() if step["cache"]] == ["train"]


def test_how_data_gets_about(project: Callable[..., KedroProject]) -> None:
    found = {d["dataset"]: (d["how"], d["made_by"], d["read_by"]) for d in plan(project())["datasets"]}
    assert found == {
        "raw": ("raw", None, ["prepare"]),
        "rows": ("artifact", "prepare", ["prepare", "train"]),
        "clean": ("artifact", "prepare", ["train"]),
        "inside": ("artifact", "prepare", ["train"]),
        "model": ("artifact", "train", ["publish"]),
        "remote": ("remote", "publish", ["look"]),
        "left_over": ("artifact", "look", []),
    }


def test_what_stays_in_memory_and_what_lies_on_the_volume(project: Callable[..., KedroProject]) -> None:
    found = plan(project({"image": "x:1", "grouping": "all", "volume": {"size": "1Gi"}}))
    how = {d["dataset"]: d["how"] for d in found["datasets"]}
    assert (how["rows"], how["clean"], how["raw"]) == ("memory", "volume", "raw")
    assert [step["title"] for step in found["steps"]] == ["fill-volume", "all"]


def test_the_tasks_around_the_steps(project: Callable[..., KedroProject]) -> None:
    made = project({"image": "x:1", "grouping": "all"}, mlflow={"server": {"mlflow_tracking_uri": "http://mlflow"}})
    assert [(s["order"], s["title"], s["waits_for"]) for s in plan(made)["steps"]] == [
        (1, "mlflow-start-run", []),
        (2, "all", ["mlflow-start-run"]),
        (3, "mlflow-end-run", ["all"]),
    ]


def test_slices_and_jobs(project: Callable[..., KedroProject]) -> None:
    made = project()
    part = plan(made, "--to-nodes", "clean")
    assert [s["title"] for s in part["steps"]] == ["prepare"]
    assert part["display_name"] == "Demo (--to-nodes=clean)"
    assert part["name"] != "demo", "it must not become a version of the whole pipeline"
    made.conf("kubeflow", {"run_config": RUN, "jobs": {"look": {"nodes": "look", "description": "a look"}}})
    found = plan(made, "--job", "look")
    assert (found["name"], found["display_name"], [s["title"] for s in found["steps"]]) == (
        "demo-look",
        "Demo: look",
        ["look"],
    )


def test_no_image_is_no_reason_not_to_plan(project: Callable[..., KedroProject]) -> None:
    assert {s["image"] for s in plan(project({"grouping": "node"}))["steps"]} == {"(none is configured)"}


def test_the_table(project: Callable[..., KedroProject]) -> None:
    lines = project().kubeflow("plan").ok().out.splitlines()
    assert lines[:2] == ["Demo (pipeline 'demo', environment default)", "Image: by step"]
    rows = {line.split()[1]: line for line in lines[4:8]}
    assert re.search(r"load, clean +- +cpu 500m, memory 4Gi +- +off +limit", rows["prepare"])
    assert re.search(r"demo-gpu:1 +train +prepare +cpu 500m +2, after 10s +on", rows["train"])
    text = "\n".join(lines)
    assert re.search(r"rows +artifact +prepare +prepare, train +pickle.PickleDataset", text)
    assert re.search(r"resources\.memory\.limit +load, clean +prepare", text)
    assert re.search(r"image +__default__ +prepare, publish, look", text)


AWKWARD = (
    "from kedro.pipeline import Pipeline, node\n"
    "def f(*x): return x\n"
    "def create_pipeline():\n"
    """    return Pipeline([node(f, 'raw', 'a"b|c <x> & #1', name='żółć'),"""
    """ node(f, 'a"b|c <x> & #1', 'z', name='end')])\n"""
)


def test_mermaid(project: Callable[..., KedroProject]) -> None:
    text = project(pipelines=NODES).kubeflow("plan", "--output", "mermaid").ok().out
    assert text.splitlines() == [
        "flowchart TD",
        '    s0["<b>prepare</b><br/><i>load</i><br/><i>clean</i>"]',
        '    s1["<b>train</b>"]',
        '    s2["<b>publish</b>"]',
        '    s3["<b>look</b>"]',
        '    d0[("raw")]',
        "    d0 --> s0",
        '    s0 -->|"rows"| s1',
        '    s0 -->|"clean"| s1',
        '    s0 -->|"inside"| s1',
        '    s1 -->|"model"| s2',
        '    d5[("remote")]',
        "    s2 --> d5",
        "    d5 --> s3",
    ]


def test_mermaid_labels_are_escaped(project: Callable[..., KedroProject]) -> None:
    text = project({"image": "x:1"}, pipelines=AWKWARD).kubeflow("plan", "--output", "mermaid").ok().out
    assert '    s0["<b>żółć</b>"]' in text
    assert '-->|"a#quot;b|c #lt;x#gt; #amp; #35;1"| s1' in text
    for label in re.findall(r'"([^"]*)"', text):
        assert not set('"`\\') & set(label)


def test_a_grouping_that_groups_nothing_says_so(project: Callable[..., KedroProject]) -> None:
    done = project({"image": "demo:1", "grouping": "namespace"}).kubeflow("plan").ok()
    assert "`grouping: namespace` puts no two nodes together: each of the 5 nodes is a step of its own" in done.err
    assert "\n5 steps\n" in done.out
