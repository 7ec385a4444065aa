"""The hooks that every session of a project with this plugin has; thin, and cheap to import.

Kedro's hook specifications: https://docs.kedro.org/en/stable/extend/hooks/introduction/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.framework.hooks import hook_impl

from kedro_kubeflow.project.opening import register_patterns

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext


class KubeflowHooks:
    """Let every session find kubeflow.yml, as ``context.config_loader["kubeflow"]``."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Register the file's pattern with the context's config loader."""
        register_patterns(context.config_loader)


hooks = KubeflowHooks()
