"""Configuration that is here and not in the pods: conf/local, credentials, environment variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.interpolation import variables_in
from kedro_kubeflow.project.dockerignore import DockerIgnore
from kedro_kubeflow.project.image_files import ImageFiles


def configuration_findings(subject: Subject) -> Iterator[Finding]:
    """What steps would miss of the configuration that was read here."""
    conf = Path(subject.facts.project.conf_source)
    if not conf.is_dir():
        return
    ignore = DockerIgnore.read(subject.facts.project.path)
    # conf/local is not in images.
    envs = dict.fromkeys([subject.facts.project.base_env, subject.facts.project.said_env])
    folders = [conf / env for env in envs if env not in (None, "local")]
    in_image = [f for folder in folders for f in _yaml_files(folder) if not _ignored(f, subject, ignore)]
    if subject.facts.project.said_env == "local":
        yield from _local(conf, subject, ignore)
    yield from _log_files(conf, subject)
    yield from _credentials(in_image, subject)
    yield from _variables(in_image, subject)


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*.y*ml") if file.is_file())


def _ignored(file: Path, subject: Subject, ignore: DockerIgnore) -> bool:
    inside = file.is_relative_to(subject.facts.project.path)
    return inside and ignore.excludes(file.relative_to(subject.facts.project.path).as_posix()) is not None


def _local(conf: Path, subject: Subject, ignore: DockerIgnore) -> Iterator[Finding]:
    """conf/local was read to compile, and most images do not hold it."""
    private = re.compile(r"(credentials|kubeflow|logging)")
    here = [file for file in _yaml_files(conf / "local") if not private.match(file.name)]
    if here:
        kept_out = all(_ignored(file, subject, ignore) for file in here)
        yield Finding(
            "conf-local",
            "warning" if kept_out else "info",
            f"{', '.join(str(f.relative_to(conf.parent)) for f in here)} was read to compile, and steps do not see it"
            + ("" if kept_out else " unless the image holds it"),
            str(conf / "local"),
            "move what steps need to conf/base, or to an environment that is named with --env",
        )
    else:
        text = "Images as a rule do not hold conf/local; steps then use conf/base alone"
        yield Finding("conf-local", "info", text, str(conf / "local"))


def _log_files(conf: Path, subject: Subject) -> Iterator[Finding]:
    """Files that the project's logging writes, in folders that the image does not hold: Kedro itself would not start."""
    file = conf / "logging.yml"
    try:
        handlers = (yaml.safe_load(file.read_text("utf-8")) or {}).get("handlers") or {}
    except (OSError, yaml.YAMLError, AttributeError):
        return  # There is none, or Kedro has said what is wrong with it.
    folders: set[str] | None = None
    for name, handler in handlers.items():
        target = PurePosixPath(str((handler or {}).get("filename") or ""))
        if target.name and not target.is_absolute() and target.parent != PurePosixPath("."):
            folders = _held_folders(subject) if folders is None else folders
            if target.parent.as_posix() not in folders:
                yield Finding(
                    "log-folder",
                    "error",
                    f"The log handler {name!r} writes {target}, and the image will not hold the folder {target.parent}: no step "
                    "starts",
                    f"conf/logging.yml, handlers.{name}.filename",
                    f"keep a file in it that git and Docker take ({target.parent}/.gitkeep), or log to the console alone",
                )


def _held_folders(subject: Subject) -> set[str]:
    names = map(PurePosixPath, ImageFiles(subject.facts.project.path, left_out=()).names())
    return {parent.as_posix() for name in names for parent in name.parents}


def _credentials(in_image: list[Path], subject: Subject) -> Iterator[Finding]:
    """Credentials that catalog entries name, and that no file in the image nor a provider gives."""
    if subject.config.run_config.dynamic_config_providers:
        return
    known = {key for file in in_image if file.name.startswith("credentials") for key in _top_level(file)}
    users: dict[str, list[str]] = {}
    for dataset, entry in subject.scope.every_entry.items():
        for name in _named_credentials(entry or {}):
            users.setdefault(name, []).append(dataset)
    for name, datasets in sorted(users.items()):
        if name not in known:
            yield Finding(
                "credentials-not-in-image",
                "warning",
                f"The credentials {name!r} of {', '.join(map(repr, datasets))} are in no file that the image holds",
                f"catalog, {', '.join(datasets)}",
                "write them to conf/base/credentials.yml as ${oc.env:VARIABLE}, and give the variable to the steps from a "
                "Kubernetes secret (run_config.env); or name a provider in run_config.dynamic_config_providers",
            )


def _named_credentials(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "credentials" and isinstance(item, str):
                yield item
            else:
                yield from _named_credentials(item)


def _top_level(file: Path) -> set[str]:
    try:
        values = yaml.safe_load(file.read_text("utf-8"))
    except yaml.YAMLError:
        return set()
    return {str(key) for key in values} if isinstance(values, Mapping) else set()


def _variables(in_image: list[Path], subject: Subject) -> Iterator[Finding]:
    """Variables that the configuration needs and no step is given; kubeflow.yml itself is read when compiling."""
    given = {name for variables in subject.config.run_config.env.values() for name in variables or {}}
    for file in in_image:
        if file.name.startswith("kubeflow"):
            continue
        for name in sorted(set(variables_in(file.read_text("utf-8", errors="replace"))) - given):
            yield Finding(
                "variable-not-given",
                "warning",
                f"The configuration needs the environment variable {name}, which no step is given",
                str(
                    file.relative_to(subject.facts.project.path)
                    if file.is_relative_to(subject.facts.project.path)
                    else file
                ),
                f"name it in run_config.env, as in {name}: {{secret: NAME, key: KEY}}, unless the image sets it",
            )
