"""Data in memory that only points at files, or that is worked out when it is asked for: stored whole, or refused."""

from __future__ import annotations

import json
import pickle
import shutil
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets.text import TextDataset

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.entries import MEMORY_DATASET
from kedro_kubeflow.runtime.catalog import memory_entry
from kedro_kubeflow.runtime.stored import Stored, is_lazy, made_whole


def of_xarray(folder: Path) -> tuple[Any, Callable[[Any], Any]]:
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    xarray.Dataset({"v": ("x", np.arange(3.0))}).to_netcdf(folder / "data.nc", engine="scipy")
    return xarray.open_dataset(folder / "data.nc", engine="scipy"), lambda data: data["v"].values.tolist()


def of_dask(folder: Path) -> tuple[Any, Callable[[Any], Any]]:
    delayed = pytest.importorskip("dask", reason="dask is not installed").delayed
    pd.DataFrame({"v": [0.0, 1.0, 2.0]}).to_csv(folder / "data.csv")
    return delayed(pd.read_csv)(folder / "data.csv"), lambda data: data.compute()["v"].tolist()


def of_polars(folder: Path) -> tuple[Any, Callable[[Any], Any]]:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    polars.DataFrame({"v": [0.0, 1.0, 2.0]}).write_csv(folder / "data.csv")
    return polars.scan_csv(folder / "data.csv"), lambda data: data.collect()["v"].to_list()


@pytest.mark.parametrize("library", [of_xarray, of_dask, of_polars])
def test_made_whole(library: Callable[[Path], tuple[Any, Callable[[Any], Any]]], tmp_path: Path) -> None:
    lazy, values = library(tmp_path)
    stored = cloudpickle.dumps(made_whole({"nested": [lazy]}))
    for file in tmp_path.iterdir():
        file.unlink()
    assert values(cloudpickle.loads(stored)["nested"][0]) == [0.0, 1.0, 2.0]


def test_what_dask_works_out_with_expressions(tmp_path: Path) -> None:
    frames = pytest.importorskip("dask.dataframe", reason="dask has no frames here")
    total = frames.from_pandas(pd.DataFrame({"v": [1, 2]}), npartitions=1).v.sum()
    stored = Stored({**MEMORY_DATASET, "backend": "kedro_kubeflow.runtime.whole", "filepath": f"{tmp_path}/x.pkl"}, "x")
    stored.save([total])
    assert cloudpickle.loads((tmp_path / "x.pkl").read_bytes())[0].compute(scheduler="threads") == 3


class Holder:
    def __init__(self, data: Any) -> None:
        self.data = data


DEEP: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "an attribute": (Holder, lambda made: made.data),
    "a closure": (lambda data: lambda: data, lambda made: made()),
    "a partial function": (lambda data: partial(next, iter([]), data), lambda made: made()),
    "a mapping": (lambda data: OrderedDict(a=data, b=1), lambda made: made["a"]),
}


@pytest.mark.parametrize("way", DEEP)
def test_at_any_depth(way: str, tmp_path: Path) -> None:
    put, take = DEEP[way]
    lazy, values = of_polars(tmp_path)
    dataset = TextDataset(filepath=(tmp_path / "a.txt").as_posix())
    dataset.save("a")
    stored = Stored({**MEMORY_DATASET, "backend": "kedro_kubeflow.runtime.whole", "filepath": f"{tmp_path}/x.pkl"}, "x")
    stored.save(put([lazy, dataset.load]))
    for file in (tmp_path / "a.txt", tmp_path / "data.csv"):
        file.unlink()
    loaded, loader = take(cloudpickle.loads((tmp_path / "x.pkl").read_bytes()))
    assert (values(loaded), loader()) == ([0.0, 1.0, 2.0], "a")
    with pytest.raises(DatasetError, match="tied to the session or the files"):
        stored.save(put(arrow_files(tmp_path)))


def test_what_run_config_names_stores_it(tmp_path: Path) -> None:
    call = StepCall(action="run", step="s", pipeline="p", settings={"memory_dataset": {"type": "json.JSONDataset"}})
    AbstractDataset.from_config("x", memory_entry(call, "x", tmp_path / "x")).save({"a": 1})
    assert json.loads((tmp_path / "x").read_text()) == {"a": 1}


def test_whatever_stores_it(tmp_path: Path) -> None:
    lazy, values = of_polars(tmp_path)
    Stored({"type": "pickle.PickleDataset", "filepath": f"{tmp_path}/x.pkl"}, "x").save([lazy])
    (tmp_path / "data.csv").unlink()
    assert values(pickle.loads((tmp_path / "x.pkl").read_bytes())[0]) == [0.0, 1.0, 2.0]


def test_what_nobody_reads_is_not_worked_out() -> None:
    dask = pytest.importorskip("dask", reason="dask is not installed")
    assert is_lazy({"nested": [dask.delayed(sum)([1])]})
    assert not is_lazy({"nested": [pd.DataFrame({"v": [1]}), 3]})


def arrow_files(folder: Path) -> Any:
    import pyarrow.dataset
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"v": [0.0, 1.0, 2.0]}), folder / "data.parquet")
    return pyarrow.dataset.dataset(folder / "data.parquet")


def test_what_points_at_files_and_cannot_be_made_whole_is_refused(tmp_path: Path) -> None:
    found = arrow_files(tmp_path)
    rows = found.to_table()
    assert made_whole(rows) is rows
    with pytest.raises(DatasetError, match=r"FileSystemDataset is tied to the session or the files"):
        made_whole(found)


def test_what_is_tied_to_a_session_is_refused() -> None:
    pyspark = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    assert made_whole(pyspark.Row(a=1)) == pyspark.Row(a=1)
    if not shutil.which("java"):
        pytest.skip("Spark needs Java")
    with pyspark.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate() as session:
        frame = session.createDataFrame([(1,)], ["a"])
        assert made_whole(frame.schema) is not None
        for tied in (frame, frame.a, frame.rdd, session, [frame]):
            with pytest.raises(DatasetError, match=r"tied to the session"):
                made_whole(tied)
