from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from auth import jwt
from kedro_kubeflow.auth.credentials import secret
from kedro_kubeflow.auth.credentials.secret import Command, source_of
from kedro_kubeflow.config.auth import Secret
from kedro_kubeflow.errors import AuthError


def printing(folder: Path, body: str) -> tuple[str, ...]:
    """A command that runs a Python body, and counts how often."""
    script = folder / "token.py"
    script.write_text(f"import sys, time\nopen({str(folder / 'runs')!r}, 'a').write('x')\n{body}\n")
    return (sys.executable, "-S", str(script))


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text())


def test_a_variable_is_read_each_time() -> None:
    env = {"TOKEN": " one\n"}
    source = source_of(Secret(env="TOKEN"), env)
    assert source.read() == "one"
    env["TOKEN"] = "two"
    assert source.read() == "two"
    assert not source.renew()


@pytest.mark.parametrize("env", [{}, {"TOKEN": ""}, {"TOKEN": "  "}])
def test_a_variable_that_is_not_set(env: dict[str, str]) -> None:
    with pytest.raises(AuthError, match="environment variable TOKEN is not set"):
        source_of(Secret(env="TOKEN"), env).read()


def test_without_an_environment_it_is_the_process_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "mine")
    assert source_of(Secret(env="SOME_TOKEN")).read() == "mine"


def test_a_rotated_file_is_seen_at_once(tmp_path: Path) -> None:
    """As the kubelet rotates: the name leads to another folder from one moment to the next."""
    for name, text in {"1": "first", "2": "second"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(text + "\n")
    (tmp_path / "..data").symlink_to("1")
    (tmp_path / "token").symlink_to("..data/token")
    source = source_of(Secret(file=str(tmp_path / "token")))
    assert source.read() == "first"
    (tmp_path / "..new").symlink_to("2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert source.read() == "second"
    assert source.renew()


def test_a_file_that_is_just_being_written(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch()
    writer = threading.Timer(0.03, file.write_text, ["late"])
    writer.start()
    assert source_of(Secret(file=str(file))).read() == "late"
    writer.join()


def test_files_that_hold_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "EMPTY_FILE_PAUSE", 0.0)
    with pytest.raises(AuthError, match="cannot be read: No such file") as missing:
        source_of(Secret(file=str(tmp_path / "none"))).read()
    assert missing.value.where == str(tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(AuthError, match="is empty"):
        source_of(Secret(file=str(tmp_path / "empty"))).read()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AuthError, match="is no text"):
        source_of(Secret(file=str(tmp_path / "binary"))).read()


def test_a_commands_output_holds_for_its_time_to_live(tmp_path: Path) -> None:
    command = Command(printing(tmp_path, "print('opaque', time.time_ns())"), ttl=0.6)
    first = command.read()
    assert command.read() == first
    time.sleep(0.7)
    assert command.read() != first
    assert runs(tmp_path) == 2
    assert command.renew()
    command.read()
    assert runs(tmp_path) == 3


def test_a_commands_web_token_holds_until_it_says(tmp_path: Path) -> None:
    soon, late = (jwt.sign({"exp": time.time() + seconds}, jwt.key_of("issuer")) for seconds in (0.01, 3600))
    body = f"print({soon!r} if len(open({str(tmp_path / 'runs')!r}).read()) < 2 else {late!r})"
    command = Command(printing(tmp_path, body))
    assert command.read() == soon
    assert command.read() == late
    assert command.read() == late
    assert runs(tmp_path) == 2


def test_no_shell_is_involved(tmp_path: Path) -> None:
    reference = Secret(command=f"{sys.executable} -S -c 'import sys; print(sys.argv[1:])' $HOME '; echo' `id`")
    assert source_of(reference).read() == str(["$HOME", "; echo", "`id`"])
    assert Secret(command=["a", "b c"]).command == ("a", "b c")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("print('sesame'); sys.exit(3)", "failed with exit code 3"),
        ("pass", "printed nothing"),
        ("print('sesame', flush=True); time.sleep(9)", "printed no secret within 0 seconds"),
    ],
)
def test_commands_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str) -> None:
    if "sleep" in body:
        monkeypatch.setattr(secret, "COMMAND_TIMEOUT", 0.3)
    command = Command((*printing(tmp_path, body), "--password=sesame"))
    with pytest.raises(AuthError, match=said) as error:
        command.read()
    assert "sesame" not in str(error.value) + repr(command) + repr(error.value.__cause__)
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_a_command_that_does_not_exist() -> None:
    with pytest.raises(AuthError, match="cannot be started: No such file"):
        Command(("no-such-program-here",)).read()


def test_a_commands_own_words_reach_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AuthError, match="its own message is in this process' stderr"):
        Command(printing(tmp_path, "print('please log in', file=sys.stderr); sys.exit(1)")).read()
    assert "please log in" in capfd.readouterr().err


def test_a_command_cannot_eat_our_input(tmp_path: Path) -> None:
    assert Command(printing(tmp_path, "print(repr(sys.stdin.read()))")).read() == "''"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_nobody_may_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("sesame")
    file.chmod(0)
    with pytest.raises(AuthError, match="Permission denied"):
        source_of(Secret(file=str(file))).read()
