"""The hooks of one step's session: set its catalog and parameters, and watch what its nodes do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from kedro_kubeflow.entries import without_mark
from kedro_kubeflow.project.opening import register_patterns
from kedro_kubeflow.runtime.catalog import StepCatalog
from kedro_kubeflow.runtime.given import Given
from kedro_kubeflow.runtime.times import Times

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.pipeline.node import Node

_MARK = "kedro_kubeflow_place"


@dataclass(frozen=True)
class Place:
    """Where in a step something happens: at a node, and while one of its datasets is loaded or saved."""

    node: str | None = None
    loading: str | None = None
    saving: str | None = None


def mark(error: BaseException, place: Place) -> None:
    """Remember on an error where it was raised; the mark survives the way from another thread or process."""
    # Not by setattr, which an exception's class may refuse.
    error.__dict__[_MARK] = (place.node, place.loading, place.saving)


def let_give(loader: Any, sections: dict[str, Any]) -> None:
    """Let a config loader give these sections, and what later hooks put in their place.

    By its class, as one of the project's own may read its files each time, whatever it was given.
    """
    own = type(loader)

    def get(self: Any, key: str) -> Any:
        return sections[key] if key in sections else own.__getitem__(self, key)

    def put(self: Any, key: str, value: Any) -> None:
        own.__setitem__(self, key, value)
        if key in sections:
            sections[key] = value

    own_with = {"__getitem__": get, "__setitem__": put, "__module__": own.__module__}
    loader.__class__ = type(own.__name__, (own,), own_with)


class Watch:
    """What a step's session sees of the step, and what it tells back.

    Nodes may run in several threads; each thread has its own place.

    Attributes:
        on_node: is told each node that starts, in the thread in which it runs.
        around_start: is given Kedro's run parameters, and is entered while the hooks hear that the run starts.
        catalog: the session's catalog, once it is there.
        times: when the nodes did what.
    """

    def __init__(
        self,
        catalog: StepCatalog,
        given: Given,
        on_node: Callable[[str], None],
        on_saved: Callable[[str, Any, Any], None],
        *,
        without_mlflow: bool = False,
    ) -> None:
        self._catalog, self._given, self._without_mlflow = catalog, given, without_mlflow
        self.on_node, self._on_saved = on_node, on_saved
        self.around_start: Callable[[Mapping[str, Any]], AbstractContextManager[None]] = lambda _: nullcontext()
        self.catalog: Any = None
        self.times = Times()
        self._here = threading.local()

    @property
    def place(self) -> Place:
        """Where the calling thread is."""
        here: Place = getattr(self._here, "place", Place())
        return here

    def place_of(self, error: BaseException) -> Place:
        """Where an error was raised."""
        marked = getattr(error, _MARK, None)
        return Place(*marked) if marked else self.place

    def _go(self, node: str, *, loading: str | None = None, saving: str | None = None) -> None:
        self._here.place = Place(node, loading, saving)
        self.times.see(node)

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Give the session the step's own catalog, before any plugin looks at it."""
        loader = context.config_loader
        register_patterns(loader)
        given = {"catalog": {name: without_mark(entry) for name, entry in self._catalog.entries.items()}}
        if self._given.whole:
            given["parameters"] = self._given.settled(loader["parameters"])
        let_give(loader, given)

    @hook_impl(tryfirst=True)
    def after_catalog_created(self, catalog: Any) -> None:
        """Keep the catalog, and let those who go through all of it see the step's own datasets."""
        self.catalog = catalog
        if self._without_mlflow:
            for name in filter(self._is_of_kedro_mlflow, self._catalog.listed):
                # As kedro-mlflow's own hook does where tracking is switched off.
                catalog[name]._logging_activated = False
        if len(self._catalog.listed) < len(self._catalog.entries):
            others = self._catalog.entries.keys() - self._catalog.listed
            catalog.items = lambda: [(name, catalog[name]) for name in catalog.keys() if name not in others]  # noqa: SIM118
            catalog.values = lambda: [dataset for _, dataset in catalog.items()]

    def _is_of_kedro_mlflow(self, dataset: str) -> bool:
        kind = str(self._catalog.entries.get(dataset, {}).get("type", ""))
        return kind.rpartition(".")[2].startswith("Mlflow")

    @hook_impl(hookwrapper=True)
    def before_pipeline_run(self, run_params: dict[str, Any]) -> Iterator[None]:
        """Stand around the hooks that hear of the run's start."""
        with self.around_start(run_params):
            yield

    @hook_impl(tryfirst=True)
    def before_node_run(self, node: Node) -> None:
        """Remember the node, and say that it starts."""
        self._go(node.name)
        logging.getLogger(__name__).debug("Node %s starts", node.name)
        self.on_node(node.name)

    @hook_impl(trylast=True)
    def after_node_run(self, node: Node) -> None:
        """The node has run; what it gave is saved next."""
        self.times.see(node.name)

    @hook_impl(tryfirst=True)
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """Remember which dataset is being loaded, for the error if that fails."""
        self._go(node.name, loading=dataset_name)

    @hook_impl(tryfirst=True)
    def after_dataset_loaded(self, node: Node) -> None:
        """The dataset was loaded."""
        self._go(node.name)

    @hook_impl(tryfirst=True)
    def before_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Remember which dataset is being saved, for the error if that fails."""
        self._go(node.name, saving=dataset_name)

    @hook_impl(trylast=True)
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """The dataset was saved: its numbers or its picture can be taken."""
        self._go(node.name)
        self._on_saved(dataset_name, data, self.catalog)
