"""What every place that runs compiled pipelines is asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from kedro_kubeflow.errors import ConfigError, KedroKubeflowError, ServerError
from kedro_kubeflow.names import pipeline_name
from kedro_kubeflow.targets.base.run import Run
from kedro_kubeflow.targets.base.waiting import Pace, Waiting

if TYPE_CHECKING:
    from kedro_kubeflow.check.finding import Finding
    from kedro_kubeflow.compiler import CompiledPipeline
    from kedro_kubeflow.config.kubeflow import KubeflowConfig
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.project.opening import OpenProject
    from kedro_kubeflow.targets.base.pipeline import Pipeline, Uploaded
    from kedro_kubeflow.targets.base.schedule import Schedule, ScheduleChange, ScheduleRequest


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
        noun: what it calls a run.
        attached: whether its runs are processes of the command that starts them: `start` returns when the run has ended.
        any_form: whether it runs pipelines that were adapted for another target; it adapts none itself.
        cannot: what it cannot do, by the name of a method of this class, an option or a key of kubeflow.yml, with the reason.
    """

    name: ClassVar[str]
    display_name: ClassVar[str]
    noun: ClassVar[str] = "run"
    attached: ClassVar[bool] = False
    any_form: ClassVar[bool] = False
    cannot: ClassVar[Mapping[str, Reason]] = {}
    pace: ClassVar[Pace] = Pace()

    def __init__(self, project: OpenProject, config: KubeflowConfig) -> None:
        self.project, self.config = project, config

    @classmethod
    def owns(cls, project: OpenProject, run: str) -> bool:
        """Whether a run is one of this target's for sure; decided without a network."""
        return False

    @cached_property
    def parameters(self) -> Mapping[str, Any]:
        """The project's Kedro parameters, for names of runs and schedules."""
        from kedro_kubeflow.project.conf import read_parameters

        return read_parameters(self.project.config_loader())

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

    def upload(self, compiled: CompiledPipeline, *, force: bool = False) -> Uploaded:
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

    # Runs

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

    @abstractmethod
    def runs(self, *, limit: int = 20, pipeline: str | None = None) -> list[Run]:
        """The latest runs, without their steps.

        Args:
            pipeline: only those of this pipeline or job, by its registered name.

        Raises:
            AuthError, ServerError
        """

    def look(self, run_id: str) -> Callable[[], Run]:
        """What looks at a run again and again; a target may keep there what does not change from look to look."""
        return lambda: self.get(run_id)

    def wait(self, run_id: str, *, timeout: float | None = None, pace: Pace | None = None) -> Iterator[Run]:
        """The run as it is each time that it is looked at; the last one has ended.

        Args:
            timeout: seconds until waiting ends.

        Raises:
            WaitTimeout: it did not end in time. It goes on.
            AuthError, ServerError: it can no longer be watched. It goes on.
        """
        return Waiting(
            self.look(run_id),
            replace(pace or self.pace, timeout=timeout),
            where=self.link(run_id),
            cure=f"look at it with `{self.command('status', run_id)}`, or wait longer with --timeout",
            noun=self.noun,
        ).looks()

    def logs(self, run: Run, step: str | None = None) -> Mapping[str, str]:
        """What the steps that have begun have written, by their display name; or one of them.

        Args:
            step: a step's name or display name.

        Raises:
            Unsupported: the target gives no logs.
            ServerError: there is no such step, or its log cannot be had; the error says how to read it.
        """
        self.refuse("logs")

    def how_to_read_log(self, run: Run, step: Any) -> str | None:
        """A command that shows a step's log, where there is one."""
        return None

    def follow_log(self, run_id: str, step: str) -> Iterator[str]:
        """What a step writes while it writes it, piece by piece; ends with the step.

        Raises:
            Unsupported: the target gives no logs of running steps.
            ServerError: as `logs`.
        """
        self.refuse("follow_log")

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
        made = change.schedule or change.make()
        for old in change.replaced:
            try:
                self.delete_schedules([old])
            except KedroKubeflowError as error:
                raise ServerError(
                    f"The new schedule {made.id} is there, but the old one {old.id} could not be deleted, and both start "
                    f"runs: {error.what}",
                    where=self.schedule_link(old.id),
                    cure="schedule again, which deletes it, or delete it in the UI",
                ) from error
        return replace(change, schedule=made)

    def delete_schedules(self, schedules: Iterable[Schedule]) -> None:
        """Delete schedules; that one is gone already is no error.

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

    def check(self) -> Iterator[Finding]:
        """What only the target itself can tell before a run: whether it is reachable, takes the credentials, its version.

        Raises:
            ConfigError, AuthError, ServerError
        """
        return iter(())

    # What it cannot do

    def refuse(self, what: str) -> NoReturn:
        """Say that something cannot be had here, and why.

        Raises:
            Unsupported
        """
        reason = self.cannot.get(what)
        if reason is None:
            raise Unsupported(f"{self.display_name} cannot do this ({what.replace('_', ' ')})")
        raise Unsupported(reason.what or f"{self.display_name} cannot do this: {reason.why}", cure=reason.cure)
