"""Nodes of the reporting pipeline.

The plotting libraries are imported by the functions that use them: on Kubeflow each node runs in a process of its own,
and the others need not wait for their imports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as PlotlyFigure

SPECIES_COLORS = {"Adelie": "darkorange", "Chinstrap": "mediumorchid", "Gentoo": "teal"}


def plot_measurements(penguins: pd.DataFrame) -> PlotlyFigure:
    """Plot body mass over flipper length, with a colour for each species.

    Args:
        penguins: The clean observations.

    Returns:
        An interactive scatter plot.
    """
    import plotly.express as px

    return px.scatter(
        penguins,
        x="flipper_length_mm",
        y="body_mass_g",
        color="species",
        symbol="sex",
        color_discrete_map=SPECIES_COLORS,
        hover_data=["island", "individual_id"],
        labels={"flipper_length_mm": "Flipper length (mm)", "body_mass_g": "Body mass (g)"},
        title="Penguins of the Palmer Archipelago",
    )


def compare_models(**metrics: dict[str, float]) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
    """Put the models' metrics side by side.

    Args:
        metrics: The metrics of each model, by the model's name.

    Returns:
        A table of the models, the best (by ``rmse``) first; and the same metrics as kedro-mlflow takes them.
    """
    comparison = pd.DataFrame(metrics).T.rename_axis("model").sort_values("rmse").reset_index()
    tracked = {
        f"{model}.{metric}": {"value": value, "step": 0}
        for model, values in metrics.items()
        for metric, value in values.items()
    }
    return comparison, tracked


def plot_predictions(**predictions: pd.DataFrame) -> Figure:
    """Plot predicted over true body mass, one panel for each model.

    Args:
        predictions: Each model's table of ``actual`` and ``predicted`` values, by the model's name.

    Returns:
        A figure; the closer the points are to its diagonal, the better the model.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * len(predictions), 4.5), layout="constrained")
    panels = figure.subplots(1, len(predictions), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (model, table) in zip(panels, predictions.items(), strict=True):
        axes.scatter(table["actual"], table["predicted"], color="teal", alpha=0.6, edgecolor="white")
        axes.axline((4000, 4000), slope=1, color="grey", linestyle="--", linewidth=1)
        axes.set_title(model.replace("_", " ").capitalize())
        axes.set_xlabel("Actual body mass (g)")
        axes.set_aspect("equal")
    panels[0].set_ylabel("Predicted body mass (g)")
    return figure
