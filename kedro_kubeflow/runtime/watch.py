"""The hooks of one step's session: set its catalog and parameters, and watch what its nodes do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from kedro_kubeflow.project.opening import register_patterns

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.pipeline.node import Node


class Watch:
    """What a step's session sees of the step, and what it tells back.

    Attributes:
        node: the node that ran last.
        saving: the dataset that is being saved.
        loading: the dataset that is being loaded.
    """

    def __init__(
        self,
        catalog: Mapping[str, Any],
        parameters: Mapping[str, Any],
        on_node: Callable[[str], None],
        on_saved: Callable[[str, Any], None],
    ) -> None:
        self._catalog, self._parameters = catalog, parameters
        self.on_node, self._on_saved = on_node, on_saved
        self.node: str | None = None
        self.saving: str | None = None
        self.loading: str | None = None

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Give the session the step's own catalog, before any plugin looks at it."""
        register_patterns(context.config_loader)
        context.config_loader["catalog"] = {name: dict(entry) for name, entry in self._catalog.items()}
        if self._parameters:
            # Whole values: Kedro's merge would bring back keys that the run's input left out.
            known = dict(context.config_loader["parameters"])
            context.config_loader["parameters"] = {**known, **self._parameters}

    @hook_impl(tryfirst=True)
    def before_node_run(self, node: Node) -> None:
        """Remember the node, and say that it starts."""
        self.node = node.name
        self.loading = None
        logging.getLogger(__name__).debug("Node %s starts", node.name)
        self.on_node(node.name)

    @hook_impl(tryfirst=True)
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """Remember which dataset is being loaded, for the error if that fails."""
        self.node, self.loading = node.name, dataset_name

    @hook_impl(tryfirst=True)
    def after_dataset_loaded(self) -> None:
        """The dataset was loaded."""
        self.loading = None

    @hook_impl(tryfirst=True)
    def before_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Remember which dataset is being saved, for the error if that fails."""
        self.node, self.saving = node.name, dataset_name

    @hook_impl(trylast=True)
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """The dataset was saved: its numbers or its picture can be taken."""
        self.saving = None
        self._on_saved(dataset_name, data)
