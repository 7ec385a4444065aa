"""The data processing pipeline."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import clean_penguins, create_model_input


def create_pipeline(**kwargs) -> Pipeline:
    """Clean the raw data and build the model input table."""
    return Pipeline(
        [
            Node(
                func=clean_penguins,
                inputs=["penguins_raw", "params:drop_unknown_sex"],
                outputs="penguins",
                name="clean_penguins",
            ),
            Node(
                func=create_model_input,
                inputs=["penguins", "params:target", "params:measurements", "params:categories"],
                outputs="model_input_table",
                name="create_model_input",
            ),
        ]
    )
