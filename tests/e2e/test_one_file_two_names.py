"""What one node writes under one name and another reads under a second one: the data crosses, and nothing old is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KedroProject, make_project

PIPELINE = """
from kedro.pipeline import Pipeline, node

def split(raw): return {f"part_{x % 2}": [x] for x in raw}, raw
def more(raw, history): return {"part_2": [2]}, [*history, "new"], "one "
def late(raw): return {"part_3": [3]}, "two"
def every(parts, text, history, rows): return [sorted(parts), text, history, rows]
def count(parts, rows): return {"parts": sorted(name for name in parts), "rows": rows}
def both(rows, written): return rows + written

def create_pipeline():
    return Pipeline([
        node(split, "raw", ["parts_written", "rows_written"], name="a_split"),
        node(count, ["parts", "rows@json"], "report", name="b_count"),
        node(both, ["rows@json", "rows_written"], "both", name="c_both"),
        node(more, ["raw", "history"], ["parts_more", "history_new", "appended"], name="d_more"),
        node(late, "raw", ["parts_late", "appended_more"], name="e_late"),
        node(every, ["parts_written", "appended", "history", "rows_written"], "every", name="f_every"),
    ])
"""
PARTS = {"type": "partitions.PartitionedDataset", "path": "data/02/parts", "dataset": "json.JSONDataset"}
APPENDED = {
    "type": "text.TextDataset",
    "filepath": "data/02/appended.txt",
    "fs_args": {"open_args_save": {"mode": "a"}},
}
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "parts_written": {**PARTS, "filename_suffix": ".json"},
    "parts": {**PARTS, "path": "./data/02/parts/", "filename_suffix": ".json"},
    "rows_written": {"type": "json.JSONDataset", "filepath": "data/02/rows.json"},
    "rows@json": {"type": "json.JSONDataset", "filepath": "data/02/rows.json"},
    "parts_more": {**PARTS, "filename_suffix": ".json"},
    "parts_late": {**PARTS, "filename_suffix": ".json"},
    "history": {"type": "json.JSONDataset", "filepath": "data/02/history.json"},
    "history_new": {"type": "json.JSONDataset", "filepath": "data/02//history.json"},
    "appended": APPENDED,
    "appended_more": APPENDED,
    "every": {"type": "json.JSONDataset", "filepath": "data/08/every.json"},
    "report": {"type": "json.JSONDataset", "filepath": "data/08/report.json"},
    "both": {"type": "json.JSONDataset", "filepath": "data/08/both.json"},
}
NEW = {"report": {"parts": ["part_0", "part_1"], "rows": [1, 2]}, "both": [1, 2, 1, 2]}
NEW |= {"every": [["part_0", "part_1", "part_2", "part_3"], "one two", ["old", "new"], [1, 2]]}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(
        tmp_path_factory.mktemp("names"),
        pipelines=PIPELINE,
        catalog=CATALOG,
        parameters={},
        settings="print('a project that prints while it is imported')\n",
        data={
            "data/01_raw/raw.json": "[1, 2]",
            "data/02/parts/part_old.json": "[0]",
            "data/02/rows.json": '["old"]',
            "data/02/history.json": '["old"]',
        },
    )
    made.conf("kubeflow", {"run_config": {"image": "x:1", "grouping": "all"}}, env="one")
    return made


@pytest.mark.parametrize("words", [[], ["-e", "one"]], ids=["a step each", "one step"])
def test_the_data_crosses(project: KedroProject, words: list[str]) -> None:
    done = project.run_once(*words).ok()
    made: dict[str, Any] = {}
    for step in done.facts["steps"]:
        made |= {name: json.loads(Path(path).read_text()) for name, path in step["outputs"].items() if name in NEW}
    assert made == NEW


def test_what_the_project_prints_is_not_in_what_a_script_reads(project: KedroProject) -> None:
    done = project.kubeflow("compile", "-o", "-").ok()
    assert done.out.startswith("# PIPELINE DEFINITION")
    assert "a project that prints" in done.err


def test_check_says_what_the_image_must_hold_and_plan_shows_who_reads_it(project: KedroProject) -> None:
    found = json.loads(project.kubeflow("check", "--output", "json").ok().out)["findings"]
    [said] = [f for f in found if f["id"] == "same-path"]
    assert said["level"] == "warning", "a file that is changed in place begins as the image has it"
    assert "'d_more' reads 'history'" in said["what"]
    plan = json.loads(project.kubeflow("plan", "--output", "json").ok().out)
    crossing = {d["dataset"]: (d["made_by"], d["read_by"]) for d in plan["datasets"]}
    assert crossing["rows_written"] == ("a_split", ["b_count", "c_both", "f_every"])


def test_a_file_inside_of_a_folder_that_is_written_stops_everything(project: KedroProject) -> None:
    inner = {**CATALOG, "rows@json": {"type": "json.JSONDataset", "filepath": "data/02/parts/part_old.json"}}
    project.conf("catalog", inner, env="inner")
    for command in (["compile", "-o", "-"], ["plan"], ["run-once", "--local"]):
        done = project.kubeflow(*command, "-e", "inner").failed(2)
        assert (
            "'b_count' reads 'rows' from data/02/parts/part_old.json, where 'a_split' writes 'parts_written'"
            in done.err
        )
        assert "--force" in done.err
    for command in (["compile", "-o", "-"], ["plan"]):
        project.kubeflow(*command, "-e", "inner", "--force").ok()


def test_a_folder_need_not_be_called_one(project: KedroProject) -> None:
    """A dataset of plots writes a folder where it is given several; a pattern names files of others."""
    plots = {"type": "matplotlib.MatplotlibDataset", "filepath": "data/02/plots"}
    inside = {"type": "json.JSONDataset", "filepath": "data/02/plots/a.json"}
    project.conf("catalog", {**CATALOG, "rows_written": plots, "rows@json": inside}, env="plots")
    pattern = {"type": "dask.CSVDataset", "filepath": "data/02/ro*.json"}
    project.conf("catalog", {**CATALOG, "rows@json": pattern}, env="pattern")
    for env in ("plots", "pattern"):
        done = project.kubeflow("compile", "-o", "-", "-e", env).failed(2)
        assert "'b_count' reads 'rows' from" in done.err


def test_a_place_that_cannot_be_told_stops_everything(project: KedroProject) -> None:
    odd = {"type": "mine.Two", "image_dir": "data/02/img", "label_file": "data/02/labels.csv"}
    project.conf("catalog", {**CATALOG, "rows_written": odd, "rows@json": CATALOG["raw"]}, env="odd")
    done = project.kubeflow("compile", "-o", "-", "-e", "odd").failed(2)
    assert "cannot be told whether it lies on the disk of the pod that writes it (image_dir, label_file)" in done.err
    assert "keep all of it in one folder, and say which key is that" in done.err


SMALL = """
from kedro.pipeline import Pipeline, node

