"""Read, plan, compile, adapt: a request → a compiled pipeline as its target takes it. Offline: no token, no cluster, no image."""

from __future__ import annotations

from kedro_kubeflow.check.stopping import stop_on_size, stop_on_wrong_values
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.compiler import CompiledPipeline, compile_plan
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.errors import ProjectError
from kedro_kubeflow.plan import Plan, make_plan
from kedro_kubeflow.prepared import Prepared
from kedro_kubeflow.project.facts import Facts, read_project
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.request import Request
from kedro_kubeflow.targets.base.known_times import with_times_of_mlflow
from kedro_kubeflow.targets.base.registry import target_class


def prepare(request: Request) -> Prepared:
    """Open the project, read its configuration, decide, compile.

    Raises:
        ProjectError: the project, the pipeline, a node or a parameter is not there.
        ConfigError: kubeflow.yml, the catalog or the parameters are wrong.
        CompileError: the pipeline cannot become a KFP pipeline.
    """
    return prepare_read(*read(request), request)


def read(request: Request) -> tuple[Facts, KubeflowConfig]:
    """The project, and where its grouping goes by time, what runs on the cluster have timed.

    Raises:
        ProjectError, ConfigError: as `prepare`.
    """
    facts, config = read_project(request)
    # A run on this machine asks nobody.
    return (facts if request.either_target else with_times_of_mlflow(facts, config)), config


def prepare_read(facts: Facts, config: KubeflowConfig, request: Request) -> Prepared:
    """The same, of a project that has been read already: for a request of the same project, target and parameters.

    Raises:
        ProjectError, ConfigError, CompileError: as `prepare`.
    """
    if request.strict:
        _refuse_what_is_left_out(facts)
    plan = make_plan(facts, config, request)
    stop_unless_forced(facts, config, request, plan)
    compiled = compile_for_target(plan, facts.project, config)
    return Prepared(facts=facts, config=config, plan=plan, compiled=compiled)


def stop_unless_forced(facts: Facts, config: KubeflowConfig, request: Request, plan: Plan) -> None:
    """Refuse what would not be seen in the run.

    Raises:
        CompileError: values would be wrong in silence, or Argo would give up in the middle.
    """
    if request.force:
        return
    stop_on_wrong_values(Subject(facts, config, plan.scope), plan)
    if not request.either_target:
        # On this machine nothing is kept by Argo.
        stop_on_size(plan)


def _refuse_what_is_left_out(facts: Facts) -> None:
    if failures := facts.import_failures:
        raise ProjectError(
            "\n".join(f"{one.said}: {one.reason}" for one in failures),
            where="; ".join(one.where for one in failures if one.where) or None,
            cure="install what is missing, mend it there, or go on without --strict: its pipeline is left out",
        )


def compile_for_target(plan: Plan, project: OpenProject, config: KubeflowConfig) -> CompiledPipeline:
    """The compiled pipeline as the plan's target takes it.

    Raises:
        ConfigError: it asks for something that the target does not have.
    """
    return target_class(plan.target)(project, config).adapt(compile_plan(plan))
