"""`kedro kubeflow check`: each thing that it finds, and what it says of a project that is sound."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro_project import CATALOG, KedroProject, make_project

from kedro_kubeflow.image.tag import image_for

IMAGE = "registry.example.com/demo:1"
NODES = (
    "from kedro.pipeline import Pipeline, node\n"
    "def f(*x): return x\n"
    "def create_pipeline():\n    return Pipeline([{}])\n"
)
TWO = NODES.format("node(f, 'raw', 'x', name='one'), node(f, 'y', 'z', name='two')")
CHAIN = NODES.format("node(f, 'raw', 'x', name='one'), node(f, 'x', 'z', name='two')")


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., KedroProject]:
    def make(run_config: dict[str, Any] | None = None, **more: Any) -> KedroProject:
        kubeflow = {"run_config": {"image": IMAGE, **(run_config or {})}, **more.pop("keys", {})}
        made = make_project(tmp_path, kubeflow=kubeflow, **more)
        made.write("requirements.txt", "kedro-kubeflow\nkedro_mlflow>=2\n")
        return made

    return make


def findings(project: KedroProject, *words: str, code: int | None = None) -> dict[str, dict[str, Any]]:
    """Id → finding; an id that comes twice gets a number."""
    done = project.kubeflow("check", "--output", "json", *words)
    report = json.loads(done.out)
    assert report["errors"] == sum(f["level"] == "error" for f in report["findings"])
    assert done.code == (code if code is not None else int(report["errors"] > 0)), done.text
    return dict(_numbered(report["findings"]))


def _numbered(found: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    seen: dict[str, int] = {}
    for finding in found:
        seen[finding["id"]] = seen.get(finding["id"], 0) + 1
        yield finding["id"] + (f" {seen[finding['id']]}" if seen[finding["id"]] > 1 else ""), finding


def serious(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: finding["level"] for name, finding in found.items() if finding["level"] != "info"}


def test_a_sound_project_has_nothing_but_notes(project: Callable[..., KedroProject]) -> None:
    made = project()
    found = findings(made, "--strict")
    assert serious(found) == {}
    assert found["raw-data"]["what"] == "The image must hold 'raw' at data/01_raw/raw.json: no step makes it"
    assert "conf/base alone" in found["conf-local"]["what"]
    text = made.kubeflow("check").ok().out
    assert text.splitlines()[-1] == "0 errors, 0 warnings"
    assert "info raw-data: The image must hold 'raw'" in text


@pytest.mark.parametrize(
    ("options", "words", "expected", "said"),
    [
        ({"keys": {"hots": "x"}}, [], "config", "unknown key 'hots'. Did you mean 'host'"),
        ({}, ["-p", "mian"], "project", "no pipeline 'mian'"),
        ({}, ["--nodes", "duble"], "project", "no node 'duble'"),
        ({}, ["--nodes", "double"], "compile", "'rows', which 'double' reads and 'prepare' would make"),
        ({"run_config": {"resources": {"duble": {"cpu": 1}}}}, [], "config", "'duble'"),
        (
            {
                "run_config": {"grouping": "namespace"},
                "pipelines": NODES.format(
                    "node(f,'raw','g.a',name='p',namespace='g'),node(f,'g.a','b',name='m'),"
                    "node(f,'b','g.c',name='q',namespace='g')"
                ),
            },
            [],
            "cycle",
            "'g' → 'm' → 'g'",
        ),
        (
            {
                "run_config": {"grouping": "tag"},
                "pipelines": NODES.format("node(f,'raw','x',tags=['group.a','group.b'])"),
            },
            [],
            "compile",
            "is in two groups by its tags",
        ),
    ],
)
def test_errors_that_compiling_would_meet(
    project: Callable[..., KedroProject], options: dict[str, Any], words: list[str], expected: str, said: str
) -> None:
    found = findings(project(**options), *words)
    assert found[expected]["level"] == "error"
    assert said in found[expected]["what"]


def test_one_subject_does_not_hide_the_others(project: Callable[..., KedroProject]) -> None:
    made = project({"grouping": "tag"}, pipelines=NODES.format("node(f,'raw','x',tags=['group.a','group.b'])"))
    made.write(".dockerignore", "data\n")
    assert {"compile", "raw-data-ignored"} <= set(findings(made))


def test_raw_data_that_the_image_will_not_hold(project: Callable[..., KedroProject]) -> None:
    made = project()
    made.write(".dockerignore", "# as kedro-docker writes it\ndata\n")
    found = findings(made)
    assert serious(found) == {"raw-data-ignored": "error"}
    assert found["raw-data-ignored"]["what"].endswith(".dockerignore keeps data/01_raw/raw.json out ('data')")
    assert found["raw-data-ignored"]["where"] == "catalog, dataset 'raw': data/01_raw/raw.json"


def test_raw_data_that_is_nowhere_or_mounted(project: Callable[..., KedroProject]) -> None:
    assert serious(findings(project(data={}))) == {"raw-data-missing": "warning"}
    claim = {"mount_path": "/data", "volume": {"persistent_volume_claim": {"claim_name": "data"}}}
    assert serious(findings(project({"extra_volumes": {"__default__": [claim]}}, data={}))) == {}


def test_raw_data_on_a_volume_that_starts_empty(project: Callable[..., KedroProject]) -> None:
    assert serious(findings(project({"volume": {"size": "1Gi"}}))) == {}
    found = findings(project({"volume": {"size": "1Gi", "skip_init": True}}))
    assert serious(found) == {"raw-data-on-empty-volume": "error"}


def test_data_that_nobody_makes(project: Callable[..., KedroProject], tmp_path: Path) -> None:
    made = project(pipelines=NODES.format("node(f, ['raw', 'typo'], 'x', name='n')"))
    found = findings(made)
    assert serious(found) == {"not-made": "error"}
    assert found["not-made"]["where"] == "node 'n'"
    made.write(
        "src/demo/settings.py",
        """
        DISABLE_HOOKS_FOR_PLUGINS = ("kedro-mlflow", "kedro_mlflow")
        from kedro.framework.hooks import hook_impl
        class Adds:
            @hook_impl
            def after_catalog_created(self, catalog): ...
        HOOKS = (Adds(),)
        """,
    )
    assert serious(findings(made)) == {"not-made": "warning"}


FILE = {"type": "json.JSONDataset", "filepath": "data/x.json"}
FOLDER = {"type": "partitions.PartitionedDataset", "path": "data/parts", "dataset": "json.JSONDataset"}


@pytest.mark.parametrize(
    ("entries", "level", "said"),
    [
        (
            {"x": {**FILE, "filepath": "data/parts/a.json"}, "z": FOLDER},
            "warning",
            "inside of 'z', which is written too",
        ),
        ({"x": {**FILE, "filepath": "data/parts/a.json"}, "y": FOLDER}, "error", "'two' reads 'y' from data/parts"),
        ({"x": FOLDER, "y": {**FILE, "filepath": "data/parts/a.json"}}, "error", "'two' reads 'y'"),
        ({"raw": {**FILE, "filepath": "data/parts/a.json"}, "z": FOLDER}, "warning", "'z', and comes first"),
    ],
)
def test_two_names_for_one_path(
    project: Callable[..., KedroProject], entries: dict[str, Any], level: str, said: str
) -> None:
    given = {"raw": CATALOG["raw"], "y": {**FILE, "filepath": "data/y.json"}, **entries}
    found = findings(project(pipelines=TWO, catalog=given, parameters={}))
    assert found["same-path"]["level"] == level
    assert said in found["same-path"]["what"]


def test_classes_of_datasets_that_are_not_there(project: Callable[..., KedroProject]) -> None:
    odd = {**FILE, "type": "pandas.CSVDatset"}
    lacks = {"type": "CachedDataset", "dataset": {"type": "tensorflow.TensorFlowModelDataset", "filepath": "m"}}
    unused = {"type": "json.Nothing", "filepath": "x"}
    made = project(
        pipelines=TWO, catalog={"raw": CATALOG["raw"], "x": odd, "z": lacks, "unused": unused}, parameters={}
    )
    found = findings(made)
    assert found["no-such-class"]["what"] == "'x' is a pandas.CSVDatset, and kedro_datasets.pandas has no CSVDatset"
    assert "Did you mean 'CSVDataset'" in found["no-such-class"]["cure"]
    assert "no-such-class 2" not in found
    assert found["package-not-here"]["level"] == "warning"
    assert "'z' needs tensorflow, which is not installed here" in found["package-not-here"]["what"]
    assert "kedro-datasets[tensorflow-tensorflowmodeldataset]" in found["package-not-here"]["cure"]
    made.write("requirements.txt", "kedro-kubeflow\nkedro-datasets[tensorflow]\n")
    assert "package-not-here" not in findings(made)
    for command in (["compile", "-o", "-"], ["plan"], ["run-once", "--local"]):
        assert "no CSVDatset" in made.kubeflow(*command).failed(2).err, command


def test_arguments_that_a_class_does_not_take(project: Callable[..., KedroProject]) -> None:
    model = {
        "type": "kedro_mlflow.io.models.MlflowModelTrackingDataset",
        "flavor": "mlflow.sklearn",
        "artifact_path": "m",
    }
    inner = {**FOLDER, "dataset": {"type": "json.JSONDataset", "save_arg": {}}}
    made = project(pipelines=TWO, catalog={"raw": CATALOG["raw"], "x": model, "z": inner}, parameters={})
    found = findings(made)
    assert "takes no 'artifact_path', which 'x' gives it" in found["no-such-argument"]["what"]
    assert found["no-such-argument"]["where"] == "catalog, dataset 'x', artifact_path"
    assert "Did you mean 'save_args'" in found["no-such-argument 2"]["cure"]
    assert "takes no 'artifact_path'" in made.kubeflow("compile", "-o", "-").failed(2).err


def test_what_is_written_into_a_folder_that_is_read(project: Callable[..., KedroProject]) -> None:
    given = {"raw": CATALOG["raw"], "x": FOLDER, "z": {**FILE, "filepath": "data/parts/a.json"}}
    assert findings(project(pipelines=CHAIN, catalog=given, parameters={}))["same-path"]["level"] == "error"


@pytest.mark.parametrize(
    ("entry", "id_", "said"),
    [
        ({**FILE, "fs_args": {"open_args_save": {"mode": "a"}}}, "addition-lost", "'one' adds to 'x'"),
        (
            {"type": "pandas.CSVDataset", "filepath": "x.csv", "save_args": {"mode": "a"}},
            "addition-lost",
            "adds to 'x'",
        ),
    ],
)
def test_what_is_lost_with_the_run(
    project: Callable[..., KedroProject], entry: dict[str, Any], id_: str, said: str
) -> None:
    found = findings(project(pipelines=CHAIN, catalog={"raw": CATALOG["raw"], "x": entry}, parameters={}))
    assert found[id_]["level"] == "warning"
    assert said in found[id_]["what"]


def test_a_store_that_one_step_opens_is_lost_with_its_pod(project: Callable[..., KedroProject]) -> None:
    store = {"type": "faiss.FAISSVectorStoreDataset", "dimension": 2, "index_path": "data/index.faiss"}
    found = findings(project(pipelines=CHAIN, catalog={"raw": store}, parameters={}))
    assert found["opened-in-place"]["level"] == "warning"
    assert "'one' opens 'raw' where it lies" in found["opened-in-place"]["what"]


def test_two_names_that_are_only_read_are_no_matter(project: Callable[..., KedroProject]) -> None:
    found = findings(project(pipelines=TWO, catalog={"raw": FILE, "y": FILE}, parameters={}))
    assert "same-path" not in found


SQLITE = {"type": "pandas.SQLTableDataset", "table_name": "t", "credentials": "db"}


@pytest.mark.parametrize(
    ("name", "entry", "con", "expected"),
    [
        ("x", SQLITE, "sqlite:///data/x.db", "error"),
        ("x", {**SQLITE, "credentials": {"con": "sqlite:///data/x.db"}}, "", "error"),
        ("z", SQLITE, "duckdb:///z.db", "warning"),
        ("raw", SQLITE, "sqlite:////data/raw.db", "warning"),
        ("x", {"type": "ibis.TableDataset", "connection": {"backend": "duckdb", "database": "x.db"}}, "", "error"),
        ("x", SQLITE, "postgresql://user:canary@db.example.com/x", None),
    ],
)
def test_local_databases(
    project: Callable[..., KedroProject], name: str, entry: dict[str, Any], con: str, expected: str | None
) -> None:
    made = project(pipelines=CHAIN, catalog={"raw": CATALOG["raw"], name: entry}, parameters={})
    made.conf("credentials", {"db": {"con": con}}, env="local")
    found = findings(made)
    assert found.get("local-database", {}).get("level") == expected
    assert "canary" not in json.dumps(found)


def test_addresses_of_this_machine(project: Callable[..., KedroProject]) -> None:
    entry = {"type": "api.APIDataset", "url": "http://localhost:8080/x"}
    found = findings(project(pipelines=CHAIN, catalog={"raw": entry}, parameters={}))
    assert found["local-address"]["level"] == "error"
    assert found["local-address"]["where"] == "catalog, dataset 'raw', url"


@pytest.mark.parametrize(
    ("server", "run_config", "env", "said"),
    [
        ({"mlflow_tracking_uri": "sqlite:///mlflow.db"}, {}, {}, "is a database in a file of this machine (sqlite)"),
        ({"mlflow_tracking_uri": "mlruns"}, {}, {}, "is a folder of this machine"),
        (
            {"mlflow_tracking_uri": "htp://mlflow.example.com"},
            {},
            {},
            "begins with 'htp', which is nothing that MLflow knows",
        ),
        ({"mlflow_tracking_uri": "databricks"}, {}, {}, None),
        ({"mlflow_tracking_uri": "http://127.0.0.1:5000"}, {}, {}, "is an address of this machine"),
        ({}, {}, {}, "is not given, so each pod would log to files of its own"),
        ({}, {}, {"MLFLOW_TRACKING_URI": "http://mlflow.example.com"}, "is set here and not in the pods"),
        (
            {},
            {"env": {"__default__": {"MLFLOW_TRACKING_URI": "http://localhost:5000"}}},
            {},
            "an address of this machine",
        ),
        ({}, {"env": {"__default__": {"MLFLOW_TRACKING_URI": "http://mlflow.example.com"}}}, {}, None),
        ({}, {"env": {"__default__": {"MLFLOW_TRACKING_URI": {"secret": "mlflow", "key": "uri"}}}}, {}, None),
        ({"mlflow_tracking_uri": "http://mlflow.example.com"}, {}, {}, None),
    ],
)
def test_the_address_of_mlflow(
    project: Callable[..., KedroProject],
    server: dict[str, str],
    run_config: dict[str, Any],
    env: dict[str, str],
    said: str | None,
) -> None:
    made = project(run_config, mlflow={"server": server})
    made.environ = env
    found = findings(made)
    assert said in found["mlflow-address"]["what"] if said else "mlflow-address" not in found


@pytest.mark.parametrize(
    ("server", "run_config", "where"),
    [
        (
            {"mlflow_tracking_uri": "https://ann:sesame@mlflow.example.com"},
            {},
            "mlflow.yml, server.mlflow_tracking_uri",
        ),
        (
            {},
            {"env": {"__default__": {"MLFLOW_TRACKING_URI": "https://ann:sesame@mlflow.example.com"}}},
            "kubeflow.yml, run_config.env.MLFLOW_TRACKING_URI",
        ),
    ],
)
def test_a_password_in_the_address_of_mlflow(
    project: Callable[..., KedroProject], server: dict[str, str], run_config: dict[str, Any], where: str
) -> None:
    found = findings(project(run_config, mlflow={"server": server}))["mlflow-password"]
    assert (found["level"], found["where"]) == ("error", where)
    assert "MLFLOW_TRACKING_PASSWORD" in found["cure"]
    assert "sesame" not in str(found)


BEARER = "kedro_kubeflow.auth.mlflow.BearerTokenRequestHeaderProvider"
BASIC = "kedro_kubeflow.auth.mlflow.BasicAuthRequestHeaderProvider"


@pytest.mark.parametrize(
    ("provider", "level", "said"),
    [
        (
            {"type": BEARER, "init_kwargs": {"token": "sesame"}},
            "error",
            "The parameter 'token' holds a secret in clear",
        ),
        (
            {"type": BEARER, "init_kwargs": {"token_evn": "X"}},
            "error",
            "no parameter 'token_evn'. Did you mean 'token_env'",
        ),
        ({"type": BEARER.replace("Bearer", "Baerer")}, "error", f"Did you mean '{BEARER}'"),
        ({"type": BEARER.replace("mlflow.", "mlflw.")}, "error", f"Did you mean '{BEARER}'"),
        ({"type": "demo.no_module.Login"}, "error", "The module 'demo.no_module' cannot be imported"),
        ({"type": "json.JSONDecoder"}, "error", "json.JSONDecoder is no request header provider"),
        ({"typ": BEARER}, "error", "no key 'typ' there. Did you mean 'type'"),
        ({"type": BASIC, "init_kwargs": {"password_env": "X"}}, "error", "The parameter 'username' is missing"),
        (
            {"type": BEARER, "init_kwargs": {"token_env": "MLFLOW_BEARER"}},
            "warning",
            "MLFLOW_BEARER is given to no step",
        ),
        ({"type": BEARER, "init_kwargs": {"token_file": "/run/token"}}, None, ""),
        ({"type": BEARER, "init_kwargs": {"token_env": "GIVEN"}}, None, ""),
    ],
)
def test_the_login_at_mlflow(
    project: Callable[..., KedroProject], provider: dict[str, Any], level: str | None, said: str
) -> None:
    """What would show in the first pod alone."""
    server = {"mlflow_tracking_uri": "https://mlflow.example.com", "request_header_provider": provider}
    env = {"__default__": {"GIVEN": {"secret": "mlflow", "key": "token"}}}
    found = findings(project({"env": env}, mlflow={"server": server}))
    ours = [finding for name, finding in found.items() if name.startswith("mlflow-login")]
    assert [finding["level"] for finding in ours] == ([level] if level else [])
    assert all(said in finding["what"] for finding in ours)
    assert "sesame" not in str(found)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (None, "image-missing"),
        ("demo", "image-latest"),
        ("localhost:5000/demo", "image-latest"),
        ("demo:latest", "image-latest"),
        ("localhost:5000/demo:1", None),
        ("demo@sha256:" + "0" * 64, None),
    ],
)
def test_the_image(project: Callable[..., KedroProject], image: str | None, expected: str | None) -> None:
    found = findings(project({"image": image}))
    assert {name for name in found if name.startswith("image-")} == ({expected} if expected else set())


def test_whether_the_image_suits_code_that_travels(project: Callable[..., KedroProject]) -> None:
    made = project()
    made.write("Dockerfile", "FROM python:3.12-slim\n")
    made.write("requirements.txt", "kedro-kubeflow\n")
    held = image_for(made.path, "r/demo", dockerfile="Dockerfile", platform="linux/amd64", sources=["pyproject.toml"])
    made.conf("kubeflow", {"run_config": {"image": held, "code": "travel"}})
    assert serious(findings(made)) == {}
    made.write("requirements.txt", "kedro-kubeflow\nxarray\n")
    found = findings(made)
    assert serious(found) == {"image-requirements": "warning"}
    assert f"The image {held} was built with other requirements" in found["image-requirements"]["what"]
    assert "--with-code --build" in found["image-requirements"]["cure"]
    assert serious(findings(made, "--without-code")) == {}
    said = made.kubeflow("compile", "--with-code", "-o", "p.yaml").ok().err
    assert (
        "was built with other requirements than the code of this folder has now (Dockerfile, requirements.txt)" in said
    )
    made.write("src/demo/key.py", 'KEY = "AKIAQ3EGRJ5MTKS2ULIP"\n')
    done = made.kubeflow("check", "--with-code").failed(1)
    assert "src/demo/key.py, line 1" in done.out
    assert "AKIAQ3" not in done.text


def test_code_that_is_too_large(project: Callable[..., KedroProject]) -> None:
    made = project()
    for number in range(12):
        text = base64.b64encode(os.urandom(100_000 + number * 1000)).decode()
        made.write(f"src/demo/data_{number:02}.py", f'"""{text}"""\n')
    done = made.kubeflow("compile", "--with-code", "-o", "p.yaml").failed(2)
    assert "and 1Mi may go along" in done.err
    listed = re.findall(r"src/demo/data_(\d\d)\.py \(\d+\.\d KiB\)", done.err)
    assert listed == [f"{number:02}" for number in range(11, 1, -1)]
    assert not (made.path / "p.yaml").exists()


def test_requirements_name_what_steps_import(project: Callable[..., KedroProject]) -> None:
    made = project()
    made.write("requirements.txt", "kedro\n")
    assert serious(findings(made)) == {"requirements": "warning"}
    assert findings(made, "--strict", code=1)


def test_configuration_that_pods_do_not_see(project: Callable[..., KedroProject]) -> None:
    catalog = {"raw": {**CATALOG["raw"], "filepath": "s3://bucket/raw.json", "credentials": "s3"}}
    made = project(catalog=catalog)
    made.conf("credentials", {"s3": {"key": "canary-1"}}, env="local")
    made.conf("parameters", {"limit": 3}, env="local")
    made.write(".dockerignore", "conf/local\n")
    found = findings(made)
    assert serious(found) == {"conf-local": "warning", "credentials-not-in-image": "warning"}
    assert "conf/local/parameters.yml was read to compile" in found["conf-local"]["what"]
    assert "'s3' of 'raw'" in found["credentials-not-in-image"]["what"]
    assert "canary" not in json.dumps(found)


def test_credentials_by_variable_need_the_variable(project: Callable[..., KedroProject]) -> None:
    catalog = {"raw": {**CATALOG["raw"], "filepath": "s3://bucket/raw.json", "credentials": "s3"}}
    made = project(catalog=catalog)
    made.conf("credentials", {"s3": {"key": "${oc.env:S3_KEY}", "region": "${oc.env:REGION,eu}"}})
    found = findings(made)
    assert serious(found) == {"variable-not-given": "warning"}
    assert "S3_KEY" in found["variable-not-given"]["what"]
    given = {"run_config": {"image": IMAGE, "env": {"__default__": {"S3_KEY": {"secret": "s3", "key": "key"}}}}}
    made.conf("kubeflow", given)
    assert serious(findings(made)) == {}


def test_a_provider_makes_credentials(project: Callable[..., KedroProject]) -> None:
    catalog = {"raw": {**CATALOG["raw"], "filepath": "s3://bucket/raw.json", "credentials": "s3"}}
    made = project({"dynamic_config_providers": [{"cls": "demo.providers.Credentials"}]}, catalog=catalog)
    assert serious(findings(made)) == {}


MANY = "*[node(f, 'raw', f'x{{i}}', name=f'n{{i}}') for i in range({})]"


@pytest.mark.parametrize(
    ("steps", "expected"), [(50, set()), (51, {"step-count"}), (350, {"step-count", "workflow-size"})]
)
def test_the_number_of_steps(project: Callable[..., KedroProject], steps: int, expected: set[str]) -> None:
    nodes = NODES.replace("{}", MANY.format(steps).replace("{{", "{").replace("}}", "}"))
    found = findings(project(pipelines=nodes, parameters={}))
    assert set(serious(found)) == expected
    if steps > 200:
        assert found["workflow-size"]["level"] == "error"
        assert "Argo takes 1,048,576" in found["workflow-size"]["what"]
        assert "run_config.grouping" in found["step-count"]["cure"]


def test_parameters_near_the_limit_and_over_it(project: Callable[..., KedroProject]) -> None:
    assert "parameters-size" in findings(project(parameters={"limit": 4, "text": "x" * 9_500}, pipelines=USES_TEXT))
    over = findings(project(parameters={"limit": 4, "text": "x" * 100_500}, pipelines=USES_TEXT))
    assert "'text' stays in the project's conf" in over["note"]["what"]


USES_TEXT = NODES.format("node(f, ['raw', 'params:text'], 'x', name='n')")


def test_jobs_that_no_longer_fit(project: Callable[..., KedroProject]) -> None:
    jobs = {"good": {"nodes": "prepare"}, "bad": {"tags": ["gone"]}, "worse": {"parameters": {"limt": 1}}}
    found = findings(project(keys={"jobs": jobs}))
    assert serious(found) == {"job": "error", "job 2": "warning"}
    assert found["job"]["what"].startswith("The job 'bad': The pipeline '__default__' has no tag 'gone'")


def test_a_log_file_needs_its_folder_in_the_image(project: Callable[..., KedroProject]) -> None:
    made = project()
    made.write(
        "conf/logging.yml",
        "version: 1\nhandlers: {file: {class: logging.FileHandler, filename: logs/info.log, delay: true}}",
    )
    found = findings(made)
    assert serious(found) == {"log-folder": "error"}
    assert "handler 'file' writes logs/info.log" in found["log-folder"]["what"]
    made.write("logs/.gitkeep", "")
    assert serious(findings(made)) == {}


def test_where_no_mlflow_server_is_named_that_is_said_before_anything_runs(
    project: Callable[..., KedroProject],
) -> None:
    made = project(mlflow={})
    (made.path / "conf/base/mlflow.yml").unlink()
    assert serious(findings(made)) == {"mlflow-address": "error"}
    assert "No MLflow server is named" in made.kubeflow("compile", "-o", "-").ok().err
    done = made.kubeflow("run-once", "--local").failed(5)
    assert "MLflow refuses to log to a folder (mlruns, as no server is named)" in done.err
    assert not list(made.path.glob(".kubeflow/runs/*"))


def test_an_address_that_mlflow_does_not_know_is_said_before_anything_runs(
    project: Callable[..., KedroProject],
) -> None:
    made = project(mlflow={"server": {"mlflow_tracking_uri": "htp://mlflow.example.com"}})
    assert "begins with 'htp', which is nothing that MLflow knows" in made.kubeflow("compile", "-o", "-").ok().err
    assert "begins with 'htp'" in made.kubeflow("run-once", "--local").failed(5).err
    made.conf("mlflow", {"server": {"mlflow_tracking_uri": "./mlruns"}})
    assert "The MLflow server is a folder of this machine" in made.kubeflow("compile", "-o", "-").ok().err


def test_what_kedro_mlflow_will_refuse_is_said_before(project: Callable[..., KedroProject]) -> None:
    made = project(
        mlflow={"server": {"mlflow_tracking_uri": "http://m.example.com"}, "tracking": {"experimnt": {"name": "x"}}}
    )
    found = findings(made)
    assert serious(found) == {"mlflow-config": "error"}
    assert found["mlflow-config"]["what"] == "kedro-mlflow knows no key 'tracking.experimnt'"


def test_a_resolver_that_kedro_lacks_has_a_cure(project: Callable[..., KedroProject]) -> None:
    made = project(mlflow={"server": {"mlflow_tracking_uri": "${oc.env:MLFLOW}"}})
    assert "register the resolver in settings.py" in made.kubeflow("compile", "-o", "-").failed(2).err


def test_a_new_parameter_may_be_a_typo(project: Callable[..., KedroProject]) -> None:
    found = findings(project(), "--param", "limt=3")
    assert serious(found) == {"unknown-parameter": "warning"}
    assert "no parameter 'limt'; there is 'limit'" in found["unknown-parameter"]["what"]


def test_the_text_names_place_and_cure(project: Callable[..., KedroProject]) -> None:
    out = project(data={}).kubeflow("check").ok().out
    lines = out.splitlines()
    assert lines[0].startswith("warning raw-data-missing: The image must hold 'raw'")
    assert lines[1:3] == [
        "  where: catalog, dataset 'raw': data/01_raw/raw.json",
        "  cure:  put it there before the image is built, keep it remote, or mount a volume there",
    ]
    assert lines[-1] == "0 errors, 1 warning"


def test_the_exit_pipeline_is_checked_too(project: Callable[..., KedroProject]) -> None:
    pipelines = {
        "main": CHAIN,
        "leaving": NODES.format("node(f, ['note', 'nowhere'], 'told', name='tell')"),
    }
    registry = """
        from kedro.framework.project import find_pipelines

        def register_pipelines():
            found = find_pipelines(raise_errors=True)
            return {**found, "__default__": found["main"]}
        """
    note = {"type": "text.TextDataset", "filepath": "data/note.txt"}
    made = project(
        {"on_exit_pipeline": "leaving"},
        pipelines=pipelines,
        registry=registry,
        catalog={"raw": CATALOG["raw"], "note": note},
        parameters={},
    )
    found = findings(made)
    assert serious(found) == {"not-made": "error", "raw-data-missing": "warning"}
    assert found["not-made"]["where"] == "node 'tell'"
    assert "'note'" in found["raw-data-missing"]["what"]


def test_a_cache_with_an_image_that_changes(project: Callable[..., KedroProject]) -> None:
    found = findings(project({"image": "demo:latest", "cache": {"prepare": True}}))
    assert serious(found) == {"cache-image": "warning", "image-latest": "warning"}


@pytest.mark.parametrize("job", [False, True])
def test_schedules_that_could_not_be_made(project: Callable[..., KedroProject], job: bool) -> None:
    """KFP takes no time zones; an hour that is put forward cannot be said in UTC, any other can."""
    refused, fine = {"cron": "0 3 * * *", "timezone": "Europe/Warsaw"}, {"cron": "0 3 * * *", "timezone": "Asia/Tokyo"}
    if job:
        made = project(keys={"jobs": {"nightly": {"schedule": refused}, "daily": {"schedule": fine}}})
    else:
        made = project({"schedules": {"nightly": refused, "__default__": fine}})
    found = findings(made)
    assert serious(found) == {"schedule": "error"}
    assert found["schedule"]["what"].startswith(
        "The schedule of 'nightly': The schedule is meant in the time zone Europe/Warsaw"
    )
    assert "daylight saving time" in found["schedule"]["what"]


def test_text_that_not_every_database_takes(project: Callable[..., KedroProject]) -> None:
    text = NODES.format("node(f, ['raw', 'params:greeting'], 'x', name='Тренировка')")
    made = project({"description": "Прогноз"}, pipelines=text, parameters={"greeting": {"words": ["hello 😀"]}})
    found = findings(made)
    assert serious(found) == {"characters": "warning"}
    what = found["characters"]["what"]
    for name in ("the parameter 'greeting'", "the name of the step 'Тренировка'", "the pipeline's description"):
        assert name in what
    assert what.count("Тренировка") == 1
