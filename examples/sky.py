"""What the examples share: a simulated survey, and what things cost.

The survey is that of `pantler demo`: exposures of two visits in `single_visit`, and the results of a joint fit in `jointcal`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

POLICIES = Path(__file__).resolve().parent


def simulate(folder: str | Path) -> Path:
    """Simulate the survey in a new folder, and return the folder."""
    pantler("demo", str(folder))
    return Path(folder)


def policy(name: str) -> Path:
    """Return the file of an example's policy."""
    return POLICIES / f"{name}.yaml"


def cost(repository: Path, name: str, data_id: str) -> dict[str, int]:
    """Return what it costs to get one thing in a process of its own: `bytes_read`, `artifacts_opened` and more."""
    with tempfile.TemporaryDirectory() as folder:
        said = pantler("get", str(repository), name, *data_id.split(), "--out", f"{folder}/part.fits", "--stats")
    counts: dict[str, int] = json.loads(said.splitlines()[-1])
    return counts


def artifacts(repository: Path) -> dict[str, int]:
    """Return the files of a repository, each with its bytes; what is pantler's own does not count."""
    files = [path for path in sorted(repository.rglob("*.*")) if path.is_file() and ".pantler" not in path.parts]
    return {path.relative_to(repository).as_posix(): path.stat().st_size for path in files if path.name != "policy.yaml"}


def pantler(*words: str) -> str:
    """Run the program, and return what it says."""
    done = subprocess.run([sys.executable, "-m", "pantler", *words], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr
