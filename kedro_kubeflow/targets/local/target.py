"""This machine as a target: what runs leave behind in the project is its store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kedro_kubeflow.errors import ServerError, did_you_mean
from kedro_kubeflow.request import TravellingCode
from kedro_kubeflow.results.artifact import RunArtifact
from kedro_kubeflow.results.spec import artifacts_of
from kedro_kubeflow.targets.base.run import Run, Step
from kedro_kubeflow.targets.base.spec import in_order
from kedro_kubeflow.targets.base.target import RunOptions, Target
from kedro_kubeflow.targets.base.timeline import Kind
from kedro_kubeflow.targets.base.waiting import Pace
from kedro_kubeflow.targets.local import record
from kedro_kubeflow.targets.local.history import FOLDER, RUNS
from kedro_kubeflow.targets.local.limits import CANNOT

if TYPE_CHECKING:
    from kedro_kubeflow.code.archive import Archive
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.project.opening import OpenProject
    from kedro_kubeflow.targets.local.adapter import Runner

_GRACE_SECONDS = 60.0
CODE = "code"
"""The folder, beside that of the runs, of code that travelled with them."""


class LocalTarget(Target):
    """Runs a compiled pipeline as processes of this machine, or in Docker."""

    name = "local"
    display_name = "this machine"
    place = "on this machine"
    attached = True
    any_form = True
    cannot = CANNOT
    pace = Pace(first=0.1, interval=1.0)

    @classmethod
    def default_image(cls, options: RunOptions) -> str | None:
        """Processes run in no image, so none need be configured for them."""
        return "local" if options.runner in (None, "subprocess") else None

    @classmethod
    def beginning(cls, options: RunOptions) -> AbstractContextManager[None]:
        """A process for the run, which imports what takes longer than compiling."""
        from kedro_kubeflow.targets.local.beginning import beginning

        return beginning() if options.runner != "docker" else nullcontext()

    @classmethod
    def owns(cls, project: OpenProject, run: str) -> bool:
        """Whether there is such a run in the project's folder."""
        return run_folder(project.path, run) is not None

    def start(
        self, prepared: Prepared, options: RunOptions, *, on_change: Callable[[Run], None] = lambda _: None
    ) -> Run:
        """Run the pipeline; returns when it has ended, however it ended."""
        from kedro_kubeflow.targets.local.operations import run_local

        latest: list[Run] = []
        runner = cast("Runner", options.runner or "subprocess")

        def changed(run: Run) -> None:
            latest[:] = [run]
            on_change(run)

        run_local(prepared, runner=runner, isolated=options.isolated, on_run=changed)
        return latest[0]

    def run_id(self, text: str) -> str:
        """The id of a run, also out of the path of its folder."""
        return Path(text.strip()).name

    def get(self, run_id: str) -> Run:
        """A run as it was last written down."""
        return record.read_run(self._folder(run_id))

    def times(self, run: Run) -> Mapping[str, Mapping[str, Any]]:
        """What the steps have left in the run's folder."""
        return record.times_of(self._folder(run.id), run)

    def kind_of_steps(self, run: Run) -> Kind:
        """A fork server leaves a log."""
        return "forks" if (self._folder(run.id) / "preload.log").exists() else "processes"

    def runs(self, *, limit: int = 20, pipeline: str | None = None) -> list[Run]:
        """The runs that are kept, the latest first."""
        wanted = self.pipeline_name(pipeline) if pipeline else None
        folders = [f for f in self._folders() if wanted is None or record.pipeline_of(f) == wanted]
        return [replace(record.read_run(folder), steps=()) for folder in folders[:limit]]

    def latest(self, pipeline: str | None = None) -> Run:
        """Each run's record says what it is a run of, whatever part of it."""
        of = (f for f in self._folders() if pipeline in (None, record.registered_name(f)))
        return self._first((replace(record.read_run(folder), steps=()) for folder in of), pipeline)

    def logs(self, run: Run, step: str | None = None) -> Mapping[str, str]:
        """What the steps have written into their files."""
        steps = [self.step_of(run, step)] if step else [s for s in run.steps if s.log]
        return {s.display_name: self._log(run, s).read_text("utf-8", errors="replace") for s in steps}

    def artifacts(self, run_id: str) -> list[RunArtifact]:
        """What the steps have stored in the run's folder."""
        folder = self._folder(run_id)
        paths = {name: path for step in record.read_run(folder).steps for name, path in step.outputs.items()}
        spec = record.read_spec(folder)
        # A step that has failed was told where to put them all the same.
        there = {name: path for name, path in paths.items() if Path(path).exists()}
        known = (a.at(_without(there[a.dataset], a.filename)) if a.dataset in there else a for a in artifacts_of(spec))
        return in_order(spec, known)

    def spec(self, run_id: str) -> Mapping[str, Any]:
        """It was compiled for this very run, with its parameters as defaults."""
        return record.read_spec(self._folder(run_id))

    def carry(self, archive: Archive, prepared: Prepared) -> TravellingCode:
        """It lies beside the runs."""
        from kedro_kubeflow.targets.base.travel import put

        folder = self.project.path / FOLDER / CODE
        return TravellingCode(digest=archive.digest, uris=(put(str(folder), archive),))

    def terminate(self, run_id: str) -> Run:
        """Let the command that runs it end it, and wait until it has."""
        folder = self._folder(run_id)
        if not record.read_run(folder).ended:
            record.ask_to_end(folder)
            record.wait_until_over(folder, _GRACE_SECONDS)
        return record.read_run(folder)

    def link(self, run_id: str | None = None) -> str:
        """The folder of a run, or that of all."""
        runs = self.project.path / FOLDER / RUNS
        return str(runs / run_id if run_id else runs)

    def _folders(self) -> list[Path]:
        runs = self.project.path / FOLDER / RUNS
        return sorted((p for p in runs.iterdir() if p.is_dir()), reverse=True) if runs.is_dir() else []

    def _folder(self, run_id: str) -> Path:
        found = run_folder(self.project.path, run_id)
        if found is None:
            raise ServerError(
                f"There is no run {run_id!r} on this machine. {did_you_mean(run_id, (f.name for f in self._folders()))}",
                where=self.link(),
                cure="`kedro kubeflow runs --target local` lists those that are kept (kubeflow.yml, local.keep_runs)",
            )
        return found

    def _log(self, run: Run, step: Step) -> Path:
        if step.log is None or not step.log.exists():
            raise ServerError(
                f"The step {step.display_name!r} has no log: it has not begun, or it was taken from the cache",
                where=str(run.folder),
            )
        return step.log


def _without(path: str, filename: str) -> str:
    """The artifact that holds a file."""
    return path.removesuffix(f"/{filename}") if filename else path


def run_folder(project: Path, run: str) -> Path | None:
    """The folder of a run of the project, by its id or by its path; None where there is none."""
    name = Path(run.strip()).name
    folder = project / FOLDER / RUNS / name
    return folder if name not in ("", "..") and folder.is_dir() else None
