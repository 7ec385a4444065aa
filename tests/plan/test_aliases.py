"""One file under two names is one dataset, as far as Kedro's own order lets it be."""

from __future__ import annotations

from pathlib import Path

import pytest

from kedro_kubeflow.plan.aliases import plain_path, shared_files, with_aliases
from kedro_kubeflow.plan.handoff import handoff
from kedro_kubeflow.plan.nodes import NodeFacts

CATALOG = {
    "written": {"type": "pandas.CSVDataset", "filepath": "data/x.csv"},
    "read": {"type": "pandas.CSVDataset", "filepath": "./data/x.csv"},
    "later": {"type": "pandas.CSVDataset", "filepath": "data/../data/x.csv"},
    "versions": {"type": "pandas.CSVDataset", "filepath": "data/x.csv", "versioned": True},
    "absolute": {"type": "pandas.CSVDataset", "filepath": "/work/demo/data/x.csv"},
    "remote": {"type": "pandas.CSVDataset", "filepath": "s3://b/x.csv"},
    "also remote": {"type": "pandas.CSVDataset", "filepath": "s3a://b//x.csv"},
    "parts": {"type": "partitions.PartitionedDataset", "path": "s3://b/parts/", "dataset": "pandas.CSVDataset"},
    "a part": {"type": "pandas.CSVDataset", "filepath": "s3://b/parts/a.csv"},
    "pattern": {"type": "spark.SparkDataset", "filepath": "s3://b/parts/*.csv"},
    "other": {"type": "pandas.CSVDataset", "filepath": "s3://b/parts2/a.csv"},
    "table": {"type": "pandas.SQLTableDataset", "table_name": "t", "credentials": "db"},
    "same table": {
        "type": "polars.PolarsDatabaseDataset",
        "table_name": "t",
        "credentials": "db",
        "load_args": {"a": 1},
    },
    "other table": {"type": "pandas.SQLTableDataset", "table_name": "t2", "credentials": "db"},
    "query": {"type": "pandas.SQLQueryDataset", "sql": "select 1", "credentials": "db"},
    "query2": {"type": "pandas.SQLQueryDataset", "sql": "select 2", "credentials": "db"},
    "metric": {"type": "kedro_mlflow.io.metrics.MlflowMetricDataset"},
    "metric2": {"type": "kedro_mlflow.io.metrics.MlflowMetricDataset"},
}
HANDOFFS = {name: handoff(name, entry) for name, entry in CATALOG.items()}


def inputs(*nodes: NodeFacts) -> list[tuple[str, ...]]:
    return [node.inputs for node in with_aliases(nodes, HANDOFFS)]


def test_who_comes_later_reads_what_was_written() -> None:
    nodes = NodeFacts("w", (), ("written",)), NodeFacts("r", ("read", "params:x"), ())
    assert inputs(*nodes) == [(), ("written@read", "params:x")]


def test_who_comes_first_reads_what_was_there() -> None:
    assert inputs(NodeFacts("r", ("read",), ()), NodeFacts("w", (), ("written",))) == [("read",), ()]


def test_the_last_one_who_wrote_counts() -> None:
    nodes = NodeFacts("1", (), ("written",)), NodeFacts("2", (), ("later",)), NodeFacts("r", ("read",), ())
    assert inputs(*nodes)[-1] == ("later@read",)


def test_the_last_one_who_wrote_counts_for_those_with_a_writer_of_their_own_too() -> None:
    nodes = [NodeFacts("1", (), ("written",)), NodeFacts("2", (), ("read",)), NodeFacts("r", ("read", "written"), ())]
    assert inputs(*nodes)[-1] == ("read", "read@written")
    assert inputs(nodes[1], nodes[0], nodes[2])[-1] == ("written@read", "written")


def test_who_writes_again_is_given_what_was_there() -> None:
    nodes = NodeFacts("1", (), ("written",)), NodeFacts("2", (), ("read",)), NodeFacts("3", (), ("later",))
    found = with_aliases(nodes, HANDOFFS)
    assert [node.inputs for node in found] == [(), ("written@read",), ("read@later",)]
    assert [shared_files([node]) for node in found] == [
        ({}, {}),
        ({"written": "read"}, {"read": "written"}),
        ({"read": "later"}, {"later": "read"}),
    ]
    assert shared_files(found) == ({"written": "later", "read": "later"}, {})
    assert shared_files(found[1:]) == ({"written": "later", "read": "later"}, {"later": "written"})


def test_a_file_that_is_changed_in_place_begins_as_what_the_image_holds() -> None:
    nodes = NodeFacts("1", ("read",), ("written",)), NodeFacts("2", ("read",), ())
    found = with_aliases(nodes, HANDOFFS)
    assert [node.inputs for node in found] == [("read",), ("written@read",)]
    assert shared_files(found[:1]) == ({}, {"written": ""})
    assert shared_files(found) == ({"read": "written"}, {"written": ""})


def test_an_absolute_path_may_be_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "project/data").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "project")
    (tmp_path / "project/moved").symlink_to("data")
    root = f"{tmp_path}/link"
    places = [f"{tmp_path}/project/data/x.csv", f"FILE://{root}/data/x.csv", f"file:{root}/data//x.csv", "moved/x.csv"]
    for place in places:
        entry = {"type": "pandas.CSVDataset", "filepath": place}
        nodes = NodeFacts("w", (), ("written",)), NodeFacts("r", ("other name",), ())
        handoffs = {**HANDOFFS, "other name": handoff("other name", entry)}
        assert [n.inputs for n in with_aliases(nodes, handoffs, root)][-1] == ("written@other name",), place
    home = handoff("home", {"type": "pandas.CSVDataset", "filepath": "~/x.csv"})
    assert plain_path(home, root) == "~/x.csv", "Kedro makes a folder of this name in the project"


def test_versions_are_another_thing() -> None:
    nodes = NodeFacts("w", (), ("written",)), NodeFacts("r", ("versions",), ())
    assert inputs(*nodes)[-1] == ("versions",)


@pytest.mark.parametrize(
    ("written", "used", "waits"),
    [
        ("remote", "also remote", True),
        ("parts", "a part", True),
        ("a part", "parts", True),
        ("parts", "pattern", True),
        ("pattern", "a part", True),
        ("parts", "other", False),
        ("table", "same table", True),
        ("table", "other table", False),
        ("query", "query2", False),
        ("metric", "metric2", False),
    ],
)
def test_what_lies_elsewhere_is_waited_for(written: str, used: str, waits: bool) -> None:
    writer = NodeFacts("w", (), (written,))
    for node in (NodeFacts("r", (used,), ()), NodeFacts("w2", (), (used,))):
        assert inputs(writer, node)[-1] == (*node.inputs, *([f"{written}@{used}"] if waits else []))
        assert inputs(node, writer)[0] == node.inputs, "only who comes later waits"
