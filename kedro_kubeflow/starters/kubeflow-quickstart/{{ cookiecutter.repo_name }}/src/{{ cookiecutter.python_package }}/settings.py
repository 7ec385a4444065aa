"""Project settings. Kedro's defaults serve; see
https://docs.kedro.org/en/stable/configure/configuration_basics/ for what can be set here.

The hooks and commands of kedro-kubeflow and kedro-mlflow are found by themselves, they need no entry in this file.
"""

# Instantiated project hooks, called last in, first out.
# from .hooks import ProjectHooks
# HOOKS = (ProjectHooks(),)

# Installed plugins whose hooks are not wanted.
# DISABLE_HOOKS_FOR_PLUGINS = ("kedro-viz",)

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
}
