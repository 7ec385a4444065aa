"""Open a Kedro project, in a project folder or as a package, without loading a context.

A Kedro *context* runs every plugin's hooks; kedro-mlflow's talk to the tracking server, and a dead one hangs them for
minutes. What compiling needs comes from the config loader and the registered pipelines alone
(https://docs.kedro.org/en/stable/api/framework/kedro.framework.startup/).
"""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kedro_kubeflow.errors import ProjectError, did_you_mean
from kedro_kubeflow.project.conf import LEFT_TO_THE_RUN
from kedro_kubeflow.project.imports import import_failures, noting_import_failures
from kedro_kubeflow.project.partial import resolvers_may_fail


@dataclass(frozen=True)
class OpenProject:
    """A project that Kedro has been configured for; there is one in a process.

    Attributes:
        path: the project folder; the working directory for a packaged project.
        package: the Python package.
        name: what people call it.
        env: the configuration environment, None for the project's default.
        conf_source: where the configuration lies: a folder, an archive or a URL.
        runtime_params: what a run was given, nested, in place of what the configuration says.
        asked_env: the environment that was asked for; None where it was left to the project.
        in_pod: whether this is a step: there all that resolvers give must be known.
    """

    path: Path
    package: str
    name: str
    env: str | None
    conf_source: str
    runtime_params: Mapping[str, Any] = field(default_factory=dict)
    asked_env: str | None = None
    in_pod: bool = False

    @property
    def said_env(self) -> str | None:
        """The environment by its name, also where it is the default one: a pod may have another default."""
        from kedro.framework.project import settings

        return self.env or str(settings.CONFIG_LOADER_ARGS.get("default_run_env") or "") or None

    @property
    def base_env(self) -> str:
        """The name of the environment that all others build on."""
        from kedro.framework.project import settings

        return str(settings.CONFIG_LOADER_ARGS.get("base_env") or "base")

    @property
    def base(self) -> OpenProject | None:
        """The project in its base environment alone, as images hold it; None where conf/local is not read."""
        from kedro.framework.project import settings

        base = settings.CONFIG_LOADER_ARGS.get("base_env")
        return replace(self, env=str(base)) if base and self.said_env == "local" else None

    @property
    def source(self) -> Path:
        """The folder of the project's code: what holds its package, or the package alone where that is the project folder."""
        import importlib.util

        found = importlib.util.find_spec(self.package)
        package = Path(found.origin).parent if found and found.origin else self.path / "src" / self.package
        return package if package.parent == self.path else package.parent

    def config_loader(self, runtime_params: Mapping[str, Any] | None = None) -> Any:
        """A config loader as a session would make it, with kubeflow*.yml found in every environment.

        Args:
            runtime_params: in place of the project's own.

        Raises:
            ProjectError: the configuration source cannot be opened.
        """
        from kedro.framework.project import settings

        # Kedro reads globals.yml at once.
        left: list[str] = []
        known = nullcontext() if self.in_pod else resolvers_may_fail("globals", left)
        with _conf_errors(self.conf_source), known:
            loader = settings.CONFIG_LOADER_CLASS(
                conf_source=self.conf_source,
                env=self.env,
                runtime_params=dict(self.runtime_params if runtime_params is None else runtime_params),
                **settings.CONFIG_LOADER_ARGS,
            )
        register_patterns(loader)
        setattr(loader, LEFT_TO_THE_RUN, None if self.in_pod else left)
        return loader


def register_patterns(loader: Any) -> None:
    """Let a config loader find kubeflow*.yml, environments merged key by key.

    Kedro's default merge is by top-level key: an environment that sets ``run_config.image`` would lose the rest of
    ``run_config``. A project that sets another pattern or strategy in settings.py keeps its own.
    """
    if hasattr(loader, "config_patterns"):
        loader.config_patterns.setdefault("kubeflow", ["kubeflow*", "kubeflow*/**", "**/kubeflow*"])
    if hasattr(loader, "merge_strategy"):
        loader.merge_strategy.setdefault("kubeflow", "soft")


def open_project(
    path: Path | None = None,
    *,
    env: str | None = None,
    package: str | None = None,
    conf_source: str | None = None,
    in_pod: bool = False,
) -> OpenProject:
    """Configure Kedro for a project.

    Args:
        path: a folder in the project; the working directory where it is not given.
        env: the configuration environment; ``KEDRO_ENV`` where it is not given. Where the one that Kedro takes by itself has no
            folder, as in most images, it is the base environment.
        package: a packaged project's import name, for places without a project folder.
        conf_source: where its configuration lies; the project's own ``conf`` where it is not given.
        in_pod: whether this is a step, in an image: there other things are to be done where there is no project.

    Raises:
        ProjectError: there is no project, or it does not import.
    """
    env = env or os.environ.get("KEDRO_ENV") or None
    with nullcontext() if in_pod else printing_aside():
        if package:
            return replace(_open_package(package, env, conf_source), in_pod=in_pod)
        return _open_folder((path or Path.cwd()).resolve(), env, conf_source, in_pod=in_pod)


