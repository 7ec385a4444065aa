"""Kubeflow Pipelines as a target."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.targets.base.login import Login, Logout
from kedro_kubeflow.targets.base.pipeline import Pipeline, Uploaded, Version
from kedro_kubeflow.targets.base.run import Run, Step
from kedro_kubeflow.targets.base.run_name import fill_run_name
from kedro_kubeflow.targets.base.target import RunOptions, Target
from kedro_kubeflow.targets.base.waiting import Look
from kedro_kubeflow.targets.kubeflow.carrier_runs import is_carrier
from kedro_kubeflow.targets.kubeflow.limits import CANNOT

_LOOKED_AT = 1000
"""The latest runs of a namespace among which the project's latest is looked for."""

if TYPE_CHECKING:
    from pathlib import Path

    from kedro_kubeflow.check.finding import Finding
    from kedro_kubeflow.code.archive import Archive
    from kedro_kubeflow.compiler import CompiledPipeline
    from kedro_kubeflow.config.schedules import ScheduleConfig
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.request import TravellingCode
    from kedro_kubeflow.results.artifact import RunArtifact
    from kedro_kubeflow.results.store import Progress
    from kedro_kubeflow.targets.base.schedule import Retired, Schedule, ScheduleChange, ScheduleRequest
    from kedro_kubeflow.targets.kubeflow.address import Address
    from kedro_kubeflow.targets.kubeflow.kubeflow import KubeflowClient
    from kedro_kubeflow.targets.kubeflow.package import Package
    from kedro_kubeflow.targets.kubeflow.pipelines import PipelineVersion
    from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRun, RecurringRunRequest
    from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun, RunRequest
    from kedro_kubeflow.targets.kubeflow.steps import PodStep


