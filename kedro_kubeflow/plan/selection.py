"""What is to run: what the caller asks for, over what the named job says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from kedro_kubeflow.config.jobs import JobConfig, find_job, over
from kedro_kubeflow.config.schedules import ScheduleConfig
from kedro_kubeflow.request import Request, Slice

DEFAULT = "__default__"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Some pipelines, of them a part, and parameters.

    Attributes:
        pipelines: registered names; their union is meant.
        part: what of it runs.
        parameters: overrides, nested as in parameters.yml.
        job: the job that says so, if one does.
        job_part: the part that the job itself names.
        description: the job's.
        schedule: the job's.
    """

    pipelines: tuple[str, ...] = (DEFAULT,)
    part: Slice = field(default_factory=Slice)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    job: str | None = None
    job_part: Slice = field(default_factory=Slice)
    description: str | None = None
    schedule: ScheduleConfig | None = None

    @property
    def pipeline(self) -> str:
        """What people call the pipelines."""
        return "+".join(self.pipelines)

    @property
    def display_name(self) -> str:
        """The job, or else the pipelines."""
        return self.job or self.pipeline

    @property
    def cut(self) -> str:
        """The part that was asked for on the spot, in words; empty where there is none."""
        return "" if self.part == self.job_part else str(self.part)

    @property
    def name(self) -> str:
        """What is run goes by this name on the server: a part must not pass for a version of the whole."""
        return f"{self.display_name} {self.cut}".rstrip()


def selected(request: Request, jobs: Mapping[str, JobConfig]) -> Selection:
    """What a request asks for.

    Raises:
        ConfigError: there is no such job.
    """
    asked = Selection(
        pipelines=tuple(dict.fromkeys(request.pipelines)) or (DEFAULT,),
        part=request.part,
        parameters=request.parameters,
    )
    return selection(request.job, asked, jobs, pipelines_asked=bool(request.pipelines))


def selection(
    job: str | None, asked: Selection, jobs: Mapping[str, JobConfig], *, pipelines_asked: bool = True
) -> Selection:
    """Put what is asked for over a job.

    Args:
        job: the job's name; None for none.
        asked: what the caller says; of its slice, each condition goes before the job's own.
        jobs: ``jobs`` of kubeflow.yml.
        pipelines_asked: whether the caller names pipelines, rather than leaving them to the job.

    Raises:
        ConfigError: there is no such job.
    """
    if job is None:
        return asked
    config = find_job(job, jobs)
    part = Slice(**{f.name: getattr(config, f.name) for f in fields(Slice)})
    return Selection(
        pipelines=asked.pipelines if pipelines_asked else (config.pipelines or (config.pipeline or DEFAULT,)),
        part=asked.part.over(part),
        parameters=over(config.parameters, asked.parameters),
        job=job,
        job_part=part,
        description=config.description,
        schedule=config.schedule,
    )