def add(log): return "new"
def publish(raw): return raw
def fetch(remote): return remote
def at_exit(): return "made at the exit", "more"
def tell(text): return text

def create_pipeline(): return Pipeline([node(add, "log", "log_new", name="add")])
REMOTE = Pipeline([node(publish, "raw", "remote", name="z_publish"), node(fetch, "also remote", "fetched", name="zz_fetch")])
EXIT = Pipeline([node(at_exit, None, ["told", "log_exit"], name="at_exit"), node(tell, "also told", "end", name="tell")])
"""
SMALL_REGISTRY = """
from demo.pipelines import main

def register_pipelines():
    return {"__default__": main.create_pipeline(), "remote": main.REMOTE, "exit": main.EXIT}
"""
LOG = {**APPENDED, "filepath": "data/log.txt"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    """Names of which none is read as one that another step writes."""
    text = {"type": "text.TextDataset"}
    return make_project(
        tmp_path_factory.mktemp("small"),
        pipelines=SMALL,
        registry=SMALL_REGISTRY,
        catalog={
            "raw": CATALOG["raw"],
            **dict.fromkeys(("log", "log_new", "log_exit"), LOG),
            "remote": {"type": "json.JSONDataset", "filepath": "s3://bucket/x.json"},
            "also remote": {"type": "json.JSONDataset", "filepath": "s3a://bucket//x.json"},
            "told": {**text, "filepath": "data/told.txt"},
            "also told": {**text, "filepath": "data/../data/told.txt"},
            "end": {**text, "filepath": "data/end.txt"},
        },
        parameters={},
        kubeflow={"run_config": {"image": "x:1", "on_exit_pipeline": "exit"}},
        data={"data/01_raw/raw.json": "1", "data/log.txt": "old ", "data/told.txt": "stale"},
    )


def test_what_is_added_to_alone_begins_as_the_image_has_it_and_an_exit_pipeline_has_names_too(
    small: KedroProject,
) -> None:
    steps = small.run_once().ok().facts["steps"]
    made = {name: Path(path).read_text() for step in steps for name, path in step["outputs"].items()}
    assert made["log_new"] == "old new"
    assert (made["end"], made["log_exit"]) == ("made at the exit", "more"), "what steps have made does not reach it"


def test_what_lies_elsewhere_under_two_names_alone_is_waited_for(small: KedroProject) -> None:
    plan = json.loads(small.kubeflow("plan", "-p", "remote", "--output", "json").ok().out)
    waits = {step["title"]: step["waits_for"] for step in plan["steps"]}
    assert waits["zz_fetch"] == ["z_publish"]


def test_an_exit_pipeline_reads_nothing_old_in_place_of_what_steps_have_made(small: KedroProject) -> None:
    other = {"type": "text.TextDataset", "filepath": "data/other.txt"}
    small.conf("catalog", {"also told": LOG, "log_exit": other}, env="reads")
    done = small.kubeflow("compile", "-o", "-", "-e", "reads").failed(2)
    assert "The exit pipeline's node 'tell' reads 'log_new', which the step 'add' makes" in done.err
