"""What every place that runs compiled pipelines is asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from kedro_kubeflow.errors import ConfigError, KedroKubeflowError, ServerError
from kedro_kubeflow.names import pipeline_name
from kedro_kubeflow.results.spec import nodes_of
from kedro_kubeflow.targets.base.run import ENDED, Run, Step, find_step
from kedro_kubeflow.targets.base.timeline import Kind
from kedro_kubeflow.targets.base.waiting import Look, Pace, Waiting

if TYPE_CHECKING:
    from pathlib import Path

    from kedro_kubeflow.check.finding import Finding
    from kedro_kubeflow.code.archive import Archive
    from kedro_kubeflow.compiler import CompiledPipeline
    from kedro_kubeflow.config.kubeflow import KubeflowConfig
    from kedro_kubeflow.config.schedules import ScheduleConfig
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.project.opening import OpenProject
    from kedro_kubeflow.request import TravellingCode
    from kedro_kubeflow.results.artifact import RunArtifact
    from kedro_kubeflow.results.store import Progress
    from kedro_kubeflow.targets.base.login import Login, Logout
    from kedro_kubeflow.targets.base.pipeline import Pipeline, Uploaded, Version
    from kedro_kubeflow.targets.base.schedule import Retired, Schedule, ScheduleChange, ScheduleRequest


_OPTIONAL = ("upload", "pipelines", "start_version", "logs", "retry", "schedules")


class Unsupported(ConfigError):
    """A target cannot do what is asked of it."""


@dataclass(frozen=True)
class Reason:
    """Why a target cannot do something.

    Attributes:
        why: a sentence's second half, as in "--from-version is not for Vertex AI: no pipelines are uploaded there".
        what: a whole sentence, where it is more than an option that cannot be had.
        cure: what to do in its place.
    """

    why: str
    what: str | None = None
    cure: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run is started; None is what the configuration says.

    Attributes:
        run_name: a template; ``{parameter}`` stands for a value.
        runner: how a target on this machine runs a step: ``subprocess`` or ``docker``.
        isolated: whether steps share nothing there, as pods do.
    """

    experiment_name: str | None = None
    experiment_namespace: str | None = None
    run_name: str | None = None
    service_account: str | None = None
    runner: str | None = None
    isolated: bool = False


