"""A run as a value, for notebooks and scripts: its state, its steps, and what it has made as the objects that they are."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kedro_kubeflow.errors import ProjectError, did_you_mean
from kedro_kubeflow.results.artifact import RunArtifact
from kedro_kubeflow.targets.base.registry import open_run
from kedro_kubeflow.targets.base.run import Run, State, Step
from kedro_kubeflow.targets.base.target import Target


@dataclass(frozen=True)
class PipelineRun:
    """A run of a project's pipeline, wherever it ran. What is asked of it is asked of its target anew each time.

    Attributes:
        id: by which the target knows it.
    """

    id: str
    target: Target

    @property
    def now(self) -> Run:
        """The run as it is now.

        Raises:
            AuthError, ServerError: it cannot be asked for.
        """
        return self.target.get(self.id)

    @property
    def status(self) -> State:
        """Its state, such as ``RUNNING`` or ``SUCCEEDED``."""
        return self.now.state

    @property
    def steps(self) -> Mapping[str, Step]:
        """Its steps by name, as they are now."""
        return {step.display_name: step for step in self.now.steps}

    @property
    def mlflow(self) -> Mapping[str, str]:
        """What is known of its MLflow run: ``run_id``, ``experiment_id``, ``tracking_uri``, ``status``."""
        return self.now.mlflow

    @property
    def link(self) -> str:
        """What opens it."""
        return self.target.link(self.id)

    def wait(self, timeout: float | None = None) -> Run:
        """Wait for its end; gives the run as it is then, however it ended.

        Args:
            timeout: seconds until waiting ends.

        Raises:
            WaitTimeout: it did not end in time. It goes on.
            AuthError, ServerError: it can no longer be watched. It goes on.
        """
        latest = self.now
        for latest in self.target.wait(self.id, timeout=timeout):  # noqa: B007 - the last one is what counts
            pass
        return latest

    @cached_property
    def artifacts(self) -> Mapping[str, RunArtifact]:
        """What it has made, by dataset.

        Raises:
            AuthError, ServerError
        """
        return {artifact.dataset: artifact for artifact in self.target.artifacts(self.id)}

    def load(self, dataset: str) -> Any:
        """A dataset as it came out of the run, through the dataset class of the catalog's entry.

        Args:
            dataset: its name in the catalog, with `@…` where it is transcoded.

        Raises:
            ProjectError: the run has made no such dataset, or it does not load.
            AuthError, ServerError: its data are not there, or cannot be reached.
        """
        from kedro_kubeflow.project.catalog import read_catalog
        from kedro_kubeflow.results.load import load

        artifact = self._artifact(dataset)
        entry = read_catalog(self.target.project.config_loader())[dataset]
        with tempfile.TemporaryDirectory() as folder:
            name = artifact.filename or artifact.data_uri.rstrip("/").rpartition("/")[2]
            path = self.target.fetch(artifact, Path(folder) / name)
            memory = self.target.config.run_config.memory_dataset
            return load(dataset, entry, path, memory_dataset=memory)

    def download(self, dataset: str, folder: Path | str) -> Path:
        """Bring a dataset's file or folder; gives where it is.

        Raises:
            ProjectError, AuthError, ServerError: as `load`.
        """
        artifact = self._artifact(dataset)
        name = artifact.filename or artifact.data_uri.rstrip("/").rpartition("/")[2]
        return self.target.fetch(artifact, Path(folder) / name)

    def _artifact(self, dataset: str) -> RunArtifact:
        base = dataset.split("@", 1)[0]
        artifact = self.artifacts.get(base)
        if artifact is None:
            raise ProjectError(f"The run stores no dataset {base!r}. {did_you_mean(base, self.artifacts)}")
        if not artifact.uri:
            raise ProjectError(
                f"It is not known where {base!r} of the run lies", cure="its step has not ended well, or nobody tells"
            )
        return artifact


def find_run(
    run: str, path: Path | str | None = None, *, env: str | None = None, target: str | None = None
) -> PipelineRun:
    """A run of a project's pipeline: ``kedro_kubeflow.run("…").load("model")``.

    Args:
        run: its id, the link that opens it, or ``latest``.
        path: a folder in the Kedro project; where it is not given, the project that ``%load_ext kedro.ipython`` has loaded, or
            the one of the working directory.
        env: the configuration environment; where it is not given, the notebook's, ``KEDRO_ENV`` or Kedro's default.
        target: where it ran; found by the run where that is this machine, else the one that is configured.

    Raises:
        ProjectError: the project cannot be opened, or there is no run.
        ConfigError: kubeflow.yml is wrong, or no such target is configured.
    """
    where = Path(path) if path is not None else None
    if where is None:
        where, its_env = _of_notebook()
        env = env or its_env
    opened, run_id = open_run(run, target, env=env, path=where)
    return PipelineRun(run_id, opened)


def _of_notebook() -> tuple[Path | None, str | None]:
    """The project and the environment that ``%load_ext kedro.ipython`` has loaded, where this is a notebook that did."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    context = shell.user_ns.get("context") if shell else None
    place = getattr(context, "project_path", None)
    return (Path(place), getattr(context, "env", None)) if place else (None, None)