class KubeflowTarget(Target):
    """The server that kubeflow.yml names."""

    name = "kubeflow"
    display_name = "Kubeflow Pipelines"
    schedule_noun = "recurring_run"
    cannot = CANNOT

    @cached_property
    def client(self) -> KubeflowClient:
        """What asks the server; the client stack is loaded here.

        Raises:
            ConfigError: no server is configured, or a certificate's file is missing.
            AuthError: the credentials are missing.
        """
        from kedro_kubeflow.targets.kubeflow.configured import connect_to

        return connect_to(self.config, self.project)

    @property
    def address(self) -> Address:
        """Where the server and its UI are.

        Raises:
            ConfigError: no server is configured.
        """
        from kedro_kubeflow.targets.kubeflow.address import Address

        return Address.parse(self.config.host, self.config.ui_host)

    # Pipelines

    def upload(self, prepared: Prepared, *, force: bool = False) -> Uploaded:
        """Versions are known again by the digest of what was uploaded."""
        done = self.client.uploads.upload(self._with_commit(prepared), force=force)
        return Uploaded(
            made=done.made,
            pipeline_id=done.pipeline.id,
            pipeline=done.pipeline.name,
            version_id=done.version.id,
            version=done.version.name,
            link=self.client.address.pipeline_link(done.pipeline.id, done.version.id),
        )

    def pipelines(self) -> list[Pipeline]:
        """All of the namespace."""
        return list(self.client.pipelines.list())

    def versions(self, pipeline: str) -> list[Version]:
        """All versions of a pipeline."""
        return list(self.client.pipelines.versions(self.client.pipelines.get(pipeline).id))

    def pipeline_link(self, pipeline_id: str, version_id: str | None = None) -> str:
        """Its page in the UI."""
        return self.address.pipeline_link(pipeline_id, version_id)

    # Runs

    def start(
        self, prepared: Prepared, options: RunOptions, *, on_change: Callable[[Run], None] = lambda _: None
    ) -> Run:
        """Nothing is uploaded: the spec goes along with the run."""
        from kedro_kubeflow.targets.kubeflow.facts import SPEC
        from kedro_kubeflow.targets.kubeflow.inputs import every_input
        from kedro_kubeflow.targets.kubeflow.package import spec_of
        from kedro_kubeflow.targets.kubeflow.upload import DIGEST

        compiled = self._with_commit(prepared)
        facts = {**compiled.tags, SPEC: compiled.digest[:DIGEST]}
        request = self._request(compiled, compiled.display_name, lambda: prepared.parameters, options)
        return self._start(replace(request, facts=facts, parameters=every_input(spec_of(str(compiled)), {})))

    def start_version(self, pipeline: str, version: str, parameters: Mapping[str, Any], options: RunOptions) -> Run:
        """How each parameter travels stands in the version's spec."""
        from kedro_kubeflow.targets.kubeflow.inputs import every_input, run_inputs

        name = self.pipeline_name(pipeline)
        found = self.client.pipelines.find_version(name, version)
        where = self.client.address.pipeline_link(found.pipeline_id, found.id)
        given = run_inputs(found.spec, parameters, where=where)
        shown = self.client.pipelines.get(name).display_name
        request = self._request(found, shown, lambda: self.parameters_with(parameters, pipeline), options)
        of = {"project": self.project.name, "job" if pipeline in self.config.jobs else "pipeline": pipeline}
        return self._start(replace(request, facts=of, parameters=every_input(found.spec, given)))

    def run_id(self, text: str) -> str:
        """The id of a run, also out of a link to it."""
        return run_id_of(text)

    def get(self, run_id: str) -> Run:
        """A run with its steps; one that has just ended, as it is when they have ended too."""
        run = cast("KubeflowRun", self._waiting(self.look(run_id), run_id, replace(self.pace, outage=0)).end())
        return self.client.pods.explained(run)

    def times(self, run: Run) -> Mapping[str, Mapping[str, Any]]:
        """The steps' own words on the MLflow run."""
        return self.client.ask(cast("KubeflowRun", run)).times if self.client.ask else {}

    def look(self, run_id: str, *, pending_timeout: float | None = None) -> Look:
        """What the API leaves open is asked of MLflow, of Kubeflow's own record, and of the logs of pods."""
        return self.client.look(run_id, pending_timeout=pending_timeout)

    def runs(self, *, limit: int = 20, pipeline: str | None = None) -> list[Run]:
        """The latest runs, but for those that only carried code; those of a pipeline are runs of its uploaded versions."""
        wanted = self.client.pipelines.get(self.pipeline_name(pipeline)).id if pipeline else None
        listed = self.client.runs.list(namespace=self.config.experiment_namespace)
        found = (run for run in listed if wanted in (None, run.pipeline_id) and not is_carrier(run.name))
        return list(itertools.islice(found, limit))

    def latest(self, pipeline: str | None = None) -> Run:
        """Runs say below their description which project and pipeline they are of; those of a schedule, by their version."""
        from kedro_kubeflow.plan.selection import DEFAULT

        uploaded = self.client.pipelines.find(self.pipeline_name(pipeline or DEFAULT))
        listed = self.client.runs.list(namespace=self.config.experiment_namespace, limit=_LOOKED_AT)
        return self._first((run for run in listed if self._is_of(run, pipeline, uploaded)), pipeline)

    def _is_of(self, run: KubeflowRun, pipeline: str | None, uploaded: Pipeline | None) -> bool:
        from kedro_kubeflow.targets.kubeflow.facts import fact

        if uploaded and run.pipeline_id == uploaded.id:
            return True
        if fact(run.description, "project") != self.project.name:
            return False
        return pipeline in (None, fact(run.description, "job") or fact(run.description, "pipeline"))

    def logs(self, run: Run, step: str | None = None) -> Mapping[str, str]:
        """The logs of pods, where the server gives them."""
        known = cast("KubeflowRun", run)
        steps = [cast("PodStep", self.step_of(run, step))] if step else [s for s in known.steps if s.begun]
        return {s.display_name: self.client.logs.of(known, s) for s in steps}

    def follow_log(self, run_id: str, step: str | None = None) -> Iterator[tuple[Step, str]]:
        """A step that is tried again begins anew with its new pod."""
        from kedro_kubeflow.targets.kubeflow.following import Following

        name = self.step_of(self.get(run_id), step).name if step else None
        return Following(self.client, run_id, name).pieces()

    def log_tail(self, run: Run, step: Step, lines: int) -> list[str]:
        """Without the lines of KFP's launcher and Argo's executor around them."""
        from kedro_kubeflow.targets.kubeflow.logs import tail

        return tail(self.logs(run, step.name)[step.display_name], lines)

    def how_to_read_log(self, run: Run, step: Step) -> str | None:
        """The command that reads it on the cluster."""
        return self.client.logs.how_to_read(cast("PodStep", step))

    def artifacts(self, run_id: str) -> list[RunArtifact]:
        """Where they lie is told by the steps, in MLflow; else by Kubeflow's record of the run, else by the steps' logs."""
        from kedro_kubeflow.targets.kubeflow.located import located

        return located(self.client, self, run_id)

    def fetch(self, artifact: RunArtifact, place: Path, progress: Progress = lambda _: None) -> Path:
        """Through the UI's server, with the same login; else from the store."""
        return self.client.artifacts.fetch(artifact, place, progress)

    def is_there(self, artifact: RunArtifact) -> bool | None:
        """The UI's server is asked."""
        return self.client.artifacts.is_there(artifact)

    def spec(self, run_id: str) -> Mapping[str, Any]:
        """What went along with the run, or its uploaded version."""
        return self.client.runs.spec(run_id)

    def carry(self, archive: Archive, prepared: Prepared) -> TravellingCode:
        """In the first task's arguments where it is small, else by runs of its own."""
        from kedro_kubeflow.targets.kubeflow.code_carrier import carry

        return carry(self.client, archive, prepared)

    def terminate(self, run_id: str) -> KubeflowRun:
        """End a run."""
        self.client.runs.terminate(run_id)
        return self.client.runs.get(run_id)

    def retry(self, run_id: str) -> KubeflowRun:
        """Run again what failed of it."""
        self.client.runs.retry(run_id)
        return self.client.runs.get(run_id)

    def repair(self, run: Run) -> Run:
        """MLflow's run says what became of this one, also where the exit task could not."""
        from kedro_kubeflow.targets.kubeflow.configured import mlflow_tags
        from kedro_kubeflow.targets.kubeflow.told import judged

        known = cast("KubeflowRun", run)
        report = mlflow_tags(self.config, self.project).of(known, repairs=True)
        if not report.mlflow:
            raise TrackingError(f"The MLflow run cannot be repaired: {report.silence}", where=self.link(run.id))
        return judged(known, report)

    # Schedules

    def schedules(self, *, namespace: str | None = None) -> list[Schedule]:
        """All recurring runs of a namespace."""
        return list(self.client.recurring_runs.list(namespace or self.config.experiment_namespace))

    def plan_schedule(self, request: ScheduleRequest) -> ScheduleChange:
        """What is scheduled is what was uploaded."""
        from kedro_kubeflow.targets.kubeflow.schedules import change_of

        return change_of(self, self.client, request)

    def make_schedule(self, request: RecurringRunRequest) -> Schedule:
        """Make a recurring run, and its experiment where that is not there."""
        experiment = self.client.experiments.ensure(request.experiment.name, request.namespace)
        return self.client.recurring_runs.create(replace(request, experiment=experiment))

    def delete_schedule(self, schedule: Schedule, *, force: bool = False) -> Retired:
        """Delete a recurring run, or switch it off where runs of it have not ended: they would be deleted with it."""
        from kedro_kubeflow.targets.kubeflow.retiring import retire

        return retire(self.client, cast("RecurringRun", schedule), force=force)

    # Where people look

    def link(self, run_id: str | None = None) -> str:
        """A run's page in the UI, or that of all pipelines."""
        return self.address.run_link(run_id) if run_id else f"{self.address.ui_host}/#/pipelines"

    def schedule_link(self, schedule_id: str) -> str:
        """A recurring run's page in the UI."""
        return self.address.schedule_link(schedule_id)

    def login(self, *, open_browser: Callable[[str], None], show: Callable[[str, str], None] | None = None) -> Login:
        """Log in at the provider that the section `auth` names, and ask the server who one is there."""
        from kedro_kubeflow.targets.kubeflow.person import begin_login, issuer_of, known_as

        person = begin_login(self.config, open_browser=open_browser, show=show)
        return Login(
            issuer=issuer_of(self.config),
            user=person.name,
            host=self.config.host,
            server_user=known_as(self.config) if self.config.host else None,
            expires_at=person.expires_at,
            renewed=person.renewed,
        )

    def logout(self) -> Logout:
        """Forget the login, here and at its provider."""
        from kedro_kubeflow.targets.kubeflow.person import end_login, issuer_of

        return Logout(issuer=issuer_of(self.config), was=end_login(self.config))

    def check(self, *, tracking: bool) -> Iterator[Finding]:
        """Whether it is reachable and takes the credentials, and its version."""
        from kedro_kubeflow.targets.kubeflow.findings import server_findings

        yield from server_findings(self.client, self.config, tracking=tracking)

    def cautions(self, compiled: CompiledPipeline) -> list[str]:
        """Text that its database may not have the characters for."""
        from kedro_kubeflow.targets.kubeflow.charset import cautions

        return cautions(
            {"pipeline_spec": compiled.pipeline_spec, "platform_spec": compiled.platform_spec}, compiled.tags
        )

    def check_schedule(self, config: ScheduleConfig) -> None:
        """It knows no time zones, and not all that Vertex AI's schedules have."""
        from kedro_kubeflow.targets.kubeflow.schedules import refuse_foreign, server_time

        refuse_foreign(config)
        server_time(config.cron)

    def _request(
        self,
        source: PipelineVersion | Package,
        shown: str,
        values: Callable[[], Mapping[str, Any]],
        options: RunOptions,
    ) -> RunRequest:
        from kedro_kubeflow.targets.kubeflow.runs import RunRequest

        run = self.config.run_config
        template = options.run_name or run.run_name
        experiment = options.experiment_name or run.experiment_name or self.project.name
        namespace = options.experiment_namespace or self.config.experiment_namespace
        return RunRequest(
            name=fill_run_name(template, values())
            if template
            else f"{shown} {datetime.datetime.now():%Y-%m-%d %H:%M:%S}",
            experiment=self.client.experiments.ensure(experiment, namespace),
            source=source,
            service_account=options.service_account or run.service_account,
            description=run.description or "",
        )

    def _start(self, request: RunRequest) -> Run:
        return replace(self.client.runs.start(request), experiment=request.experiment.name)

    def _with_commit(self, prepared: Prepared) -> Package:
        """The compiled pipeline, its git commit among its tags; the spec stays byte for byte what it was."""
        from kedro_kubeflow.project.git_commit import git_commit

        commit, compiled = git_commit(self.project.path), prepared.compiled
        return replace(compiled, tags={**compiled.tags, "git_commit": commit}) if commit else compiled


def run_id_of(text: str) -> str:
    """The id of a run, also out of a link to it.

    >>> run_id_of("https://kubeflow.example.com/pipeline/#/runs/details/1a2b?tab=1")
    '1a2b'
    """
    match = re.search(r"/runs/details/([^/?#]+)", text)
    return match.group(1) if match else text.strip()
