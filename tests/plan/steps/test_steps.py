"""Steps, edges and inputs from plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from plans import Graph, graph_of

from kedro_kubeflow.errors import CompileError, CycleError, ParameterError
from kedro_kubeflow.plan.grouping import Group, NodeFacts, by_node
from kedro_kubeflow.plan.handoff import Handoff, handoff
from kedro_kubeflow.plan.nodes import node_facts
from kedro_kubeflow.project.facts import Parameters

CSV = {"type": "pandas.CSVDataset", "filepath": "data/x.csv"}
S3 = {"type": "pandas.CSVDataset", "filepath": "s3://bucket/x.csv"}


def node(name: str, inputs: str = "", outputs: str = "", **more: Any) -> NodeFacts:
    return NodeFacts(name, tuple(inputs.split()), tuple(outputs.split()), **more)


def dag_of(
    *nodes: NodeFacts,
    catalog: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    groups: list[Group] | None = None,
    **more: Any,
) -> Graph:
    names = {d for n in nodes for d in (*n.inputs, *n.outputs) if not d.startswith("param")}
    handoffs = {d: handoff(d, (catalog or {}).get(d)) for d in names}
    return graph_of(nodes, groups or by_node(nodes), handoffs, Parameters(values=parameters or {}, **more))


def artifacts(dag: Graph) -> dict[str, Any]:
    return {
        s.display_name: (sorted(i.artifact.dataset for i in s.inputs), sorted(o.artifact.dataset for o in s.outputs))
        for s in dag.steps
    }


def test_memory_datasets_and_files_cross_as_artifacts() -> None:
    dag = dag_of(node("a", "raw", "x y"), node("b", "x y", "z"), catalog={"raw": CSV, "y": CSV})
    assert artifacts(dag) == {"a": ([], ["x", "y"]), "b": (["x", "y"], ["z"])}
    assert dag.free_inputs == ("raw",)
    assert dag.steps[1].upstream == ("a",)


def test_remote_datasets_only_order_steps() -> None:
    dag = dag_of(node("a", "", "x"), node("b", "x", "y"), catalog={"x": S3})
    assert artifacts(dag)["b"][0] == []
    assert dag.steps[1].after == ("a",)


def test_a_result_that_nobody_reads_is_kept_if_it_can_be() -> None:
    dag = dag_of(node("a", "", "x y"), node("b", "x"))
    required = {o.artifact.dataset: o.artifact.required for o in dag.steps[0].outputs}
    assert required == {"x": True, "y": False}


def test_transcoding_crosses_by_its_base_name_under_the_writers_file_name() -> None:
    catalog = {"x@pandas": CSV, "x@spark": {**CSV, "type": "spark.SparkDataset", "filepath": "data/x.csv"}}
    dag = dag_of(node("a", "", "x@pandas"), node("b", "x@spark", "z"), catalog=catalog)
    (artifact,) = (i.artifact for i in dag.steps[1].inputs)
    assert (artifact.dataset, artifact.filename) == ("x", "x.csv")


def test_a_plot_also_gives_a_picture_and_metrics_elsewhere_give_numbers() -> None:
    catalog = {
        "plot": {"type": "plotly.JSONDataset", "filepath": "p.json"},
        "score": {"type": "kedro_mlflow.io.metrics.MlflowMetricsHistoryDataset"},
    }
    (step,) = dag_of(node("a", "", "plot score"), catalog=catalog).steps
    kinds = [(o.artifact.how, o.type) for o in step.outputs]
    assert kinds == [("file", "Dataset"), ("plot", "HTML"), ("metrics", "Metrics")]


def test_a_group_keeps_to_itself_what_only_it_reads() -> None:
    nodes = [node("a", "", "x"), node("b", "x", "y"), node("c", "y x", "z")]
    groups = [Group("ab", ("a", "b")), Group("c", ("c",))]
    dag = dag_of(*nodes, groups=groups)
    assert artifacts(dag) == {"ab": ([], ["x", "y"]), "c": (["x", "y"], ["z"])}
    inside = dag_of(*nodes[:2], groups=[Group("ab", ("a", "b"))])
    assert artifacts(inside) == {"ab": ([], ["y"])}


def test_groups_that_would_wait_for_each_other_are_refused_with_the_path() -> None:
    nodes = [node("a", "", "x"), node("b", "x", "y"), node("c", "y", "z")]
    with pytest.raises(CycleError) as caught:
        dag_of(*nodes, groups=[Group("outer", ("a", "c")), Group("b", ("b",))])
    assert "'outer'" in str(caught.value)
    assert "'b'" in str(caught.value)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([Group("g", ("a",)), Group("g", ("b",))], "Two groups"),
        ([Group("g", ("a", "b")), Group("h", ("b",))], "in two groups: 'g' and 'h'"),
        ([Group("g", ("a",))], "No group holds the nodes 'b'"),
        ([Group("g", ("a", "bb"))], "Did you mean"),
    ],
)
def test_groups_must_share_out_the_nodes(groups: list[Group], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        dag_of(node("a", "", "x"), node("b", "x"), groups=groups)


def test_an_empty_pipeline_is_refused() -> None:
    with pytest.raises(CompileError, match="'p' has no nodes"):
        dag_of()


def test_a_step_gets_the_parameters_that_its_nodes_use() -> None:
    values = {"model": {"lr": 0.1, "deep": {"x": 1}}, "seed": 3, "a.b": 1, "unused": 0}
    dag = dag_of(
        node("a", "params:model.deep.x params:a.b", "x"),
        node("b", "x params:seed", "y"),
        node("c", "y parameters"),
        parameters=values,
    )
    used = {
        s.display_name: [e.key for e in (i.encoding for i in dag.inputs) if _name(dag, e.key) in s.parameters]
        for s in dag.steps
    }
    assert used == {"a": ["a.b", "model"], "b": ["seed"], "c": ["a.b", "model", "seed", "unused"]}


def _name(dag: Graph, key: str) -> str:
    return next(i.name for i in dag.inputs if i.encoding.key == key)


def test_shared_parameters_go_to_every_step() -> None:
    dag = dag_of(node("a", "", "x"), node("b", "x"), parameters={"folder": "f"}, shared=frozenset({"folder"}))
    assert all(step.parameters == ("folder",) for step in dag.steps)


def test_a_parameter_that_the_project_lacks_is_refused_with_its_neighbour() -> None:
    with pytest.raises(ParameterError) as caught:
        dag_of(node("a", "params:model.lrr"), parameters={"model": {"lr": 1}})
    assert "node 'a' uses the parameter 'model.lrr'" in str(caught.value)
    assert "Did you mean 'model.lr'" in str(caught.value)


def test_the_largest_parameters_stay_behind_until_the_rest_fits() -> None:
    values = {"large": "x" * 90_000, "middle": "y" * 40_000, "small": "z", "odd": {1: 2}}
    dag = dag_of(node("a", " ".join(f"params:{k}" for k in values)), parameters=values)
    assert [i.name for i in dag.inputs] == ["middle", "small"]
    assert any("'large' stays in the project's conf" in note and "100,000" in note for note in dag.warnings)
    assert any("'odd' stays" in note and "the key 1 is not text" in note for note in dag.warnings)


def test_an_override_that_cannot_travel_is_refused() -> None:
    with pytest.raises(ParameterError, match="cannot be given a value from outside"):
        dag_of(node("a", "params:large"), parameters={"large": "x" * 200_000}, overridden=frozenset({"large"}))


def test_node_facts_of_a_real_kedro_pipeline() -> None:
    from kedro.pipeline import Pipeline
    from kedro.pipeline import node as kedro_node

    inner = Pipeline([kedro_node(len, "x", "y", name="count", tags="t")])
    pipeline = Pipeline([kedro_node(list, None, "x", name="make"), *Pipeline(inner, namespace="ns", inputs="x").nodes])
    facts = node_facts(pipeline, {"__default__": pipeline, "only_inner": inner})
    assert facts[0] == NodeFacts("make", (), ("x",))
    assert facts[1] == NodeFacts("ns.count", ("x",), ("ns.y",), frozenset({"t"}), "ns")


def test_handoffs_are_taken_from_the_writer() -> None:
    nodes = [node("a", "", "x@one"), node("b", "x@two")]
    handoffs = {"x@one": Handoff("file", "Dataset", "one.csv", "d/one.csv"), "x@two": Handoff("memory")}
    dag = graph_of(nodes, by_node(nodes), handoffs, Parameters(values={}))
    assert dag.steps[1].inputs[0].artifact.how == "file"
