from __future__ import annotations

import time

import pytest

from kedro_kubeflow.tracking.redaction import redacted

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("GET https://ann:hunter2@mlflow.example.com/api failed", "hunter2"),
        ("GET https://ann:p@ss:w0rd@mlflow.example.com/api failed", "w0rd"),
        ("sqlalchemy: (psycopg2) postgresql+psycopg2://u:s3cr3t@db:5432/x", "s3cr3t"),
        ("headers={'Authorization': 'Bearer abc123def456'}", "abc123def456"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("curl -H 'X: 1' bearer ghij5678kl", "ghij5678kl"),
        (f"token was {JWT}", "c2lnbmF0dXJl"),
        ("connect(host='db', password='hunter2', port=1)", "hunter2"),
        ('{"api_key": "abcdef", "x": 1}', "abcdef"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI"),
        ("AccountKey=abc/def==;EndpointSuffix=x", "abc/def"),
        ("key AKIAIOSFODNN7EXAMPLE is not valid", "AKIAIOSFODNN7EXAMPLE"),
        ("ya29.a0AfH6SMBx is expired", "a0AfH6SMBx"),
        ("openai: sk-proj-abcdefghijklmnop is wrong", "abcdefghijklmnop"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "MIIEvQ"),
    ],
)
def test_secrets_go(text: str, secret: str) -> None:
    assert secret not in redacted(text)
    assert "[redacted]" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "DatasetError: Failed while saving data to dataset 'model_input_table_with_a_long_name_2026'",
        "s3://bucket/folder/key@v2.parquet does not exist",
        "https://mlflow.example.com/#/experiments/1/runs/0123456789abcdef0123456789abcdef",
        "Bearer authentication is needed here",
        "Basic Authentication failed for user ann",
        "KeyError: 'tokenizer'",
        "the token has expired",
        "mail ann@example.com about it",
        "FileNotFoundError: /var/secrets/google/key.json",
    ],
)
def test_the_rest_stays(text: str) -> None:
    assert redacted(text) == text


def test_values_of_the_environment_that_are_called_secret_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "plain-words")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/var/secrets/key.json")
    text = "refused: plain-words, from /var/secrets/key.json"
    assert redacted(text) == "refused: [redacted], from /var/secrets/key.json"


def test_long_texts_take_no_time() -> None:
    since = time.monotonic()
    for text in (
        "y" * 200_000,
        "token " * 30_000,
        "https://" * 20_000,
        "-" * 200_000,
        "eyJ." * 40_000,
        "Bearer a" * 20_000,
    ):
        redacted(text)
    assert time.monotonic() - since < 5