def _open_folder(start: Path, env: str | None, conf_source: str | None, *, in_pod: bool) -> OpenProject:
    from kedro.framework.project import settings, validate_settings
    from kedro.framework.startup import bootstrap_project
    from kedro.utils import find_kedro_project

    root = find_kedro_project(start)
    if root is None:
        raise ProjectError(
            f"{start} is not inside a Kedro project: no pyproject.toml with a [tool.kedro] section here or above",
            cure="let the image's working folder (WORKDIR) be the project's, with its pyproject.toml copied there; for a "
            "packaged project set run_config.packaged in kubeflow.yml"
            if in_pod
            else "change into the project's folder, or make one with `kedro new`",
        )
    with import_errors(f"{root}"), _cheap_search_for_the_caller():
        metadata = bootstrap_project(root)
        # As a session does: without it, settings that do not import count as none.
        validate_settings()
        source = conf_source or str(root / settings.CONF_SOURCE)
        found = _existing_env(env, source, settings.CONFIG_LOADER_ARGS)
    return OpenProject(root, metadata.package_name, metadata.project_name, found, source, asked_env=env, in_pod=in_pod)


def _open_package(package: str, env: str | None, conf_source: str | None) -> OpenProject:
    from kedro.framework.project import configure_project, settings, validate_settings

    with import_errors(f"package {package}"), _cheap_search_for_the_caller():
        configure_project(package)
        validate_settings()
        source = conf_source or str(Path.cwd() / settings.CONF_SOURCE)
        found = _existing_env(env, source, settings.CONFIG_LOADER_ARGS)
    return OpenProject(Path.cwd(), package, package, found, source, asked_env=env)


@contextmanager
def _cheap_search_for_the_caller() -> Iterator[None]:
    """Spare what takes longest in configuring Kedro where many modules are loaded.

    Dynaconf, which reads settings.py, asks for the file names of its callers, by ``inspect.stack``: that reads the source of each
    of them and resolves the path of every module there is.
    """
    places = [sys.modules.get(f"dynaconf.{name}") for name in ("utils.files", "loaders.py_loader")]
    known = [place for place in places if getattr(place, "inspect", None) is inspect]
    for place in known:
        place.inspect = SimpleNamespace(stack=_callers)  # type: ignore[union-attr]
    try:
        yield
    finally:
        for place in known:
            place.inspect = inspect  # type: ignore[union-attr]


def _callers() -> list[Any]:
    frame, found = inspect.currentframe(), []
    while frame is not None:
        found.append(SimpleNamespace(filename=frame.f_code.co_filename))
        frame = frame.f_back
    return found


def _existing_env(env: str | None, conf_source: str, loader_args: Mapping[str, Any]) -> str | None:
    """The environment; the base one where Kedro's default has no folder, as in most images."""
    source, default = Path(conf_source), str(loader_args.get("default_run_env") or "")
    if default and env in (None, default) and source.is_dir() and not (source / default).is_dir():
        return str(loader_args.get("base_env") or "") or None
    return env


@contextmanager
def printing_aside() -> Iterator[None]:
    """Let what a project prints while it is imported or read go to standard error: a script reads standard output."""
    with redirect_stdout(sys.stderr):
        yield


@contextmanager
def import_errors(where: str) -> Iterator[None]:
    """Turn what a project's own code raises into an error that names the place in that code."""
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit, ProjectError):
        raise
    except (Exception, SystemExit) as error:
        first = _first_cause(error)
        raise ProjectError(
            f"The project does not import: {type(first).__name__}: {first}",
            where=own_line(first) or own_line(error) or where,
            cure="mend it there; `kedro registry list` imports the same code",
        ) from error


def _first_cause(error: BaseException) -> BaseException:
    """What a pipeline's module raised, where Kedro only says that it does not import."""
    while error.__cause__ is not None and "An error occurred while importing" in str(error):
        error = error.__cause__
    return error


def own_line(error: BaseException) -> str | None:
    """The innermost frame outside of installed packages: most often the user's own line; None where there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    installed = tuple({str(Path(p).resolve()) for p in (sys.prefix, sys.base_prefix)})
    own = [f for f in frames if "site-packages" not in f.filename and not f.filename.startswith(("<", *installed))]
    ours = str(Path(__file__).parents[1])
    own = [f for f in own if not f.filename.startswith(ours)]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    return f"{own[-1].filename}, line {own[-1].lineno}, in {own[-1].name}" if own else None


def last_line(error: BaseException) -> str | None:
    """The innermost frame of all, also in an installed package."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else None


@contextmanager
def _conf_errors(conf_source: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise ProjectError(f"The configuration cannot be read: {error}", where=conf_source) from error


def registered_pipelines(project: OpenProject) -> dict[str, Any]:
    """Every registered pipeline by name.

    Raises:
        ProjectError: the project's code does not import.
    """
    from kedro.framework.project import pipelines

    with import_errors(str(project.path)), noting_import_failures(), printing_aside():
        return dict(pipelines)


def find_pipeline(name: str, registered: Mapping[str, Any]) -> Any:
    """One pipeline.

    Raises:
        ProjectError: none is called so; the nearest names are said, or why its module was left out.
    """
    if name not in registered:
        for failure in import_failures():
            if failure.pipeline == name:
                raise ProjectError(
                    f"The project has no pipeline {name!r}, as {failure.said}: {failure.reason}",
                    where=failure.where,
                    cure="install what is missing, or mend it there",
                )
        raise ProjectError(
            f"The project has no pipeline {name!r}. {did_you_mean(name, registered)}",
            cure="`kedro registry list` shows all of them",
        )
    return registered[name]
