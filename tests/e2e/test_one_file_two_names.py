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
    for command in (["compile", "-o", "-"], ["run-once", "--local"]):
        done = project.kubeflow(*command, "-e", "inner").failed(2)
        assert (
            "'b_count' reads 'rows' from data/02/parts/part_old.json, where 'a_split' writes 'parts_written'"
            in done.err
        )
        assert "--force" in done.err
    project.kubeflow("compile", "-o", "-", "-e", "inner", "--force").ok()


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
    assert "path_key" in done.err
