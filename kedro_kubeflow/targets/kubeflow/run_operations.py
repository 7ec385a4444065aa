"""Start runs, look at them, end them, try them again."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kedro_kubeflow.errors import ServerError, did_you_mean
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.facts import SPEC
from kedro_kubeflow.targets.kubeflow.inputs import every_input, run_inputs
from kedro_kubeflow.targets.kubeflow.named_pipelines import find_version
from kedro_kubeflow.targets.kubeflow.package import Package, spec_of
from kedro_kubeflow.targets.kubeflow.pipelines import PipelineVersion
from kedro_kubeflow.targets.kubeflow.runs import Run, RunRequest
from kedro_kubeflow.targets.kubeflow.steps import Step
from kedro_kubeflow.targets.kubeflow.upload import DIGEST
from kedro_kubeflow.targets.run_name import fill_run_name


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run is started.

    Attributes:
        experiment_name: the experiment that holds it; made if it is not there.
        run_name: a template; `{parameter}` stands for a value. Without one, the pipeline's name and the time.
        values: the Kedro parameters, for the name.
        plugins_input: for plugins of the server, by plugin.
    """

    experiment_name: str
    experiment_namespace: str | None = None
    run_name: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    service_account: str | None = None
    description: str = ""
    plugins_input: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A run that was started, and the link that opens it."""

    run: Run
    link: str
    experiment: str


def run_once(client: KubeflowClient, compiled: Package, options: RunOptions) -> Started:
    """Start a run of a compiled pipeline. Nothing is uploaded: the spec goes along with the run.

    Raises:
        ConfigError: the run's name speaks of a parameter that is not there.
        AuthError, ServerError: it was not started, or it is not known whether; never is it started twice.
    """
    facts = {**compiled.tags, SPEC: compiled.digest[:DIGEST]}
    inputs = every_input(spec_of(str(compiled)), {})
    request = _request(client, compiled, compiled.display_name, options)
    return _start(client, replace(request, facts=facts, parameters=inputs))


def run_from_version(
    client: KubeflowClient, pipeline: str, version: str, overrides: Mapping[str, Any], options: RunOptions
) -> Started:
    """Start a run of an uploaded version.

    Args:
        pipeline: the pipeline's name on the server.
        version: an id, a name, or ``latest``.
        overrides: Kedro parameters, nested, in place of what the version was compiled with.

    Raises:
        ParameterError: the version takes no such parameter.
        ConfigError, AuthError, ServerError: as for `run_once`.
    """
    found = find_version(client, pipeline, version)
    given = run_inputs(found.spec, overrides, where=client.address.pipeline_link(found.pipeline_id, found.id))
    request = _request(client, found, client.pipelines.get(pipeline).display_name, options)
    return _start(client, replace(request, parameters=every_input(found.spec, given)))


def _request(client: KubeflowClient, source: Package | PipelineVersion, shown: str, options: RunOptions) -> RunRequest:
    if options.run_name:
        name = fill_run_name(options.run_name, options.values)
    else:
        name = f"{shown} {datetime.datetime.now():%Y-%m-%d %H:%M:%S}"
    return RunRequest(
        name=name,
        experiment=client.experiments.ensure(options.experiment_name, options.experiment_namespace),
        source=source,
        service_account=options.service_account,
        description=options.description,
        plugins_input=options.plugins_input,
    )


def _start(client: KubeflowClient, request: RunRequest) -> Started:
    run = client.runs.start(request)
    return Started(run, client.address.run_link(run.id), request.experiment.name)


def list_runs(
    client: KubeflowClient, *, limit: int = 20, pipeline: str | None = None, namespace: str | None = None
) -> list[Run]:
    """The latest runs, without their steps.

    Args:
        pipeline: only runs of the uploaded versions of this pipeline, by its name on the server.
        namespace: where they are, if not where the pipelines are.

    Raises:
        AuthError, ServerError
    """
    wanted = client.pipelines.get(pipeline).id if pipeline else None
    found = (run for run in client.runs.list(namespace=namespace) if wanted in (None, run.pipeline_id))
    return list(itertools.islice(found, limit))


def get_run(client: KubeflowClient, run: str) -> Run:
    """A run with its steps as they truly are, by its id or by the link that opens it.

    Raises:
        AuthError, ServerError
    """
    return client.look(run_id_of(run))


def run_id_of(text: str) -> str:
    """The id of a run, also out of a link to it.

    >>> run_id_of("https://kubeflow.example.com/pipeline/#/runs/details/1a2b?tab=1")
    '1a2b'
    """
    match = re.search(r"/runs/details/([^/?#]+)", text)
    return match.group(1) if match else text.strip()


def terminate(client: KubeflowClient, run: str) -> Run:
    """End a run; what it is then, which takes the server a moment."""
    run_id = run_id_of(run)
    client.runs.terminate(run_id)
    return client.runs.get(run_id)


def retry(client: KubeflowClient, run: str) -> Run:
    """Run again what failed of a run; the run goes on under its id."""
    run_id = run_id_of(run)
    client.runs.retry(run_id)
    return client.runs.get(run_id)


def read_logs(client: KubeflowClient, run: str, step: str | None = None) -> dict[str, str]:
    """The logs of the steps that have begun, by step; or that of one.

    Raises:
        ServerError: there is no such step, or the server does not give its log; then it says how to read it.
    """
    found = get_run(client, run)
    steps = [find_step(found, step)] if step else [s for s in found.steps if s.begun]
    return {s.title: client.logs.of(found, s) for s in steps}


def find_step(run: Run, name: str) -> Step:
    """A step by its name on the server or in Kedro.

    Raises:
        ServerError: the run has none.
    """
    for step in run.steps:
        if name in (step.name, step.title):
            return step
    raise ServerError(f"The run has no step {name!r}. {did_you_mean(name, (s.title for s in run.steps))}")
