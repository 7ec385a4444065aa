"""What local runs leave behind stays within its bounds, and what runs is never cleared away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kedro_kubeflow.targets.local.history import new_run, prune, runs_folder


def some_runs(project: Path, number: int, size: int = 10) -> list[str]:
    names = []
    for index in range(number):
        folder = runs_folder(project) / f"local-2026010{index}-000000-aaaaaa"
        (folder / "artifacts").mkdir(parents=True)
        (folder / "artifacts" / "x").write_bytes(b"x" * size)
        names.append(folder.name)
    return names


def left(project: Path) -> list[str]:
    return sorted(p.name for p in runs_folder(project).iterdir())


def test_the_oldest_go_beyond_a_number(tmp_path: Path) -> None:
    names = some_runs(tmp_path, 5)
    assert [p.name for p in prune(tmp_path, keep=2, max_bytes=10**6)] == [names[2], names[1], names[0]]
    assert left(tmp_path) == names[3:]


def test_the_oldest_go_beyond_a_size_and_the_latest_stays(tmp_path: Path) -> None:
    names = some_runs(tmp_path, 4, size=100)
    prune(tmp_path, keep=10, max_bytes=250)
    assert left(tmp_path) == names[2:]
    prune(tmp_path, keep=10, max_bytes=1)
    assert left(tmp_path) == names[3:]


def test_a_run_of_another_process_stays(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from kedro_kubeflow.targets.local.history import new_run\n"
        "with new_run(Path(sys.argv[1])) as folder:\n    print(folder.name, flush=True)\n    sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        running = other.stdout.readline().strip()
        with new_run(tmp_path) as latest:
            pass
        some = sorted([running, latest.name])
        prune(tmp_path, keep=1, max_bytes=0)
        assert running in left(tmp_path)
        other.communicate("")
    prune(tmp_path, keep=1, max_bytes=0)
    assert left(tmp_path) == [some[-1]]


def test_git_ignores_the_folder_by_itself(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    with new_run(tmp_path) as folder:
        (folder / "x").write_text("x")
    status = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert status.stdout == ""
