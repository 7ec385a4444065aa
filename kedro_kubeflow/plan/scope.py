"""What runs in pods: the selected nodes and those of the exit pipeline, and how each of their datasets travels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.entries import local_path
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.plan.aliases import with_aliases, written_elsewhere
from kedro_kubeflow.plan.exit import ExitPipeline, exit_nodes
from kedro_kubeflow.plan.handoff import Handoff, handoff, plain_filename
from kedro_kubeflow.plan.nodes import NodeFacts, base_name, is_parameter, node_facts
from kedro_kubeflow.plan.selection import Selection, selected
from kedro_kubeflow.plan.slicing import select
from kedro_kubeflow.plan.tracking import is_tracked
from kedro_kubeflow.project.catalog import Entry
from kedro_kubeflow.project.facts import Facts
from kedro_kubeflow.project.partial import UNKNOWN
from kedro_kubeflow.project.resolvers import resolved_entries
from kedro_kubeflow.request import Request


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What runs.

    Attributes:
        selection: what was asked for.
        nodes: what is selected, in an order in which it can run.
        entries: the catalog entry of each dataset of theirs.
        tracking: whether there is an MLflow run.
        resolved: the datasets whose catalog entry a resolver gives a part of.
        exit_pipeline: what runs at the end; None where nothing does.
        volume: the project's folder that stands on the run's volume; None where there is no volume.
        stored: whether what steps write there is stored as artifacts too.
        catalog_names: dataset whose name `with_aliases` has made of two → the one that the catalog knows.
    """

    selection: Selection
    nodes: Sequence[NodeFacts]
    entries: Mapping[str, Entry]
    tracking: bool
    resolved: frozenset[str] = frozenset()
    exit_pipeline: ExitPipeline | None = None
    volume: str | None = None
    stored: bool = True
    catalog_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def every_node(self) -> list[NodeFacts]:
        """Every node that runs in a pod."""
        return [*self.nodes, *(self.exit_pipeline.nodes if self.exit_pipeline else ())]

    @cached_property
    def every_entry(self) -> Mapping[str, Entry]:
        """The catalog entry of every dataset that a pod uses."""
        return {**(self.exit_pipeline.entries if self.exit_pipeline else {}), **self.entries}

    @cached_property
    def handoffs(self) -> Mapping[str, Handoff]:
        """How each dataset travels, those of the exit pipeline too.

        Raises:
            CompileError: an entry names an artifact type that KFP does not have.
        """
        return {name: self._handoff(name, entry) for name, entry in self.every_entry.items()}

    def _handoff(self, name: str, entry: Entry) -> Handoff:
        found = handoff(name, entry, volume=self.volume, stored=self.stored)
        if not (found.filename and name in self.resolved):
            return found
        # A name that a resolver gives belongs to the run: in the artifact the data goes by another.
        return replace(found, filename=plain_filename(name, found.filename))

    @cached_property
    def writers(self) -> Mapping[str, str]:
        """Dataset, by its base name → the node that makes it."""
        return {base_name(d): node.name for node in self.every_node for d in node.outputs}

    @cached_property
    def readers(self) -> Mapping[str, str]:
        """Dataset, by its base name → the first node that reads it."""
        return {base_name(d): node.name for node in reversed(self.every_node) for d in node.datasets}


def scope_of(facts: Facts, config: KubeflowConfig, request: Request) -> Scope:
    """Decide what runs.

    Raises:
        ProjectError: a pipeline or a node is not there, or nothing is left.
        ConfigError: there is no such job or exit pipeline, or the catalog cannot be read.
        DependencyError: an MLflow run is asked for, and MLflow is not installed.
    """
    chosen, run = selected(request, config.jobs), config.run_config
    nodes = node_facts(select(chosen.pipelines, chosen.part, facts.pipelines), facts.pipelines)
    tracking = any(is_tracked(facts.mlflow, name, enabled=run.mlflow.enabled) for name in chosen.pipelines)
    exit_pipeline = _exit_pipeline(facts, config, tracking)
    entries = facts.catalog.of(_datasets(nodes))
    at_exit = exit_pipeline.entries if exit_pipeline else {}
    found = Scope(
        selection=chosen,
        nodes=nodes,
        entries=entries,
        tracking=tracking,
        resolved=resolved_entries(facts.marked, {**at_exit, **entries}),
        exit_pipeline=exit_pipeline,
        volume=run.volume.folder if run.volume else None,
        stored=run.store_kedro_outputs_as_kfp_artifacts,
    )
    _check_places_known(found)
    return _one_name_a_file(found, facts.project.path.as_posix())


