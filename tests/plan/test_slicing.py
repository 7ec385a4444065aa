"""Parts of pipelines, chosen as `kedro run` chooses them."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.pipeline import Pipeline, node

from kedro_kubeflow.errors import CompileError, ProjectError
from kedro_kubeflow.plan.nodes import node_facts
from kedro_kubeflow.plan.slicing import check_inputs, select
from kedro_kubeflow.request import Slice


def work(*_: Any) -> None: ...


PREPARE = Pipeline(
    [
        node(work, ["raw", "params:limit"], "rows", name="prepare", tags=["nightly"]),
        node(work, "rows", "doubled@csv", name="double", tags=["nightly", "slow"]),
        node(work, "doubled@pandas", "table", name="tabulate"),
    ]
)
SCIENCE = Pipeline(
    [
        node(work, "table", "science.model", name="train", namespace="science"),
        node(work, "science.model", "science.eval.score", name="score", namespace="science.eval"),
    ]
)
REGISTERED = {"prepare": PREPARE, "science": SCIENCE, "__default__": PREPARE + SCIENCE}


def names(part: Slice, *pipelines: str) -> list[str]:
    return [n.name for n in select(pipelines or ("__default__",), part, REGISTERED).nodes]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({}, ["prepare", "double", "tabulate", "science.train", "science.eval.score"]),
        ({"nodes": ["double"]}, ["double"]),
        ({"from_nodes": ["tabulate"]}, ["tabulate", "science.train", "science.eval.score"]),
        ({"to_nodes": ["double"]}, ["prepare", "double"]),
        ({"from_inputs": ["table"]}, ["science.train", "science.eval.score"]),
        ({"from_inputs": ["doubled"]}, ["tabulate", "science.train", "science.eval.score"]),
        ({"to_outputs": ["rows"]}, ["prepare"]),
        ({"tags": ["slow"]}, ["double"]),
        ({"tags": ["slow", "nightly"]}, ["prepare", "double"]),
        ({"namespaces": ["science"]}, ["science.train", "science.eval.score"]),
        ({"namespaces": ["science.eval"]}, ["science.eval.score"]),
        ({"from_nodes": ["double"], "to_nodes": ["tabulate"]}, ["double", "tabulate"]),
        ({"tags": ["nightly"], "from_nodes": ["double"]}, ["double"]),
    ],
)
def test_conditions_are_kedros(part: dict[str, list[str]], expected: list[str]) -> None:
    given = {key: tuple(values) for key, values in part.items()}
    assert names(Slice(**given)) == expected
    kedros = {{"nodes": "node_names", "namespaces": "node_namespaces"}.get(k, k): v for k, v in part.items()}
    assert [n.name for n in REGISTERED["__default__"].filter(**kedros).nodes] == expected


def test_several_pipelines_are_one() -> None:
    assert names(Slice(), "science", "prepare") == names(Slice())
    assert names(Slice(to_nodes=("double",)), "science", "prepare") == ["prepare", "double"]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"nodes": "duble"}, "has no node 'duble'. Did you mean 'double'?\n  where: --nodes"),
        ({"from_nodes": "x"}, "has no node 'x'. Known: 'double', "),
        ({"to_outputs": "tabel"}, "has no dataset 'tabel'. Did you mean 'table'?\n  where: --to-outputs"),
        ({"from_inputs": "x"}, "has no dataset 'x'"),
        ({"tags": "nigthly"}, "has no tag 'nigthly'. Did you mean 'nightly'?\n  where: --tags"),
        ({"namespaces": "sience"}, "has no namespace 'sience'. Did you mean 'science'"),
        ({"nodes": "prepare", "tags": "slow"}, "Nothing of the pipeline '__default__' is selected"),
    ],
)
def test_what_fits_nothing_is_named(part: dict[str, str], said: str) -> None:
    with pytest.raises(ProjectError) as caught:
        names(Slice(**{key: (value,) for key, value in part.items()}))
    assert said in str(caught.value)


def test_pipelines_that_do_not_exist_or_fit_together() -> None:
    with pytest.raises(ProjectError, match="no pipeline 'sciense'"):
        names(Slice(), "sciense")
    other = Pipeline([node(work, "raw", "rows", name="also")])
    with pytest.raises(ProjectError, match="'prepare' and 'other' do not fit together"):
        select(("prepare", "other"), Slice(), {**REGISTERED, "other": other})


def test_a_pipeline_of_a_class_of_its_own_is_cut_as_a_plain_one() -> None:
    class Whole(Pipeline):
        def filter(self, *_: Any, **__: Any) -> Pipeline:
            raise AssertionError("cut in part")

    assert [n.name for n in select(("own",), Slice(nodes=("double",)), {"own": Whole(PREPARE.nodes)}).nodes] == [
        "double"
    ]


FILE = {"type": "pandas.CSVDataset", "filepath": "data/x.csv"}


def check(part: Slice, **entries: Any) -> None:
    nodes = node_facts(select(("__default__",), part, REGISTERED))
    datasets = {d for n in nodes for d in (*n.inputs, *n.outputs) if not d.startswith("params:")}
    check_inputs(nodes, {d: entries.get(d.split("@")[0]) for d in datasets}, REGISTERED)


def test_data_that_was_in_memory_is_missed_by_name_and_maker() -> None:
    with pytest.raises(CompileError) as caught:
        check(Slice(nodes=("double", "science.eval.score")), raw=FILE)
    assert str(caught.value).splitlines()[1:] == [
        "  'rows', which 'double' reads and 'prepare' would make",
        "  'science.model', which 'science.eval.score' reads and 'science.train' would make",
        "  cure:  select 'prepare', 'science.train' too, or declare the data in the catalog",
    ]


def test_data_that_is_declared_or_given_or_made_is_not() -> None:
    check(Slice(), raw=None)
    check(Slice(nodes=("double",)), rows=FILE)
    check(Slice(nodes=("double",)), rows={"type": "MemoryDataset", "data": [1]})
    with pytest.raises(CompileError, match="'rows'"):
        check(Slice(nodes=("double",)), rows={"type": "MemoryDataset"})


def test_conditions_over_others() -> None:
    job = Slice(tags=("nightly",), from_nodes=("prepare",))
    assert Slice(from_nodes=("double",)).over(job) == Slice(tags=("nightly",), from_nodes=("double",))
    assert str(job) == "--from-nodes=prepare --tags=nightly"
    assert not Slice()
