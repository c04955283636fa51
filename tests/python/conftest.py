"""Fixtures: the program under test, the real files, and repositories made from them.

The program is found by the environment variable `PANTLER`. The real files lie in the folder `PANTLER_TEST_DATA`, else in
`../shared/data` beside the repository. A test that needs one which is absent is skipped by that file's name; where
`PANTLER_TEST_DATA_REQUIRED` is set it fails, so that nobody takes a skipped test for a passed one.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import simulated
import survey

REPOSITORY = Path(__file__).resolve().parents[2]
# Longer than any command here takes, so that a program that hangs is a failed test and not a stuck one.
LONGEST_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    """What a run of the program gave back."""

    arguments: list
    status: int
    out: str
    err: str

    def json(self):
        """The one document on standard output."""
        return json.loads(self.out)

    def error(self):
        """The error document on standard error, under `--json`."""
        return json.loads(self.err.splitlines()[0])["error"]

    def stats(self):
        """The counters that `--stats` puts on the last line of standard error."""
        return json.loads(self.err.splitlines()[-1])

    def __str__(self):
        words = " ".join(str(word) for word in self.arguments)
        return f"$ pantler {words}\nstatus {self.status}\n{self.out}\n{self.err}"


@pytest.fixture(scope="session")
def program():
    """The path of the program under test."""
    path = os.environ.get("PANTLER")
    if not path:
        pytest.fail("set PANTLER to the program to be tested; `make test-python` does")
    path = Path(path).resolve()
    if not path.is_file():
        pytest.fail(f"PANTLER names {path}, where there is no file")
    return path


@pytest.fixture(scope="session")
def pantler(program):
    """Runs the program: `pantler("get", repository, …)`, which must end with `status`; `None` allows any."""

    def run(*arguments, status=0):
        words = [str(word) for word in arguments]
        done = subprocess.run(
            [program, *words],
            capture_output=True,
            timeout=LONGEST_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        answer = Answer(words, done.returncode, done.stdout.decode(), done.stderr.decode())
        assert done.returncode >= 0, f"a signal ended it: {answer}"
        assert "panicked" not in answer.err, str(answer)
        if status is not None:
            assert answer.status == status, str(answer)
        return answer

    return run


@pytest.fixture(scope="session")
def real_file():
    """Gives the path of a real file by its name below the folder of test data, or skips the test by that name."""
    folder = Path(os.environ.get("PANTLER_TEST_DATA") or REPOSITORY.parent / "shared" / "data")

    def find(name):
        path = folder / name
        if path.exists():
            return path
        if os.environ.get("PANTLER_TEST_DATA_REQUIRED") is not None:
            pytest.fail(f"the real file {name} is required here and is missing")
        pytest.skip(f"the real file {name} is not here (set PANTLER_TEST_DATA to the folder that has it)")

    return find


@pytest.fixture
def real_survey(tmp_path, pantler, real_file):
    """Two processing steps on the real files: ccd 49 is of HSC with real pixels, ccd 50 of CFHT with full-size planes."""
    made = survey.Survey.init(tmp_path, pantler)
    made.add_exposure(real_file("exposures/hsc_calexp_full.fits"), 49)
    made.add_exposure(real_file("exposures/cfht/calexp-849375-12.fits.fz"), 50)
    for ccd in (49, 50):
        made.add_joint(
            real_file(f"exposures/joint/8766/jointcal_wcs-0011506-{ccd:03d}.fits"),
            real_file(f"exposures/joint/8766/jointcal_photoCalib-0011506-{ccd:03d}.fits"),
        )
    return made


@pytest.fixture
def simulated_survey(tmp_path, pantler):
    """The same two steps on a small exposure that astropy itself made, for machines without the real files."""
    files = simulated.write(tmp_path / "simulated")
    made = survey.Survey.init(tmp_path, pantler)
    made.add_exposure(files.exposure, 49)
    made.add_joint(files.wcs, files.calib)
    return made


@pytest.fixture(params=["real", "simulated"])
def any_survey(request):
    """Each test runs on the real exposure and on the simulated one."""
    return request.getfixturevalue(f"{request.param}_survey")
