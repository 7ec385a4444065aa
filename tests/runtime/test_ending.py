"""The end of a step's process: what an interpreter does at its end is done, but for taking itself apart."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import atexit, sys, threading, time
from kedro_kubeflow.runtime.ending import end_process

class Slow:
    def __del__(self):
        print("taken apart")

kept = Slow()
atexit.register(lambda: print("registered"))

def body():
    threading.Thread(target=lambda: (time.sleep(0.3), print("thread"))).start()
    print("body")
    {ending}

end_process(body)
"""


def ended(ending: str) -> subprocess.CompletedProcess[str]:
    code = CODE.replace("{ending}", ending)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ("return 7", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(0)", 0, ""),
        ("sys.exit(41)", 41, ""),
        ("sys.exit(-1)", 255, ""),
        ("sys.exit('out of reach')", 1, "out of reach"),
        ("raise ValueError('five')", 1, "ValueError: five"),
    ],
)
def test_it_ends_as_python_does(ending: str, code: int, said: str) -> None:
    done = ended(ending)
    assert (done.returncode, done.stdout) == (code, "body\nthread\nregistered\n")
    assert said in done.stderr


def test_output_that_cannot_be_written_is_no_success() -> None:
    """As for Python, whose exit code is then 120, or 1 where a print has failed."""
    code = CODE.replace("{ending}", "return")
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run([sys.executable, "-c", code], stdout=full, check=False)
    assert done.returncode in (1, 120)