class Target(ABC):
    """A place that runs compiled pipelines. Making one sends nothing; the first question connects.

    Attributes:
        name: what ``--target`` calls it.
        display_name: what messages call it.
        noun, schedule_noun: what it calls a run and a schedule.
        place: where its things are, as in "there are no schedules on the server".
        attached: whether its runs are processes of the command that starts them: `start` returns when the run has ended.
        any_form: whether it runs pipelines that were adapted for another target; it adapts none itself.
        on_kubernetes: whether what a pipeline asks of Kubernetes holds there.
        cannot: what it cannot do, by the name of a method of this class, an option or a key of kubeflow.yml, with the reason.
    """

    name: ClassVar[str]
    display_name: ClassVar[str]
    noun: ClassVar[str] = "run"
    place: ClassVar[str] = "on the server"
    schedule_noun: ClassVar[str] = "schedule"
    attached: ClassVar[bool] = False
    any_form: ClassVar[bool] = False
    on_kubernetes: ClassVar[bool] = True
    cannot: ClassVar[Mapping[str, Reason]] = {}
    pace: ClassVar[Pace] = Pace()

    def __init__(self, project: OpenProject, config: KubeflowConfig) -> None:
        self.project, self.config = project, config

    @classmethod
    def owns(cls, project: OpenProject, run: str) -> bool:
        """Whether a run is one of this target's for sure; decided without a network."""
        return False

    def parameters_with(self, given: Mapping[str, Any], pipeline: str) -> Mapping[str, Any]:
        """The project's Kedro parameters with others over them, for names of runs; what resolvers give is marked.

        Args:
            pipeline: a registered name, or that of a job, whose own parameters lie between the two.
        """
        from kedro_kubeflow.config.jobs import over
        from kedro_kubeflow.project.conf import read_parameters
        from kedro_kubeflow.project.known_parameters import with_marks
        from kedro_kubeflow.project.resolvers import read_marked

        job = self.config.jobs.get(pipeline)
        given = over(job.parameters, given) if job else given
        marked = read_marked(self.project.config_loader(given))
        return with_marks(marked, read_parameters(self.project.config_loader(given)))

    def schedule_key(self, pipeline: str, name: str = "") -> str:
        """By what a schedule of a pipeline or job is known again; without its name, what the keys of all begin with."""
        return f"{self.pipeline_name(pipeline)}/{name}"

    def pipeline_name(self, name: str) -> str:
        """What one of the project's pipelines or jobs is called here."""
        return pipeline_name(self.project.name, name)

    # Pipelines

    def adapt(self, compiled: CompiledPipeline) -> CompiledPipeline:
        """The compiled pipeline as this target takes it. Needs no network.

        Raises:
            ConfigError: it asks for something that the target does not have; the message names all of it.
        """
        return compiled

    def upload(self, prepared: Prepared, *, force: bool = False) -> Uploaded:
        """Make a pipeline of it, a new version, or nothing where the newest version is the same.

        Raises:
            Unsupported: the target stores no pipelines.
            AuthError, ServerError
        """
        self.refuse("upload")

    def pipelines(self) -> list[Pipeline]:
        """The pipelines that are stored, the newest first.

        Raises:
            Unsupported: the target stores no pipelines.
            AuthError, ServerError
        """
        self.refuse("pipelines")

    def versions(self, pipeline: str) -> list[Version]:
        """The versions of a stored pipeline, the newest first.

        Args:
            pipeline: its name here.

        Raises:
            Unsupported: the target stores no pipelines.
            AuthError, ServerError: among others, there is no such pipeline.
        """
        self.refuse("pipelines")

    def pipeline_link(self, pipeline_id: str, version_id: str | None = None) -> str:
        """What opens a pipeline, or one of its versions."""
        return self.link()

    # Runs

    @classmethod
    def default_image(cls, options: RunOptions) -> str | None:
        """What stands in the spec where no image is configured; None where one must be."""
        return None

    @classmethod
    def beginning(cls, options: RunOptions) -> AbstractContextManager[None]:
        """What may be begun while the project is read and compiled; it is over with the block, used or not."""
        return nullcontext()

    @abstractmethod
    def start(
        self, prepared: Prepared, options: RunOptions, *, on_change: Callable[[Run], None] = lambda _: None
    ) -> Run:
        """Start a run of a compiled pipeline, never twice.

        Args:
            on_change: is called with the run whenever it changes; by attached targets alone.

        Returns:
            The run as it is then; of attached targets, as it has ended.

        Raises:
            ConfigError: the run's name speaks of a parameter that is not there, or an option does not fit.
            AuthError, ServerError: it was not started, or it is not known whether.
        """

    def start_version(self, pipeline: str, version: str, parameters: Mapping[str, Any], options: RunOptions) -> Run:
        """Start a run of an uploaded version.

        Args:
            pipeline: the registered name of a pipeline, or the name of a job.
            version: an id, a name, or ``latest``.
            parameters: Kedro parameters, nested, in place of what the version was compiled with.

        Raises:
            Unsupported: the target stores no pipelines.
            ParameterError, ConfigError, AuthError, ServerError: as for `start`.
        """
        self.refuse("from_version")

    def run_id(self, text: str) -> str:
        """The id of a run, also out of the link that opens it."""
        return text.strip()

    @abstractmethod
    def get(self, run_id: str) -> Run:
        """A run with its steps.

        Raises:
            AuthError, ServerError: among others, there is none; `ServerAway` where it may be asked again.
        """

    def times(self, run: Run) -> Mapping[str, Mapping[str, Any]]:
        """When the steps of a run did what, by display name, as far as they have said so: see ``targets.base.timeline``."""
        return {}

    def kind_of_steps(self, run: Run) -> Kind:
        """What the steps of a run are."""
        return "pods"

    @abstractmethod
    def runs(self, *, limit: int = 20, pipeline: str | None = None) -> list[Run]:
        """The latest runs, without their steps.

        Args:
            pipeline: only those of this pipeline or job, by its registered name.

        Raises:
            AuthError, ServerError
        """

    def latest(self, pipeline: str | None = None) -> Run:
        """The project's latest run, without its steps.

        Args:
            pipeline: only of this pipeline or job, by its registered name.

        Raises:
            ServerError: there is none.
            AuthError
        """
        return self._first(self.runs(limit=1, pipeline=pipeline), pipeline)

    def _first(self, runs: Iterable[Run], pipeline: str | None) -> Run:
        for run in runs:
            return run
        of = f" of {pipeline!r}" if pipeline else ""
        raise ServerError(f"There is no {self.noun}{of} yet {self.place}", where=self.link())

    def look(self, run_id: str, *, pending_timeout: float | None = None) -> Look:
        """What looks at a run again and again.

        Args:
            pending_timeout: as for `wait`.
        """
        return Look(lambda: self.get(run_id))

    def wait(self, run_id: str, *, timeout: float | None = None, pending_timeout: float | None = None) -> Iterator[Run]:
        """The run as it is each time that it is looked at; the last one has ended.

        Args:
            timeout: seconds until waiting ends.
            pending_timeout: seconds that a step may wait for what it runs in, where the target tells of that.

        Raises:
            WaitTimeout: it did not end in time, or a step waits for too long. The run goes on.
            AuthError, ServerError: it can no longer be watched. It goes on.
        """
        look = self.look(run_id, pending_timeout=pending_timeout)
        return self._waiting(look, run_id, replace(self.pace, timeout=timeout)).looks()

    def _waiting(self, look: Look, run_id: str, pace: Pace) -> Waiting:
        return Waiting(
            look,
            pace,
            where=self.link(run_id),
            cure=f"look at it with `{self.command('status', run_id)}`, or wait longer with --timeout",
            noun=self.noun,
        )

    def logs(self, run: Run, step: str | None = None) -> Mapping[str, str]:
        """What the steps that have begun have written, by their display name; or one of them.

        Args:
            step: a step's name or display name.

        Raises:
            Unsupported: the target gives no logs.
            ServerError: there is no such step, or its log cannot be had; the error says how to read it.
        """
        self.refuse("logs")

    def how_to_read_log(self, run: Run, step: Step) -> str | None:
        """A command that shows a step's log, where there is one."""
        return None

    def log_tail(self, run: Run, step: Step, lines: int) -> list[str]:
        """The last lines of a step's log.

        Raises:
            ServerError: as `logs`.
        """
        return self.logs(run, step.name)[step.display_name].splitlines()[-lines:]

    def step_of(self, run: Run, name: str) -> Step:
        """A step of a run, by its name on the target or in Kedro, or by the name of a node that it runs with others.

        Raises:
            ServerError: the run has none.
        """
        if not any(name in (step.name, step.display_name) for step in run.steps):
            # Where the run's pipeline is not told, or not any more, its steps are known by their own names alone.
            with suppress(KedroKubeflowError):
                name = next((step for step, nodes in nodes_of(self.spec(run.id)).items() if name in nodes), name)
        return find_step(run, name)

    def follow_log(self, run_id: str, step: str | None = None) -> Iterator[tuple[Step, str]]:
        """What steps write while they write it, piece by piece, with the step that writes; ends with them.

        Args:
            step: only this one, by its name or display name.

        Raises:
            Unsupported: the target gives no logs.
            ServerError: as `logs`.
        """
        said: dict[str, int] = {}
        for run in self.wait(run_id):
            step = self.step_of(run, step).name if step else None
            for found in [find_step(run, step)] if step else run.steps:
                if found.state not in ("WAITING", "PENDING", "SKIPPED"):
                    text = self.logs(run, found.name)[found.display_name]
                    if len(text) > said.get(found.name, 0):
                        yield found, text[said.get(found.name, 0) :]
                        said[found.name] = len(text)
            if step and find_step(run, step).state in ENDED:
                return

    @abstractmethod
    def terminate(self, run_id: str) -> Run:
        """End a run; what it is then, which may take the target a moment. One that has ended stays as it is.

        Raises:
            AuthError, ServerError
        """

    def retry(self, run_id: str) -> Run:
        """Run again what failed of a run, under its id.

        Raises:
            Unsupported: the target cannot.
            AuthError, ServerError: it has not failed, or what it needs is gone.
        """
        self.refuse("retry")

    # Results

    def artifacts(self, run_id: str) -> list[RunArtifact]:
        """The datasets that a run's steps have stored or are to store, and where each lies, where that is known.

        Raises:
            Unsupported: the target does not tell.
            AuthError, ServerError
        """
        self.refuse("artifacts")

    def fetch(self, artifact: RunArtifact, place: Path, progress: Progress = lambda _: None) -> Path:
        """Bring an artifact's data; all of it, or nothing stands at the place.

        Args:
            progress: is told of the bytes that have come; of fewer, where it begins anew.

        Raises:
            AuthError, ServerError: it is not there, cannot be reached, or broke off.
        """
        from kedro_kubeflow.results.store import Store

        return Store(artifact.data_uri).fetch(place, progress)

    def sized(self, artifacts: Sequence[RunArtifact]) -> list[RunArtifact]:
        """The same with their sizes, where a step has said it, or the store says it to this machine."""
        from kedro_kubeflow.results.store import sized

        return sized(artifacts)

    def is_there(self, artifact: RunArtifact) -> bool | None:
        """Whether an artifact's data are still there; None where nobody can be asked."""
        from kedro_kubeflow.results.store import Store

        try:
            return Store(artifact.data_uri).size() is not None
        except KedroKubeflowError:
            return None

    def spec(self, run_id: str) -> Mapping[str, Any]:
        """The pipeline that a run is one of, as KFP's IR.

        Raises:
            Unsupported: the target does not tell.
            AuthError, ServerError
        """
        self.refuse("artifacts")

    # Code

    def carry(self, archive: Archive, prepared: Prepared) -> TravellingCode:
        """Bring code to where the steps of a run find it, by the target's own means.

        Raises:
            Unsupported: it has none.
            AuthError, ServerError
        """
        self.refuse("code")

    def repair(self, run: Run) -> Run:
        """Give the MLflow run of a run that has ended the status that is true, where the exit task could not.

        Returns:
            The run, with what MLflow says now.

        Raises:
            Unsupported: the target cannot.
            TrackingError: MLflow cannot be reached, or has no run of it.
        """
        self.refuse("repair")

    # Schedules

    def schedules(self, *, namespace: str | None = None) -> list[Schedule]:
        """All schedules, also those that were not made here.

        Raises:
            Unsupported: the target has none.
            AuthError, ServerError
        """
        self.refuse("schedules")

    def plan_schedule(self, request: ScheduleRequest) -> ScheduleChange:
        """What would be done for a schedule; nothing is changed.

        Raises:
            Unsupported, ConfigError, ParameterError: the target has no schedules, or this one does not fit.
            AuthError, ServerError
        """
        self.refuse("schedules")

    def apply_schedule(self, change: ScheduleChange) -> ScheduleChange:
        """Do it: the new one first, then the old ones go, so that none is lost.

        Raises:
            AuthError, ServerError: and then it says what was done and what was not.
        """
        made = change.same or self.make_schedule(change.request)
        retired = [self._retired(old, made) for old in change.replaced]
        return replace(change, made=made, retired=retired)

    def _retired(self, old: Schedule, made: Schedule) -> Retired:
        try:
            return self.delete_schedule(old)
        except KedroKubeflowError as error:
            raise ServerError(
                f"The new schedule {made.id} is there, but the old one {old.id} could not be deleted, and may start runs "
                f"too: {error.what}",
                where=self.schedule_link(old.id),
                cure="schedule again, which deletes it, or delete it in the UI",
            ) from error

    def make_schedule(self, request: Any) -> Schedule:
        """Make one of a change's request, once.

        Raises:
            AuthError, ServerError: none was made, or it is not known whether.
        """
        self.refuse("schedules")

    def delete_schedule(self, schedule: Schedule, *, force: bool = False) -> Retired:
        """Delete a schedule; that it is gone already is no error.

        Args:
            force: also where that ends its runs; else such a one is switched off, and goes the next time.

        Raises:
            AuthError, ServerError
        """
        self.refuse("schedules")

    # Where people look

    @abstractmethod
    def link(self, run_id: str | None = None) -> str:
        """What opens a run, or the target's start page: a URL, or a folder."""

    def schedule_link(self, schedule_id: str) -> str:
        """What opens a schedule."""
        return self.link()

    def command(self, name: str, run_id: str) -> str:
        """What to type to have something done to a run."""
        return f"kedro kubeflow {name} {run_id}"

    def login(self, *, open_browser: Callable[[str], None], show: Callable[[str, str], None] | None = None) -> Login:
        """Log in as a person.

        Args:
            open_browser: shows the provider's page.
            show: tells the address and the code for another device, where the login is to happen there.

        Raises:
            Unsupported, ConfigError: nobody logs in here beforehand, or another way to authenticate is configured.
            AuthError: nobody came, or the provider or the target refuses.
            ServerError: the provider or the target does not answer.
        """
        self.refuse("login")

    def logout(self) -> Logout:
        """Forget the login, here and at the provider.

        Raises:
            Unsupported, ConfigError: as `login`.
        """
        self.refuse("login")

    def check(self, *, tracking: bool) -> Iterator[Finding]:
        """What only the target itself can tell before a run: whether it is reachable, takes the credentials, its version.

        Args:
            tracking: whether the run would be an MLflow run too.

        Raises:
            ConfigError, AuthError, ServerError
        """
        return iter(())

    def cautions(self, compiled: CompiledPipeline) -> list[str]:
        """What is to be said of a compiled pipeline before it goes there, a sentence each; nothing is asked."""
        return []

    def check_schedule(self, config: ScheduleConfig) -> None:  # noqa: B027
        """Whether there could be such a schedule; nothing is asked.

        Raises:
            ConfigError: there could not; it says why.
        """

    # What it cannot do

    def can(self, what: str) -> bool:
        """Whether something can be had here: see `cannot`; a method of `_OPTIONAL` must be there too."""
        there = what not in _OPTIONAL or getattr(type(self), what) is not getattr(Target, what)
        return there and what not in self.cannot

    def refuse(self, what: str) -> NoReturn:
        """Say that something cannot be had here, and why.

        Raises:
            Unsupported
        """
        reason = self.cannot.get(what)
        if reason is None:
            raise Unsupported(f"{self.display_name} cannot do this ({what.replace('_', ' ')})")
        raise Unsupported(reason.what or f"{self.display_name} cannot do this: {reason.why}", cure=reason.cure)
