from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from auth.google_stand_in import ACCOUNT, DEFAULT_ACCOUNT, TARGET, Google
from kedro_kubeflow.auth.credentials.provider import AuthProvider
from kedro_kubeflow.auth.google.id_token import GoogleIdToken
from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError

AUDIENCE = "123.apps.googleusercontent.com"
SCRIPT = """
import sys
from kedro_kubeflow.auth.google.id_token import GoogleIdToken
from kedro_kubeflow.errors import KedroKubeflowError
try:
    print(GoogleIdToken(*sys.argv[1:]).headers()["Authorization"])
except KedroKubeflowError as error:
    print(type(error).__name__, error)
"""


def in_a_new_process(env: dict[str, str], *arguments: str) -> str:
    """What the script prints: google-auth reads the metadata server's address when it is imported."""
    ours = {k: v for k, v in os.environ.items() if not k.upper().endswith("_PROXY") and not k.startswith("GOOGLE_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, AUDIENCE, *arguments], env={**ours, **env}, capture_output=True, text=True
    )
    assert not done.stderr
    return done.stdout.strip()


@pytest.fixture
def key_file(google: Google, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process' ambient credentials are a service account's key file."""
    for name, value in google.environment(google.key_file()).items():
        monkeypatch.setenv(name, value)
    return google.key_file()


def test_a_key_file_gives_an_id_token_for_the_audience(google: Google, key_file: Path) -> None:
    provider = GoogleIdToken(AUDIENCE)
    claims = google.claims(provider.headers()["Authorization"])
    assert claims
    assert (claims["aud"], claims["email"]) == (AUDIENCE, ACCOUNT)
    # The assertion's signature was verified by the stand-in.
    assert [asked["target_audience"] for asked in google.asked("token")] == [AUDIENCE]
    assert isinstance(provider, AuthProvider)


def test_impersonation_asks_for_the_email_and_needs_no_access_token_of_the_target(
    google: Google, key_file: Path
) -> None:
    claims = google.claims(GoogleIdToken(AUDIENCE, TARGET).headers()["Authorization"])
    assert claims
    assert (claims["aud"], claims["email"]) == (AUDIENCE, TARGET)
    assert google.asked("generateIdToken") == [
        {"audience": AUDIENCE, "includeEmail": True, "delegates": None, "target": TARGET, "caller": ACCOUNT}
    ]


def test_the_metadata_server_identifies_this_machine(google: Google) -> None:
    claims = google.claims(in_a_new_process(google.environment(metadata=True)))
    assert claims
    assert (claims["aud"], claims["email"]) == (AUDIENCE, DEFAULT_ACCOUNT)


def test_this_machine_impersonates(google: Google) -> None:
    claims = google.claims(in_a_new_process(google.environment(metadata=True), TARGET))
    assert claims
    assert claims["email"] == TARGET
    assert google.asked("generateIdToken")[0]["caller"] == DEFAULT_ACCOUNT


@pytest.mark.parametrize("arguments", [(), (TARGET,)], ids=["ambient", "impersonated"])
def test_a_federated_identity_becomes_its_service_account(google: Google, arguments: tuple[str, ...]) -> None:
    claims = google.claims(in_a_new_process(google.environment(google.federation_file()), *arguments))
    assert claims
    assert claims["email"] == TARGET
    # Itself, not the service account in its own name.
    assert [asked["caller"] for asked in google.asked("generateIdToken")] == ["principal://federated"]


def test_nobody(google: Google) -> None:
    said = in_a_new_process(google.environment())
    assert said.startswith("AuthError No Google credentials: Your default credentials were not found.")
    assert "cure:  set GOOGLE_APPLICATION_CREDENTIALS" in said


def test_a_person(google: Google) -> None:
    said = in_a_new_process(google.environment(google.person_file()))
    assert said.startswith("AuthError Google makes no ID tokens for the ambient credentials: they are a person's")
    assert "name a `service_account` to impersonate" in said


def test_a_key_file_that_is_not_there(google: Google) -> None:
    said = in_a_new_process(google.environment(Path("/no/key.json")))
    assert said.startswith("AuthError No Google credentials: File /no/key.json was not found.")


def test_a_machine_without_a_service_account(google: Google) -> None:
    google.identified = False
    assert in_a_new_process(google.environment(metadata=True)).startswith("AuthError ")


def refused(provider: GoogleIdToken, kind: type[KedroKubeflowError]) -> str:
    with pytest.raises(kind) as error:
        provider.headers()
    # google-auth's own error may carry whole answers.
    assert error.value.__suppress_context__
    return str(error.value)


def test_a_refused_impersonation_says_what_to_grant(google: Google, key_file: Path) -> None:
    google.refused = {TARGET}
    said = refused(GoogleIdToken(AUDIENCE, TARGET), AuthError)
    assert "Permission 'iam.serviceAccounts.getOpenIdToken' denied" in said
    assert f"grant the caller roles/iam.serviceAccountTokenCreator on {TARGET}" in said
    assert not any(token in said for token in google.issued)


def test_a_refused_account_is_told_without_its_assertion(google: Google, key_file: Path) -> None:
    google.refused = {ACCOUNT}
    said = refused(GoogleIdToken(AUDIENCE), AuthError)
    assert "invalid_grant: Invalid grant: account not found. [redacted]" in said
    assert "its key is not revoked" in said


def test_a_breakdown_is_no_refusal(google: Google, key_file: Path) -> None:
    provider = GoogleIdToken(AUDIENCE, TARGET)
    google.down = True
    assert "Google cannot be asked for a token" in refused(provider, ServerError)


def test_fifty_threads_ask_google_once(google: Google, key_file: Path) -> None:
    provider = GoogleIdToken(AUDIENCE)
    google.pause = 0.2
    headers: list[str] = []
    threads = [threading.Thread(target=lambda: headers.append(provider.headers()["Authorization"])) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(headers) == 50
    assert len(set(headers)) == 1
    assert len(google.asked("token")) == 1


def test_tokens_are_renewed_before_they_expire(google: Google, key_file: Path) -> None:
    google.lifetime = 0.6
    provider = GoogleIdToken(AUDIENCE)
    end = time.time() + 1.3
    while time.time() < end:
        claims = google.claims(provider.headers()["Authorization"])
        assert claims
        assert claims["exp"] > time.time()
        time.sleep(0.02)
    # Renewed in the last fifth of each life.
    assert 2 <= len(google.asked("token")) <= 4


def test_a_failed_renewal_is_bridged_by_the_token_at_hand(google: Google, key_file: Path) -> None:
    google.lifetime = 2.5
    provider = GoogleIdToken(AUDIENCE, TARGET)
    first = provider.headers()
    time.sleep(2.05)
    google.refused = {TARGET}
    assert provider.headers() == first
    google.refused = set()
    time.sleep(0.5)
    assert provider.headers() != first


def test_after_a_refusal_by_the_server_another_token_is_got(google: Google, key_file: Path) -> None:
    provider = GoogleIdToken(AUDIENCE)
    first = provider.headers()
    assert provider.renew()
    assert provider.headers() != first


def test_two_instances_share_nothing(google: Google, key_file: Path) -> None:
    tokens = {GoogleIdToken(audience).headers()["Authorization"] for audience in ("a", "a", "b")}
    audiences = sorted((google.claims(token) or {})["aud"] for token in tokens)
    assert audiences == ["a", "a", "b"]


def test_nothing_secret_is_shown(google: Google, key_file: Path) -> None:
    provider = GoogleIdToken(AUDIENCE, TARGET)
    provider.headers()
    shown = repr(provider)
    assert shown == f"GoogleIdToken(audience={AUDIENCE!r}, service_account={TARGET!r})"
