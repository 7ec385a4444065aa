"""Nodes of the data science pipeline.

scikit-learn is imported by the functions that use it: on Kubeflow each node runs in a process of its own, and the
others need not wait for its import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from sklearn.base import RegressorMixin


def split_data(
    model_input_table: pd.DataFrame, target: str, test_size: float, random_state: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:
    """Split the data into what the models learn from and what they are tested with.

    Args:
        model_input_table: The features and the target.
        target: The column to predict.
        test_size: The share of rows kept for the test, between 0 and 1.
        random_state: The seed of the shuffle.

    Returns:
        Features for training and test, then targets for training and test.
    """
    from sklearn.model_selection import train_test_split

    features = model_input_table.drop(columns=target)
    x_train, x_test, y_train, y_test = train_test_split(
        features, model_input_table[target], test_size=test_size, random_state=random_state
    )
    return x_train, x_test, y_train, y_test


def train_model(
    x_train: pd.DataFrame, y_train: pd.Series, model_options: dict[str, Any], random_state: int
) -> RegressorMixin:
    """Train a regression model.

    Args:
        x_train: Features.
        y_train: What to predict.
        model_options: ``estimator`` is ``ridge`` or ``random_forest``, ``settings`` are its arguments.
        random_state: The seed for estimators that draw random numbers.

    Returns:
        The trained model.

    Raises:
        ValueError: ``estimator`` is neither.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    estimator, settings = model_options["estimator"], model_options["settings"]
    if estimator == "ridge":
        model = make_pipeline(StandardScaler(), Ridge(**settings))
    elif estimator == "random_forest":
        model = RandomForestRegressor(**settings, random_state=random_state)
    else:
        raise ValueError(f"Unknown estimator '{estimator}': it is 'ridge' or 'random_forest'.")
    return model.fit(x_train, y_train)


def evaluate_model(
    regressor: RegressorMixin, x_test: pd.DataFrame, y_test: pd.Series
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Let a model predict the test data, and measure how far off it is.

    Args:
        regressor: The trained model.
        x_test: Features that the model has not seen.
        y_test: The true values.

    Returns:
        A table of true and predicted values; and the metrics: ``rmse`` and ``mae`` in the target's unit, ``r2``.
    """
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    predicted = regressor.predict(x_test)
    predictions = pd.DataFrame({"actual": y_test, "predicted": predicted}).reset_index(drop=True)
    metrics = {
        "rmse": float(root_mean_squared_error(y_test, predicted)),
        "mae": float(mean_absolute_error(y_test, predicted)),
        "r2": float(r2_score(y_test, predicted)),
    }
    return predictions, metrics
