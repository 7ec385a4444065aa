"""``kedro kubeflow artifacts``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.interrupt import interruptible
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json, print_table

if TYPE_CHECKING:
    from kedro_kubeflow.results.artifact import RunArtifact
    from kedro_kubeflow.results.store import Progress
    from kedro_kubeflow.targets.base.target import Target


@click.command()
@click.argument("run")
@click.argument("datasets", nargs=-1)
@click.option("--download", is_flag=True, help="Bring the data of DATASETS, or of all.")
@click.option(
    "-o",
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("artifacts"),
    show_default=True,
    help="With --download: where to; each dataset in a folder of its own.",
)
@env_option
@target_option
@output_option
@exits
def artifacts(
    run: str,
    datasets: tuple[str, ...],
    download: bool,
    folder: Path,
    env: str | None,
    target: str | None,
    output: Output,
) -> None:
    """What a run has made, and where it lies; with --download, bring it.

    RUN is its id, or the link that opens it, or latest.
    """
    from kedro_kubeflow.targets.base.registry import open_run

    opened, run_id = open_run(run, target, env=env)
    chosen = _chosen(opened.artifacts(run_id), datasets)
    if download:
        _bring(opened, chosen, folder, output)
        return
    sized = opened.sized(chosen)
    if output == "json":
        print_json([artifact_json(artifact) for artifact in sized])
    else:
        rows = [(a.dataset, _step(a), a.type, _size(a.size), a.data_uri or "not told") for a in sized]
        print_table(("Dataset", "Step", "Type", "Size", "URI"), rows, empty="The run stores no artifacts.")


def artifact_json(artifact: RunArtifact) -> dict[str, Any]:
    """One artifact, for programs."""
    return {
        "dataset": artifact.dataset,
        "step": artifact.step,
        "type": artifact.type,
        "size": artifact.size,
        "uri": artifact.data_uri or None,
        "taken_over_from": artifact.run or None,
    }


def _chosen(found: Sequence[RunArtifact], datasets: Sequence[str]) -> list[RunArtifact]:
    from kedro_kubeflow.errors import ProjectError, did_you_mean

    known = {artifact.dataset: artifact for artifact in found}
    for name in datasets:
        if name not in known:
            raise ProjectError(f"The run stores no dataset {name!r}. {did_you_mean(name, known)}")
    return [known[name] for name in datasets] if datasets else list(found)


def _step(artifact: RunArtifact) -> str:
    return f"{artifact.step} (in {artifact.run})" if artifact.run else artifact.step


def _size(size: int | None) -> str | None:
    from kedro_kubeflow.code.project_code import size_text

    return None if size is None else size_text(size)


def _bring(target: Target, chosen: Sequence[RunArtifact], folder: Path, output: Output) -> None:
    from kedro_kubeflow.errors import ServerError

    brought: list[tuple[RunArtifact, Path]] = []
    unknown = [artifact.dataset for artifact in chosen if not artifact.uri]
    if unknown:
        raise ServerError(
            f"It is not known where {', '.join(unknown)} lies: the step has not ended well, or nobody tells",
            cure="name the datasets to bring; `kedro kubeflow artifacts RUN` lists those that are there",
        )
    for artifact in chosen:
        place = (
            folder / _safe(artifact.dataset) / (artifact.filename or artifact.data_uri.rstrip("/").rpartition("/")[2])
        )
        with (
            interruptible(f"Interrupted: nothing of {artifact.dataset!r} stands in {folder}."),
            _progress(artifact.dataset) as progress,
        ):
            brought.append((artifact, target.fetch(artifact, place, progress)))
    if output == "json":
        print_json([{**artifact_json(artifact), "path": str(path)} for artifact, path in brought])
    else:
        for _, path in brought:
            click.echo(path)


def _safe(dataset: str) -> str:
    """A dataset's name as that of a folder."""
    return "".join("_" if letter in '/\\:*?"<>|' else letter for letter in dataset)


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """A bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bars:
        task = bars.add_task(name, total=None)
        yield lambda portion: bars.advance(task, portion)
