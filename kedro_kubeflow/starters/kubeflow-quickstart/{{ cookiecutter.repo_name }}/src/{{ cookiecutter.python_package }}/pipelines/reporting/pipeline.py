"""The reporting pipeline."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from ..data_science.pipeline import MODELS
from .nodes import compare_models, plot_measurements, plot_predictions


def create_pipeline(**kwargs) -> Pipeline:
    """Plot the data, and compare the models."""
    return Pipeline(
        [
            Node(
                func=plot_measurements,
                inputs="penguins",
                outputs="measurements_plot",
                name="plot_measurements",
            ),
            Node(
                func=compare_models,
                inputs={model: f"{model}_metrics" for model in MODELS},
                outputs=["model_comparison", "mlflow_metrics"],
                name="compare_models",
            ),
            Node(
                func=plot_predictions,
                inputs={model: f"{model}_predictions" for model in MODELS},
                outputs="predictions_plot",
                name="plot_predictions",
            ),
        ]
    )
