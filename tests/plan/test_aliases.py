"""One file under two names is one dataset, as far as Kedro's own order lets it be."""

from __future__ import annotations

from kedro_kubeflow.plan.aliases import with_aliases
from kedro_kubeflow.plan.handoff import handoff
from kedro_kubeflow.plan.nodes import NodeFacts

CATALOG = {
    "written": {"type": "pandas.CSVDataset", "filepath": "data/x.csv"},
    "read": {"type": "pandas.CSVDataset", "filepath": "./data/x.csv"},
    "later": {"type": "pandas.CSVDataset", "filepath": "data/../data/x.csv"},
    "versions": {"type": "pandas.CSVDataset", "filepath": "data/x.csv", "versioned": True},
    "absolute": {"type": "pandas.CSVDataset", "filepath": "/work/demo/data/x.csv"},
    "remote": {"type": "pandas.CSVDataset", "filepath": "s3://b/x.csv"},
    "also remote": {"type": "pandas.CSVDataset", "filepath": "s3://b/x.csv"},
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


def test_a_dataset_with_a_writer_of_its_own_is_itself() -> None:
    nodes = NodeFacts("1", (), ("written",)), NodeFacts("2", (), ("read",)), NodeFacts("r", ("read",), ())
    assert inputs(*nodes)[-1] == ("read",)


def test_an_absolute_path_may_be_the_same_file() -> None:
    nodes = NodeFacts("w", (), ("written",)), NodeFacts("r", ("absolute",), ())
    assert [n.inputs for n in with_aliases(nodes, HANDOFFS, "/work/demo")][-1] == ("written@absolute",)


def test_versions_and_what_is_remote_are_other_things() -> None:
    nodes = NodeFacts("w", (), ("written", "remote")), NodeFacts("r", ("versions", "also remote"), ())
    assert inputs(*nodes)[-1] == ("versions", "also remote")
