"""What is done before a run is started: the image is built, an earlier run is looked at, the code is sent along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from kedro_kubeflow.plan import Plan
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.request import Request
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
        """Read, look at the earlier run, plan, build, send, compile. The project is read once.

        Args:
            place: the target that is asked for; None leaves it to the configuration.
        """
        from kedro_kubeflow.plan import make_plan
        from kedro_kubeflow.targets.base.prepare import prepare_read, read
        from kedro_kubeflow.targets.base.registry import target_class

        facts, config = read(request)
        target = target_class(place or facts.target)(facts.project, config)
        request = self.resumed(request, target, lambda asked: make_plan(facts, config, asked))
        prepared = prepare_read(facts, config, request)
        if request.earlier:
            _say_going_on(request.earlier.id, prepared.plan)
        if self.build:
            request = replace(request, image=self._built(prepared, request))
            prepared = prepare_read(facts, config, request)
        if prepared.config.run_config.travels(self.with_code):
            _say_of_images(prepared)
            request = _with_code(request, prepared, target)
            prepared = prepare_read(facts, config, request)
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
        from kedro_kubeflow.targets.base.prepare import prepare, prepare_read

        prepared = prepare(request)
        if not prepared.config.run_config.travels(self.with_code):
            return prepared
        _say_of_images(prepared)
        archive = pack_project(prepared.project, prepared.config.code)
        if len(archive.content) > _IN_A_FILE:
            raise CompileError(
                f"The code has {size_text(len(archive.content))} compressed, and {size_text(_IN_A_FILE)} may stand in a file",
                cure="`run-once --with-code` and `upload-pipeline --with-code` bring larger code to the cluster; or leave out "
                "what is no code with `code.exclude`",
            )
        commit = git_commit(prepared.project.path)
        code = TravellingCode(digest=archive.digest, content=archive.content, commit=commit)
        return prepare_read(prepared.facts, prepared.config, replace(request, code=code))

    def resumed(self, request: Request, target: Target, plan_of: Callable[[Request], Plan]) -> Request:
        """The request, with what is known of the run to go on from; without what is gone of it.

        Args:
            target: where the new run is to be.
            plan_of: the plan of a request.
        """
        if not self.resume:
            return request
        from kedro_kubeflow.targets.base.earlier import earlier_run, with_what_is_there

        run_id = _run_to_go_on_from(self.resume, request, target)
        again, part = request.part.from_nodes, replace(request.part, from_nodes=())
        request = replace(request, part=part, earlier=earlier_run(target, run_id, trust=self.trust, again=again))
        return with_what_is_there(target, request, plan_of)

    def _built(self, prepared: Prepared, request: Request) -> str:
        from kedro_kubeflow.image.build import build_image

        travels = prepared.config.run_config.travels(self.with_code)
        done = build_image(prepared.project.path, prepared.config, image=request.image, travels=travels)
        click.echo(f"{done.tag}: {'built and pushed' if done.built else 'the registry has it already'}", err=True)
        return done.image


def _run_to_go_on_from(asked: str, request: Request, target: Target) -> str:
    from kedro_kubeflow.errors import ConfigError
    from kedro_kubeflow.plan.selection import selected
    from kedro_kubeflow.targets.base.registry import LATEST, owner_of

    if asked == LATEST:
        return target.latest(selected(request, target.config.jobs).display_name).id
    owner = owner_of(target.project, asked)
    if owner is not None and owner.name != target.name:
        raise ConfigError(
            f"The run {asked} is one of {owner.display_name}, and {target.display_name} does not find there what it has made",
            where="--resume",
            cure=f"go on from it with --target {owner.name}, or name a run of {target.display_name}",
        )
    return target.run_id(asked)


def _say_going_on(run: str, plan: Plan) -> None:
    taken, left = len(plan.taken_over), len(plan.steps)
    click.echo(f"Going on from {run}: {taken} step{'s' * (taken != 1)} taken over, {left} to run", err=True)


def _say_of_images(prepared: Prepared) -> None:
    """Whether the images suit the code that goes along, as far as their tags say it."""
    from kedro_kubeflow.image.tag import built_with_others

    images = (task.image for task in prepared.plan.tasks if task.call)
    for what in built_with_others(prepared.project.path, images, prepared.config.image):
        click.echo(f"{what}; --build builds it anew", err=True)


def _with_code(request: Request, prepared: Prepared, target: Target) -> Request:
    from kedro_kubeflow.targets.base.travel import send_code

    sent = send_code(target, prepared)
    click.echo(sent.said, err=True)
    return replace(request, code=sent.code)
