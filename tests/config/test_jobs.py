"""`jobs`: bundles of pipeline, slice, parameters and schedule."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_kubeflow.config.kubeflow import read_config
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.plan.selection import Selection, selection
from kedro_kubeflow.request import Slice


def jobs(**bundles: Any) -> Any:
    return read_config({"jobs": bundles}).jobs


NIGHTLY = {
    "description": "every night",
    "pipeline": "science",
    "tags": "nightly",
    "from_nodes": ["train"],
    "parameters": {"model": {"alpha": 0.5, "depth": 3}},
    "schedule": "0 6 * * *",
}


def test_a_job_bundles_all_of_it() -> None:
    chosen = selection("nightly", Selection(), jobs(nightly=NIGHTLY), pipelines_asked=False)
    assert chosen.pipelines == ("science",)
    assert (chosen.pipeline, chosen.name, chosen.description) == ("science", "nightly", "every night")
    assert chosen.part == Slice(tags=("nightly",), from_nodes=("train",))
    assert chosen.parameters == {"model": {"alpha": 0.5, "depth": 3}}
    assert chosen.schedule is not None
    assert chosen.schedule.cron == "0 0 6 * * *"


def test_what_the_caller_says_goes_first() -> None:
    asked = Selection(
        pipelines=("other",), part=Slice(tags=("slow",), nodes=("a",)), parameters={"model": {"alpha": 1}, "new": 2}
    )
    chosen = selection("nightly", asked, jobs(nightly=NIGHTLY))
    assert chosen.pipelines == ("other",)
    assert chosen.part == Slice(tags=("slow",), nodes=("a",), from_nodes=("train",))
    assert chosen.parameters == {"model": {"alpha": 1, "depth": 3}, "new": 2}


def test_a_part_has_a_name_of_its_own_unless_the_job_names_it() -> None:
    known = jobs(nightly=NIGHTLY)
    assert selection("nightly", Selection(), known, pipelines_asked=False).name == "nightly"
    cut = selection("nightly", Selection(part=Slice(tags=("slow",))), known)
    assert (cut.display_name, cut.name) == ("nightly", "nightly --from-nodes=train --tags=slow")
    alone = selection(None, Selection(pipelines=("science",), part=Slice(nodes=("a", "b"))), {})
    assert (alone.display_name, alone.cut, alone.name) == ("science", "--nodes=a,b", "science --nodes=a,b")


def test_a_job_may_be_of_the_default_pipeline_or_of_several() -> None:
    known = jobs(all={}, both={"pipelines": ["a", "b"]})
    assert selection("all", Selection(), known, pipelines_asked=False).pipelines == ("__default__",)
    both = selection("both", Selection(), known, pipelines_asked=False)
    assert (both.pipelines, both.pipeline, both.name) == (("a", "b"), "a+b", "both")


def test_without_a_job_it_is_what_is_asked_for() -> None:
    asked = Selection(pipelines=("x",))
    assert selection(None, asked, {}) is asked


def test_an_unknown_job_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no job 'nigthly'\. Did you mean 'nightly'\?"):
        selection("nigthly", Selection(), jobs(nightly=NIGHTLY))


@pytest.mark.parametrize(
    ("bundle", "said"),
    [
        ({"pipeline": "a", "pipelines": ["b"]}, "one of `pipeline` and `pipelines` is enough"),
        ({"node": ["a"]}, "unknown key 'jobs.x.node'. Did you mean 'nodes'"),
        ({"schedule": "every day"}, "'jobs.x.schedule"),
    ],
)
def test_what_is_no_job(bundle: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        jobs(x=bundle)
    assert said in str(caught.value)
