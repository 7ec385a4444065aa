"""Nodes of the data processing pipeline."""

from __future__ import annotations

import pandas as pd

COLUMNS = {
    "Individual ID": "individual_id",
    "Species": "species",
    "Island": "island",
    "Date Egg": "observed_on",
    "Culmen Length (mm)": "bill_length_mm",
    "Culmen Depth (mm)": "bill_depth_mm",
    "Flipper Length (mm)": "flipper_length_mm",
    "Body Mass (g)": "body_mass_g",
    "Sex": "sex",
}
MEASURED = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


def clean_penguins(penguins_raw: pd.DataFrame, drop_unknown_sex: bool) -> pd.DataFrame:
    """Tidy the field notes: plain names, real dates, no penguin without measurements.

    Args:
        penguins_raw: The observations as the researchers published them.
        drop_unknown_sex: Whether to leave out penguins whose sex was not determined; otherwise it is ``unknown``.

    Returns:
        One row for each observed penguin.
    """
    penguins = penguins_raw[list(COLUMNS)].rename(columns=COLUMNS)
    penguins = penguins.dropna(subset=MEASURED)
    if drop_unknown_sex:
        penguins = penguins.dropna(subset=["sex"])
    return penguins.assign(
        species=penguins["species"].str.split().str[0],  # "Adelie Penguin (Pygoscelis adeliae)" -> "Adelie"
        observed_on=pd.to_datetime(penguins["observed_on"]),
        sex=penguins["sex"].str.lower().fillna("unknown"),
    ).reset_index(drop=True)


def create_model_input(
    penguins: pd.DataFrame, target: str, measurements: list[str], categories: list[str]
) -> pd.DataFrame:
    """Put together what the models learn from.

    Args:
        penguins: The clean observations.
        target: The column to predict.
        measurements: Numeric columns to predict it from.
        categories: Columns of categories to predict it from; each category becomes a column of zeros and ones.

    Returns:
        A table of numbers: the features and the target.
    """
    encoded = pd.get_dummies(penguins[categories], dtype=int)
    return pd.concat([penguins[measurements], encoded, penguins[[target]]], axis="columns")