def _check_places_known(scope: Scope) -> None:
    """Refuse to guess where data that is written lies, in the project or elsewhere.

    Raises:
        ConfigError: it depends on what a resolver cannot give here.
    """
    for name, node in scope.writers.items():
        written = [entry for used, entry in scope.every_entry.items() if base_name(used) == name]
        if any(entry and (local_path(entry) or "").startswith(UNKNOWN) for entry in written):
            raise ConfigError(
                f"Where {name!r} lies, which {node!r} writes, cannot be told here: a resolver that fails begins its path",
                where="conf, catalog*.yml",
                cure="let the resolver give something of the same kind here, as by setting the variable that ${oc.env:…} reads; "
                "or write what is known, such as s3://, in the entry itself",
            )


def _one_name_a_file(scope: Scope, root: str) -> Scope:
    """The scope with one dataset for each file that is written under one name and read under another."""
    every = with_aliases(scope.every_node, scope.handoffs, root)
    if every == scope.every_node:
        return scope
    nodes, last = every[: len(scope.nodes)], every[len(scope.nodes) :]
    own = _named_in_catalog(nodes, scope.entries)
    found = replace(
        scope,
        nodes=nodes,
        entries={d: scope.entries[name] for d, name in own.items()},
        resolved=scope.resolved | {d for d, name in own.items() if name in scope.resolved},
        catalog_names=own,
    )
    if scope.exit_pipeline is None:
        return found
    at_exit = _beginning_anew(last, {base_name(d) for node in nodes for d in node.outputs})
    known = scope.exit_pipeline.entries
    theirs = _named_in_catalog(at_exit, known)
    exit_pipeline = replace(scope.exit_pipeline, nodes=at_exit, entries={d: known[name] for d, name in theirs.items()})
    return replace(found, exit_pipeline=exit_pipeline, catalog_names={**theirs, **own})


def _named_in_catalog(nodes: Iterable[NodeFacts], entries: Mapping[str, Entry]) -> dict[str, str]:
    """Dataset of some nodes → its name in the catalog, also where `with_aliases` has made a name of two."""
    return {d: d if d in entries else written_elsewhere(d) for d in _datasets(nodes)}


def _beginning_anew(nodes: Iterable[NodeFacts], made: Collection[str]) -> list[NodeFacts]:
    """The exit pipeline's nodes: where they write to what a step has made, they are not given it, as an exit task is not."""
    done = []
    for node in nodes:
        given = {f"{old}@{base_name(new)}" for new, old in node.begins if old in made}
        begins = tuple((new, old) for new, old in node.begins if old not in made)
        done.append(replace(node, inputs=tuple(d for d in node.inputs if d not in given), begins=begins))
    return done


def _datasets(nodes: Iterable[NodeFacts]) -> list[str]:
    return [d for node in nodes for d in (*node.inputs, *node.outputs, *node.confirms) if not is_parameter(d)]


def _exit_pipeline(facts: Facts, config: KubeflowConfig, tracking: bool) -> ExitPipeline | None:
    name = config.run_config.on_exit_pipeline
    if not name:
        return None
    found = ExitPipeline(name=name, nodes=exit_nodes(name, facts.pipelines))
    tracked = tracking and is_tracked(facts.mlflow, name, enabled=config.run_config.mlflow.enabled)
    return replace(found, entries=facts.catalog.of(found.datasets), tracked=tracked)
