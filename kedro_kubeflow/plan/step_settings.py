"""What each step and each of the plugin's own tasks is given, from ``run_config``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.config.environment import SecretKey
from kedro_kubeflow.config.retry import RetryPolicyConfig
from kedro_kubeflow.config.run_config import RunConfig
from kedro_kubeflow.config.selectors import DEFAULT, Known
from kedro_kubeflow.config.settings import Settings, StepSettings, selectors_of
from kedro_kubeflow.errors import ConfigError, KedroKubeflowError
from kedro_kubeflow.plan.cache import cache_key, is_mutable
from kedro_kubeflow.plan.dag import Dag, Step, node_facts
from kedro_kubeflow.plan.frame import Exit
from kedro_kubeflow.plan.groups import groups_of
from kedro_kubeflow.plan.handoff import Handoff

_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)$", re.IGNORECASE)


def settings_of(
    run: RunConfig,
    dag: Dag,
    registered: Mapping[str, Any],
    *,
    image: str | None = None,
    leaving: Exit | None = None,
    exit_task: str | None = None,
    exit_env: Mapping[str, SecretKey] | None = None,
    handoffs: Mapping[str, Handoff] | None = None,
) -> dict[str, StepSettings]:
    """By title: what each step and each of the plugin's own tasks is given.

    Args:
        registered: every pipeline of the project: selectors may name what is not part of this one.
        image: in place of ``run_config.image``.
        leaving: what is done at the end of the run; its step's nodes have settings too.
        exit_task: the name of the task that does it.
        exit_env: what that task needs beside.

    Raises:
        ConfigError: a selector fits nothing, or settings contradict each other.
    """
    known = Known.of(_nodes(registered), groups=[step.title for step in dag.steps], tasks=names.TASKS)
    if any(not known.fits(selector) for selector in selectors_of(run)):
        known |= Known(groups=frozenset(_other_groups(run, registered, handoffs or {})))
    settings = Settings(run, known, image=image)
    found = {name: settings.of_task(name) for name in names.TASKS}
    if exit_task and leaving and leaving.step:
        found[exit_task] = replace(settings.of(_titled(exit_task, leaving.step)), cache=False)
    if exit_task and leaving and _retried_by_default(found[exit_task]):
        # A second attempt would run the exit pipeline and send every message again.
        found[exit_task] = replace(found[exit_task], retry=RetryPolicyConfig())
    if exit_task and exit_env:
        found[exit_task] = replace(found[exit_task], env={**found[exit_task].env, **exit_env})
    found |= {step.title: settings.of(step) for step in dag.steps}
    _check_cache(run, dag, found)
    return found


def cache_keys(dag: Dag, settings: Mapping[str, StepSettings], values: Mapping[str, Any]) -> dict[str, str]:
    """What the result of each cached step depends on beside its container and its inputs."""
    return {
        step.title: cache_key(settings[step.title], {name: values.get(name) for name in step.kept})
        for step in dag.steps
        if settings[step.title].cache
    }


def cache_notes(dag: Dag, settings: Mapping[str, StepSettings]) -> tuple[str, ...]:
    """A warning for each image that cached steps have and that may change under its tag."""
    cached = [step.title for step in dag.steps if settings[step.title].cache]
    images = dict.fromkeys(image for title in cached if (image := settings[title].image) and is_mutable(image))
    return tuple(
        f"Steps with the image {image!r} are cached, and what that tag means can change: a later run would take results of "
        "older code. Give it a tag of its own for each build, or a digest"
        for image in images
    )


def plain_text_notes(settings: Mapping[str, StepSettings]) -> tuple[str, ...]:
    """A word on each variable that is called like a secret and stands in the spec as plain text; its value is not said."""
    named = sorted(
        {
            name
            for given in settings.values()
            for name, value in given.env.items()
            if isinstance(value, str) and value and _SECRET_NAME.search(name)
        }
    )
    return tuple(
        f"The value of the environment variable {name} stands in the compiled pipeline for everybody to read. If it is secret, "
        f"refer to it: {name}: {{secret: NAME, key: KEY}}"
        for name in named
    )


def _retried_by_default(given: StepSettings) -> bool:
    return {selector for key, selector in given.origins.items() if key.startswith("retry_policy")} == {DEFAULT}


def _titled(title: str, step: Step) -> Step:
    return replace(step, name=title, title=title)


def _nodes(registered: Mapping[str, Any]) -> Iterable[Any]:
    return {node.name: node for pipeline in registered.values() for node in pipeline.nodes}.values()


def _other_groups(run: RunConfig, registered: Mapping[str, Any], handoffs: Mapping[str, Handoff]) -> Iterator[str]:
    """The titles that groups of the project's other pipelines have, as far as they can be told."""
    for pipeline in registered.values():
        # A pipeline that cannot be grouped alone is not what is compiled here.
        with suppress(KedroKubeflowError):
            yield from (group.title for group in groups_of(run.grouping, node_facts(pipeline), handoffs, registered))


def _check_cache(run: RunConfig, dag: Dag, settings: Mapping[str, StepSettings]) -> None:
    if run.volume is None:
        return
    for step in dag.steps:
        if step.volume and settings[step.title].cache:
            raise ConfigError(
                f"The step {step.title!r} is cached and keeps files on the run's volume, which is another one in each run: "
                "a result from the cache would leave them out",
                where="kubeflow.yml, run_config.cache and run_config.volume",
                cure="switch the cache off for this step, or do without `volume`",
            )
