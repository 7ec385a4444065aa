"""``run_config.grouping``: which nodes share a step, and how they run in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from kedro_kubeflow.config.duration import Duration
from kedro_kubeflow.config.model import Model
from kedro_kubeflow.errors import did_you_mean

RULES = ("node", "chain", "auto", "all", "namespace", "tag", "pipeline", "memory")
_OLD = {"none": "node", "full": "all"}
_BELONGS = {"overhead": "auto", "assume": "auto", "depth": "namespace", "prefix": "tag", "pipelines": "pipeline"}
_VERTEXAI = {
    "kedro_vertexai.grouping.IdentityNodeGrouper": "`by: node`",
    "kedro_vertexai.grouping.TagNodeGrouper": "`by: tag`, with its `tag_prefix` as `prefix`",
}


class GroupingConfig(Model):
    """Which nodes share a step, and how they run in it. A rule's name alone, such as `grouping: namespace`, is enough."""

    by: str = "node"
    """`node`: a step for each node. `chain`: nodes that stand one behind the other, with nothing beside them, share a step.
    `auto`: the grouping with the shortest estimated run, no more steps than Argo keeps (`workflow_limit`), and where it
    costs no time, so few that KFP's API tells each one's state. `all`: one step. `namespace`: a step for each
    namespace. `tag`: a step for each tag with the `prefix`. `pipeline`: a step for each registered pipeline. `memory`:
    nodes that hand data to each other in memory run together. Or the import path of your own: a function that takes the
    nodes (`kedro_kubeflow.plan.grouping.NodeFacts`) and gives a list of `kedro_kubeflow.plan.grouping.Group`, or a
    class whose instances do."""

    overhead: Duration = 20
    """For `auto`: how long a step takes beside its nodes: on a stock Kubeflow Pipelines 20 seconds, however small it is."""

    assume: Duration = 1
    """For `auto`: how long a node takes that no run has timed yet, on this machine or, as MLflow knows it, on the cluster."""

    depth: int = Field(default=1, ge=1)
    """For `namespace`: how many parts of a namespace count; with 1, `a.b` and `a.c` share a step."""

    prefix: str = Field(default="group.", min_length=1)
    """For `tag`: what a tag begins with to name a group. The rest of the tag is the group's name."""

    pipelines: tuple[str, ...] = ()
    """For `pipeline`: the registered pipelines that count. Without it all do; one that is put together from others gives
    way to them."""

    params: dict[str, Any] = Field(default_factory=dict)
    """For a rule of your own: keyword arguments."""

    runner: Literal["sequential", "thread", "parallel"] = "sequential"
    """Which of Kedro's runners runs the nodes of a step that has several. `parallel` cannot be had together with MLflow:
    its processes would leave the step's run."""

    max_workers: int | None = Field(default=None, ge=1)
    """For `thread` and `parallel`: how many nodes may run at once; Kedro's own choice where it is not given."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"by": value}
        if isinstance(value, dict) and "cls" in value:
            successor = _VERTEXAI.get(str(value["cls"]), "`by`, which takes its import path")
            raise ValueError(f"`cls` is an old key; its successor is {successor}")
        return value

    @model_validator(mode="after")
    def _whole(self) -> GroupingConfig:
        if self.by not in RULES and not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", self.by):
            raise ValueError(f"there is no grouping by {self.by!r}. {did_you_mean(self.by, RULES)}")
        given = self.model_fields_set
        for key, rule in _BELONGS.items():
            if key in given and self.by != rule:
                raise ValueError(f"`{key}` is for `by: {rule}`, and this is `by: {self.by}`")
        if "params" in given and self.by in RULES:
            raise ValueError(f"`params` is for a rule of your own, and this is `by: {self.by}`")
        if self.max_workers is not None and self.runner == "sequential":
            raise ValueError("`max_workers` is for `runner: thread` and `runner: parallel`")
        return self


def with_grouping(values: Mapping[str, Any]) -> dict[str, Any]:
    """``run_config`` with the key that kedro-kubeflow 0.x had for this, ``node_merge_strategy``, read as ``grouping``.

    Raises:
        ValueError: both are given, or the old one has a value that it never had.
    """
    known = dict(values)
    old = known.pop("node_merge_strategy", None)
    if old is None:
        return known
    if "grouping" in known:
        raise ValueError("`node_merge_strategy` is the old name of `grouping`; leave it out")
    if old not in _OLD:
        raise ValueError(f"`node_merge_strategy` is {old!r}; it was `none` (now `grouping: node`) or `full` (`all`)")
    return {**known, "grouping": _OLD[old]}
