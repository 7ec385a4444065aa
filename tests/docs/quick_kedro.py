"""A ``kedro`` that starts fast: the same program, forked from a process that has imported third parties already.

Pages type dozens of commands, and four fifths of the time of each is the import of MLflow, kfp and pandas. Kedro itself and
its plugins are imported anew in each fork, in the folder and the environment of the command, as they read both at import.

``python quick_kedro.py serve SOCKET`` is the process; ``python quick_kedro.py SOCKET WORDS …`` is the command.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from pathlib import Path

THIRD_PARTIES = ("mlflow", "kfp", "kfp.client", "pandas", "pydantic", "omegaconf", "rich.live", "cookiecutter.main")


def serve(path: str) -> None:
    """Fork for each request until standard input is closed."""
    for name in THIRD_PARTIES:
        __import__(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listening, sys.stdin], [], [])
            if sys.stdin in ready:
                return  # Whoever started this process is gone.
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _attend(connection)
            connection.close()


def _attend(connection: socket.socket) -> None:
    """Run one command in a child and tell its exit code; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    request = json.loads(text)
    child = os.fork()
    if child == 0:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv = ["kedro", *request["words"]]
        sys.path[0] = str(Path(sys.executable).parent)
        _kedro()
    _, status = os.waitpid(child, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _kedro() -> None:
    """What the script `kedro` does; never returns."""
    code = 1
    try:
        from kedro.framework.cli.cli import main

        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ask(path: str, words: list[str]) -> int:
    """Let the process run a command with this one's streams, folder and environment; gives the exit code."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        request = {"words": words, "cwd": str(Path.cwd()), "env": dict(os.environ)}
        socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2])
        return int(connection.recv(16) or b"1")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        sys.exit(serve(sys.argv[2]))
    sys.exit(ask(sys.argv[1], sys.argv[2:]))
