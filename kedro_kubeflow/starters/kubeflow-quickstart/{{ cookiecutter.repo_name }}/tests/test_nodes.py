"""Tests of single nodes; run them with `pytest`."""

import pandas as pd
import pytest

from {{ cookiecutter.python_package }}.pipelines.data_processing.nodes import clean_penguins, create_model_input
from {{ cookiecutter.python_package }}.pipelines.data_science.nodes import evaluate_model, split_data, train_model
from {{ cookiecutter.python_package }}.pipelines.reporting.nodes import compare_models


@pytest.fixture
def penguins_raw() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Individual ID": ["N1A1", "N1A2", "N2A1"],
            "Species": ["Adelie Penguin (Pygoscelis adeliae)", "Gentoo penguin (Pygoscelis papua)", "Adelie Penguin"],
            "Island": ["Torgersen", "Biscoe", "Dream"],
            "Date Egg": ["2007-11-11", "2008-11-09", "2009-11-16"],
            "Culmen Length (mm)": [39.1, 48.7, None],
            "Culmen Depth (mm)": [18.7, 14.1, None],
            "Flipper Length (mm)": [181, 210, None],
            "Body Mass (g)": [3750, 4450, None],
            "Sex": ["MALE", None, None],
        }
    )


@pytest.mark.parametrize(("drop_unknown_sex", "sexes"), [(True, ["male"]), (False, ["male", "unknown"])])
def test_penguins_without_measurements_are_left_out(penguins_raw, drop_unknown_sex, sexes):
    penguins = clean_penguins(penguins_raw, drop_unknown_sex)

    assert penguins["sex"].to_list() == sexes
    assert penguins["species"].iloc[0] == "Adelie"


def test_the_model_input_is_made_of_numbers(penguins_raw):
    penguins = clean_penguins(penguins_raw, drop_unknown_sex=False)

    table = create_model_input(penguins, "body_mass_g", ["flipper_length_mm"], ["species"])

    assert list(table) == ["flipper_length_mm", "species_Adelie", "species_Gentoo", "body_mass_g"]
    assert table["species_Gentoo"].to_list() == [0, 1]


def test_a_straight_line_is_learnt():
    table = pd.DataFrame({"x": range(40), "y": [2.0 * x + 1 for x in range(40)]})
    x_train, x_test, y_train, y_test = split_data(table, target="y", test_size=0.25, random_state=1)

    model = train_model(x_train, y_train, {"estimator": "ridge", "settings": {"alpha": 0.0}}, random_state=1)
    predictions, metrics = evaluate_model(model, x_test, y_test)

    assert len(predictions) == 10
    assert metrics["r2"] == pytest.approx(1)


def test_an_unknown_estimator_is_refused():
    with pytest.raises(ValueError, match="Unknown estimator 'oracle'"):
        train_model(pd.DataFrame(), pd.Series(), {"estimator": "oracle", "settings": {}}, random_state=1)


def test_the_best_model_comes_first():
    comparison, tracked = compare_models(poor={"rmse": 9.0}, good={"rmse": 1.0})

    assert comparison["model"].to_list() == ["good", "poor"]
    assert tracked["good.rmse"] == {"value": 1.0, "step": 0}
