"""A project with all that is awkward: names, factories, transcoding, versions, partitions, wrappers, plots, parameters."""

from __future__ import annotations

from pathlib import Path

from kedro_project import KedroProject, make_project

NODES = """
import json
import matplotlib
matplotlib.use("Agg")
from matplotlib.figure import Figure
import pandas as pd
import plotly.express as px
from kedro.pipeline import Pipeline, node

TEXTS = ["{{workflow.name}}", "{{$}}", "{{$.inputs.parameters['x']}}", "$(HOME) $$", "it's \\"quoted\\"", "two\\nlines",
         "żółć \\U0001f427", "/kfp-workspace", "[[ScheduledTime]]", "", " ", "null", "3"]

def check_parameters(texts, numbers, nested, nothing, dotted, everything):
    assert texts == {str(i): t for i, t in enumerate(TEXTS)}, texts
    assert numbers == [3, 3.0, -1, 2.5, 1e300, 2**60] and [type(n) for n in numbers] == [int, float, int, float, float, int]
    assert nested == {"a": {"b": [1, 2.0, None, {"c": True}]}, "empty": {}, "list": []}, nested
    assert type(nested["a"]["b"][1]) is float and type(nested["a"]["b"][0]) is int
    assert nothing is None
    assert dotted == 7 and type(dotted) is int
    assert everything["one"] == 1.0 and type(everything["one"]) is float
    assert everything["flag"] is False
    return {"ok": True}

def load_raw(raw):
    return raw

def split(df):
    return df[df.x < 3], df[df.x >= 3]

def versioned(df):
    return {"rows": len(df)}

def partition(left, right):
    return {"left/part": left, "right": right}

def join(partitions, version):
    frames = [load() for load in partitions.values()]
    return pd.concat(frames), {"accuracy": 0.5, "nested": {"f1": 1, "name": "x"}, "rows": version["rows"]}

def transcode(df):
    return df

def draw(df):
    figure = Figure()
    figure.subplots().plot(df.x)
    return px.bar(df, x="x", y="y"), figure, "<h1>Report żółć</h1>", "# Report"

def last(df, html):
    assert html.startswith("<h1>")
    return len(df)

def unstorable(count):
    return lambda: count

def create_pipeline():
    return Pipeline([
        node(check_parameters, {"texts": "params:texts", "numbers": "params:numbers", "nested": "params:nested",
             "nothing": "params:nothing", "dotted": "params:deep.er.value", "everything": "parameters"},
             "checked", name="check-parameters"),
        node(load_raw, "raw", "tmp data", name="load.raw"),
        node(split, "tmp data", ["ns.left", "ns.right"], name="Split", namespace=None),
        node(versioned, "tmp data", "versioned_json", name="versioned"),
        node(partition, ["ns.left", "ns.right"], "partitions", name="partition"),
        node(join, ["partitions", "versioned_json"], ["joined@csv", "metrics"], name="join"),
        node(transcode, "joined@text", "wrapped", name="żółć"),
        node(draw, "wrapped", ["plot", "figure", "page", "notes"], name="draw"),
        node(last, ["wrapped", "page"], "count", name="last_one"),
        node(unstorable, "count", "left_over", name="n" * 90),
    ])
"""

CATALOG = {
    "raw": {"type": "pandas.CSVDataset", "filepath": "data/01_raw/raw.csv"},
    "ns.{side}": {"type": "pandas.CSVDataset", "filepath": "data/02/{side}.csv", "save_args": {"index": False}},
    "versioned_json": {"type": "json.JSONDataset", "filepath": "data/02/v.json", "versioned": True},
    "partitions": {
        "type": "partitions.PartitionedDataset",
        "path": "data/03/parts/",
        "dataset": {"type": "pandas.CSVDataset", "save_args": {"index": False}},
        "filename_suffix": ".csv",
    },
    "joined@csv": {"type": "pandas.CSVDataset", "filepath": "data/04/joined.csv", "save_args": {"index": False}},
    "joined@text": {"type": "pandas.GenericDataset", "filepath": "data/04/joined.csv", "file_format": "csv"},
    "wrapped": {
        "type": "CachedDataset",
        "dataset": {"type": "pandas.CSVDataset", "filepath": "data/05/wrapped.csv", "save_args": {"index": False}},
    },
    "metrics": {
        "type": "json.JSONDataset",
        "filepath": "data/08/metrics.json",
        "metadata": {"kubeflow": {"artifact_type": "Metrics"}},
    },
    "plot": {"type": "plotly.JSONDataset", "filepath": "data/08/plot.json"},
    "figure": {"type": "matplotlib.MatplotlibDataset", "filepath": "data/08/figure.png", "versioned": True},
    "page": {"type": "text.TextDataset", "filepath": "data/08/page.html"},
    "notes": {"type": "text.TextDataset", "filepath": "data/08/notes.md"},
    "unrelated": {"type": "no_such_library.NoDataset", "filepath": "data/x", "credentials": "missing"},
    "{x}_unrelated": {"type": "no_such_library.NoDataset", "filepath": "data/x", "credentials": "missing"},
}

PARAMETERS = {
    "texts": {
        str(i): text
        for i, text in enumerate(
            [
                "{{workflow.name}}",
                "{{$}}",
                "{{$.inputs.parameters['x']}}",
                "$(HOME) $$",
                'it\'s "quoted"',
                "two\nlines",
                "żółć \U0001f427",
                "/kfp-workspace",
                "[[ScheduledTime]]",
                "",
                " ",
                "null",
                "3",
            ]
        )
    },
    "numbers": [3, 3.0, -1, 2.5, 1e300, 2**60],
    "nested": {"a": {"b": [1, 2.0, None, {"c": True}]}, "empty": {}, "list": []},
    "nothing": None,
    "deep": {"er": {"value": 7}},
    "one": 1.0,
    "flag": False,
    "large": ["x" * 100] * 1_500,
}


def awkward_project(path: Path, **more: object) -> KedroProject:
    return make_project(
        path,
        pipelines=NODES,
        catalog=CATALOG,
        parameters=PARAMETERS,
        data={"data/01_raw/raw.csv": "x,y\n1,2\n2,3\n3,4\n4,5\n"},
        **more,  # type: ignore[arg-type]
    )
