"""What is done before a run is started: the image is built, an earlier run is looked at, the code is sent along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.request import EarlierRun, Request
    from kedro_kubeflow.targets.base.target import Target

# In a task's arguments a byte of code takes twelve of the 1 MiB of a run's Workflow.
_IN_A_FILE = 32 * 2**10

F = TypeVar("F", bound=Callable[..., Any])

code_option = click.option(
    "--with-code/--without-code",
    "with_code",
    default=None,
    help="Let this folder's code go along with the run, in place of the image's; run_config.code.",
)
build_option = click.option(
    "--build", is_flag=True, help="Build the image and push it first, unless the registry has it; run with that image."
)


def resume_options(command: F) -> F:
    """``--resume`` and ``--trust``."""
    trust = click.option(
        "--trust", is_flag=True, help="With --resume: steps whose parameters have changed are taken over too."
    )
    resume = click.option(
        "--resume",
        metavar="RUN",
        help="Go on from an earlier run, or from the latest: take over what succeeded there. --from-nodes runs anew from those.",
    )
    return resume(trust(command))


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What is asked for before a run; None is what kubeflow.yml says."""

    with_code: bool | None = None
    build: bool = False
    resume: str | None = None
    trust: bool = False

    @classmethod
    def take(cls, options: dict[str, Any]) -> Preparation:
        """Take it out of a command's options."""
        given = cls(**{name: options.pop(name) for name in cls.__dataclass_fields__ if name in options})
        if given.trust and not given.resume:
            raise click.UsageError("--trust goes together with --resume.")
        return given

    def prepare(self, request: Request, place: str | None) -> Prepared:
        """Read, look at the earlier run, plan, build, send, compile.

        Args:
            place: the target that is asked for; None leaves it to the configuration.
        """
        from kedro_kubeflow.targets.base.prepare import prepare

        request = self.resumed(request, place)
        prepared = prepare(request)
        if request.earlier:
            request, prepared = _without_lost(request, prepared, place)
        if self.build:
            image = self._built(prepared, request)
            request = replace(request, image=image)
            prepared = prepare(request)
        if self._travels(prepared):
            prepared = _with_code(request, prepared, place)
        return prepared

    def compile(self, request: Request) -> Prepared:
        """Read, plan, compile; code goes along in the file itself, as nothing is asked of any server.

        Raises:
            CompileError: the code is too large for that.
        """
        from kedro_kubeflow.code.project_code import pack_project, size_text
        from kedro_kubeflow.errors import CompileError
        from kedro_kubeflow.project.git_commit import git_commit
        from kedro_kubeflow.request import TravellingCode
        from kedro_kubeflow.targets.base.prepare import prepare

        prepared = prepare(request)
        if not self._travels(prepared):
            return prepared
        archive = pack_project(prepared.project, prepared.config.code)
        if len(archive.content) > _IN_A_FILE:
            raise CompileError(
                f"The code has {size_text(len(archive.content))} compressed, and {size_text(_IN_A_FILE)} may stand in a file",
                cure="`run-once --with-code` and `upload-pipeline --with-code` bring larger code to the cluster; or leave out "
                "what is no code with `code.exclude`",
            )
        commit = git_commit(prepared.project.path)
        code = TravellingCode(digest=archive.digest, content=archive.content, commit=commit)
        return prepare(replace(request, code=code))

    def _travels(self, prepared: Prepared) -> bool:
        return prepared.config.run_config.code == "travel" if self.with_code is None else self.with_code

    def resumed(self, request: Request, place: str | None) -> Request:
        """The request, with what is known of the run to go on from."""
        if not self.resume:
            return request
        from kedro_kubeflow.targets.base.earlier import earlier_run
        from kedro_kubeflow.targets.base.registry import open_target

        asked = self.resume or ""
        latest = asked == "latest"
        target = open_target(place, env=request.env, run=None if latest else asked, path=request.path)
        run_id = _latest(target, request) if latest else target.run_id(asked)
        again, part = request.part.from_nodes, replace(request.part, from_nodes=())
        return replace(request, part=part, earlier=earlier_run(target, run_id, trust=self.trust, again=again))

    def _built(self, prepared: Prepared, request: Request) -> str:
        from kedro_kubeflow.image.build import build_image

        done = build_image(prepared.project.path, prepared.config, image=request.image, travels=self._travels(prepared))
        click.echo(f"{done.tag}: {'built and pushed' if done.built else 'the registry has it already'}", err=True)
        return done.image


def _latest(target: Target, request: Request) -> str:
    from kedro_kubeflow.errors import ServerError

    runs = target.runs(limit=1, pipeline=next(iter(request.pipelines), None) if not target.attached else None)
    if not runs:
        raise ServerError("There is no run to go on from", where=target.link())
    return runs[0].id


def _target(prepared: Prepared, place: str | None) -> Target:
    from kedro_kubeflow.targets.base.registry import target_class

    return target_class(place or prepared.target)(prepared.project, prepared.config)


def _without_lost(request: Request, prepared: Prepared, place: str | None) -> tuple[Request, Prepared]:
    """The same where every artifact that is taken over is there, as far as that can be asked; and say what is."""
    from kedro_kubeflow.targets.base.earlier import without_lost
    from kedro_kubeflow.targets.base.prepare import prepare

    earlier: EarlierRun | None = request.earlier
    while earlier is not None:
        kept = without_lost(_target(prepared, place), earlier, prepared.plan)
        if kept == earlier:
            break
        earlier = kept
        request = replace(request, earlier=earlier)
        prepared = prepare(request)
    taken = prepared.plan.taken_over
    click.echo(
        f"Going on from {earlier.id if earlier else ''}: {len(taken)} step{'s' * (len(taken) != 1)} taken over, "
        f"{len(prepared.plan.steps)} to run",
        err=True,
    )
    return request, prepared


def _with_code(request: Request, prepared: Prepared, place: str | None) -> Prepared:
    from kedro_kubeflow.targets.base.prepare import prepare
    from kedro_kubeflow.targets.base.travel import send_code

    sent = send_code(_target(prepared, place), prepared)
    click.echo(sent.said, err=True)
    return prepare(replace(request, code=sent.code))
