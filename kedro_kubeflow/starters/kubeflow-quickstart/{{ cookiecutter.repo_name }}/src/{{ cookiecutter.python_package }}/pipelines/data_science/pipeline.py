"""The data science pipeline."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import evaluate_model, split_data, train_model

# Each has its own entry in conf/base/parameters_data_science.yml; the next model is one more name here and there.
MODELS = ["linear_model", "random_forest"]


def create_model_pipeline() -> Pipeline:
    """Train and evaluate one model, whichever its parameters say."""
    return Pipeline(
        [
            Node(
                func=train_model,
                inputs=["x_train", "y_train", "params:model_options", "params:random_state"],
                outputs="regressor",
                name="train_model",
            ),
            Node(
                func=evaluate_model,
                inputs=["regressor", "x_test", "y_test"],
                outputs=["predictions", "metrics"],
                name="evaluate_model",
            ),
        ]
    )


def create_pipeline(**kwargs) -> Pipeline:
    """Split the data, then train and evaluate every model on the same split."""
    split = Pipeline(
        [
            Node(
                func=split_data,
                inputs=["model_input_table", "params:target", "params:test_size", "params:random_state"],
                outputs=["x_train", "x_test", "y_train", "y_test"],
                name="split_data",
            )
        ]
    )
    models = [
        Pipeline(
            create_model_pipeline(),
            namespace=model,
            inputs={"x_train", "x_test", "y_train", "y_test"},
            outputs={"metrics": f"{model}_metrics", "predictions": f"{model}_predictions"},
            parameters={"random_state"},
        )
        for model in MODELS
    ]
    return sum(models, start=split)
