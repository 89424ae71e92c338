"""What workers unpickle, where Ray has put a folder with a file `robustness.py` first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ray import cloudpickle

from robustness.console import positive
from robustness.sweep.transfer import Transfer
from tests.support.own_modules import FILE, MINE

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "ROBUSTNESS_PUBLISHED": "", "OMP_NUM_THREADS": "1"}
READ = """
import pickle, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
got = pickle.loads(Path(sys.argv[1], "sent").read_bytes())
assert sys.argv[1] in sys.path
import analysis, robustness.console
print(got("2.5"), Path(robustness.__file__).parents[1], Path(analysis.__file__).parents[1])
"""


def mislead(folder: Path) -> None:
    for name in ("robustness", "analysis"):
        (folder / f"{name}.py").write_text(f"raise ImportError('this is {name} of the current folder')")


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_a_function_arrives_whatever_lies_first(tmp_path: Path, times: int) -> None:
    mislead(tmp_path)
    sent = Transfer(positive)
    for _ in range(times):  # Ray Tune reads it on the driver before it sends it on
        data = cloudpickle.dumps(sent)
        sent = cloudpickle.loads(data)
    (tmp_path / "sent").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-P", "-c", READ, str(tmp_path)], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2.5", str(ROOT), str(ROOT)]


@pytest.mark.slow
@pytest.mark.sweep
def test_workers_train_what_lies_beside_a_file_that_is_called_as_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "points.yaml").write_text(FILE)
    mislead(tmp_path)
    code = "import sys; from robustness.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "run", "points.yaml", "--quiet"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "4 runs trained, 0 failed" in done.stdout
