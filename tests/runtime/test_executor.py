"""KFP's executor input and output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from kedro_kubeflow.runtime.executor import MOUNT_ROOT_ENV, Executor


def executor(tmp_path: Path, uri: str = "", **artifact: Any) -> Executor:
    made = {"model": {"artifacts": [{"name": "m", "uri": uri, "metadata": {"given": "x"}, **artifact}]}}
    return Executor(json.dumps({"outputs": {"artifacts": made, "outputFile": str(tmp_path / "deep" / "out.json")}}))


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("minio://mlpipeline/a/b", "/minio/mlpipeline/a/b"),
        ("s3://bucket/a", "/s3/bucket/a"),
        ("gs://bucket/a", "/gcs/bucket/a"),
        ("/local/a", "/local/a"),
    ],
)
def test_uris_lie_where_kfps_launcher_puts_them(tmp_path: Path, uri: str, path: str) -> None:
    from kfp.dsl import Artifact

    assert executor(tmp_path, uri).output_path("model") == Path(path)
    assert Artifact(uri=uri).path == path


def test_a_custom_path_goes_before_the_uri(tmp_path: Path) -> None:
    assert executor(tmp_path, "s3://b/a", customPath="/elsewhere").output_path("model") == Path("/elsewhere")


def test_a_root_for_the_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MOUNT_ROOT_ENV, str(tmp_path))
    assert executor(tmp_path, "gs://b/a").output_path("model") == tmp_path / "gcs/b/a"


def test_the_output_is_what_kfp_parses(tmp_path: Path) -> None:
    given = executor(tmp_path, "s3://b/a")
    given.describe("model", {"f1": 0.5, "n": 3, "flag": True, "list": [1], "gone": None, "text": "x"})
    given.put_out("run_id", "abc")
    given.write()
    text = (tmp_path / "deep" / "out.json").read_text()
    message = json_format.Parse(text, pipeline_spec_pb2.ExecutorOutput())
    (artifact,) = message.artifacts["model"].artifacts
    assert artifact.uri == "s3://b/a"
    metadata = json_format.MessageToDict(artifact.metadata)
    assert metadata == {"given": "x", "f1": 0.5, "n": 3.0, "flag": "true", "list": "[1]", "text": "x"}
    assert message.parameter_values["run_id"].string_value == "abc"


@pytest.mark.parametrize("text", ["[]", "{", "null"])
def test_what_is_no_executor_input_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"executor input|Expecting"):
        Executor(text)


def test_an_artifact_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no artifact 'x'"):
        Executor("{}").input_path("x")
