"""What a local cache stands for: a state of code, configuration and raw data."""

from __future__ import annotations

import os
from pathlib import Path

from kedro_kubeflow.targets.local.cache import cache_folder, code_key


def test_code_and_configuration_count_by_content_raw_data_by_size_and_time(tmp_path: Path) -> None:
    code, raw = tmp_path / "src", tmp_path / "raw.csv"
    (code / "demo").mkdir(parents=True)
    (code / "demo/nodes.py").write_text("x = 1")
    raw.write_text("a")
    key = code_key([code], [raw])

    (code / "demo/__pycache__").mkdir()
    (code / "demo/__pycache__/nodes.cpython-311.pyc").write_text("compiled")
    os.utime(code / "demo/nodes.py", (0, 0))
    assert code_key([code], [raw]) == key

    (code / "demo/nodes.py").write_text("x = 2")
    changed = code_key([code], [raw])
    assert changed != key
    os.utime(raw, (0, 0))
    assert code_key([code], [raw]) != changed
    assert code_key([code, tmp_path / "missing"], []) == code_key([code], [])


def test_older_states_are_cleared_away(tmp_path: Path) -> None:
    for index in range(8):
        folder = cache_folder(tmp_path, f"state{index}")
        os.utime(folder, (index, index))
    kept = sorted(path.name for path in (tmp_path / ".kubeflow/cache").iterdir())
    assert len(kept) <= 6
    assert "state7" in kept
    assert "state0" not in kept
