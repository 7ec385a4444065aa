"""What each step and each of the plugin's own tasks is given, from ``run_config``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.config.retry import RetryPolicyConfig
from kedro_kubeflow.config.run_config import RunConfig
from kedro_kubeflow.config.selectors import DEFAULT, Known
from kedro_kubeflow.config.settings import Settings, StepSettings, selectors_of
from kedro_kubeflow.errors import ConfigError, KedroKubeflowError
from kedro_kubeflow.plan.cache import cache_key, is_mutable
from kedro_kubeflow.plan.exit import AtExit, notification_secrets
from kedro_kubeflow.plan.grouping import Fits
from kedro_kubeflow.plan.grouping_rule import GroupingRule
from kedro_kubeflow.plan.nodes import NodeFacts, node_facts
from kedro_kubeflow.plan.steps import Step

_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)$", re.IGNORECASE)


def settings_of(
    run: RunConfig,
    steps: Sequence[Step],
    registered: Mapping[str, Any],
    *,
    image: str | None = None,
    at_exit: AtExit | None = None,
    exit_task: str | None = None,
    rule: GroupingRule | None = None,
) -> dict[str, StepSettings]:
    """By display name: what each step and each of the plugin's own tasks is given.

    Args:
        registered: every pipeline of the project: selectors may name what is not part of this one.
        image: in place of ``run_config.image``.
        at_exit: what is done at the end of the run; its step's nodes have settings too.
        exit_task: the name of the task that does it.
        rule: what groups are made by.

    Raises:
        ConfigError: a selector fits nothing, or settings contradict each other.
    """
    known = Known.of(_nodes(registered), groups=[step.display_name for step in steps], tasks=names.TASKS)
    if any(not known.fits(selector) for selector in selectors_of(run)):
        known |= Known(groups=frozenset(_other_groups(registered, rule)))
    settings = Settings(run, known, image=image)
    found = {name: settings.of_task(name) for name in names.TASKS}
    if exit_task:
        found[exit_task] = _of_exit_task(run, settings, exit_task, at_exit)
    found |= {step.display_name: settings.of(step) for step in steps}
    _check_cache(run, steps, found)
    return found


def fits_of(run: RunConfig, nodes: Sequence[NodeFacts], *, image: str | None = None) -> Fits:
    """Whether two nodes may share a step: as each would be given the same in a step of its own.

    Args:
        image: in place of ``run_config.image``.
    """
    by_name = {node.name: node for node in nodes}
    given: dict[str, StepSettings] = {}

    @cache
    def settings() -> Settings:
        # Selectors may name groups that are yet to be made; whether all fit something is looked at when they are there.
        selectors = selectors_of(run)
        groups = {s.removeprefix("group:") for s in selectors}
        return Settings(run, Known.of(nodes, groups=groups, tasks=names.TASKS), image=image)

    def of(name: str) -> StepSettings:
        if name not in given:
            alone = Step(name=name, display_name=name, nodes=(by_name[name],))
            given[name] = replace(settings().of(alone), origins={})
        return given[name]

    return lambda one, other: of(one) == of(other)


def cache_keys(
    steps: Sequence[Step], settings: Mapping[str, StepSettings], values: Mapping[str, Any]
) -> dict[str, str]:
    """What the result of each cached step depends on beside its container and its inputs."""
    return {
        step.display_name: cache_key(
            settings[step.display_name], {name: values.get(name) for name in step.conf_parameters}
        )
        for step in steps
        if settings[step.display_name].cache
    }


def cache_warnings(steps: Iterable[Step], settings: Mapping[str, StepSettings]) -> tuple[str, ...]:
    """A warning for each image that cached steps have and that may change under its tag."""
    given = [settings[step.display_name] for step in steps]
    images = dict.fromkeys(one.image for one in given if one.cache and one.image and is_mutable(one.image))
    return tuple(
        f"Steps with the image {image!r} are cached, and what that tag means can change: a later run would take results of "
        "older code. Give it a tag of its own for each build, or a digest"
        for image in images
    )


def plain_text_warnings(settings: Mapping[str, StepSettings]) -> tuple[str, ...]:
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


def _of_exit_task(run: RunConfig, settings: Settings, name: str, at_exit: AtExit | None) -> StepSettings:
    """What the task at the end is given; it does the exit pipeline's work, and is not cached."""
    given = settings.of_task(name)
    if at_exit and at_exit.step:
        given = replace(settings.of(replace(at_exit.step, name=name, display_name=name)), cache=False)
    if at_exit and _retried_by_default(given):
        # A second attempt would run the exit pipeline and send every message again.
        given = replace(given, retry=RetryPolicyConfig())
    secrets = notification_secrets(run.notifications)
    return replace(given, env={**given.env, **secrets}) if secrets else given


def _retried_by_default(given: StepSettings) -> bool:
    return {selector for key, selector in given.origins.items() if key.startswith("retry_policy")} == {DEFAULT}


def _nodes(registered: Mapping[str, Any]) -> Iterable[Any]:
    return {node.name: node for pipeline in registered.values() for node in pipeline.nodes}.values()


def _other_groups(registered: Mapping[str, Any], rule: GroupingRule | None) -> Iterator[str]:
    """The names that groups of the project's other pipelines have, as far as they can be told."""
    for pipeline in registered.values():
        # A pipeline that cannot be grouped alone is not what is compiled here.
        with suppress(KedroKubeflowError):
            yield from (group.name for group in rule.groups(node_facts(pipeline))) if rule else ()


def _check_cache(run: RunConfig, steps: Sequence[Step], settings: Mapping[str, StepSettings]) -> None:
    if run.volume is None:
        return
    for step in steps:
        if step.volume and settings[step.display_name].cache:
            raise ConfigError(
                f"The step {step.display_name!r} is cached and keeps files on the run's volume, which is another one in each "
                "run: a result from the cache would leave them out",
                where="kubeflow.yml, run_config.cache and run_config.volume",
                cure="switch the cache off for this step, or do without `volume`",
            )
