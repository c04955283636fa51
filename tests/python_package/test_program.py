"""The command that the package brings: the same program as the one built alone."""

import json
import os
import shlex
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import pantler
from conftest import CCD, CHECKOUT, VISIT
from stand_ins import packages  # noqa: F401
from test_trust import NOBODY, strangers  # noqa: F401

COMMANDS = {
    "command": [str(Path(sysconfig.get_path("scripts")) / "pantler")],
    "module": [sys.executable, "-m", "pantler"],
}


def run(how, *words, **more):
    return subprocess.run([*COMMANDS[how], *map(str, words)], capture_output=True, text=True, **more)


@pytest.mark.parametrize("how", COMMANDS)
def test_it_answers_as_the_library_does(how, single_visit):
    done = run(how, "query", single_visit, "calexp", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    butler = pantler.Butler.open(single_visit)
    assert [row["data_id"] for row in rows] == [dict(ref.data_id) for ref in butler.query("calexp")]
    assert rows and run(how, "--version").stdout == f"pantler {pantler.__version__}\n"


@pytest.mark.parametrize("how", COMMANDS)
def test_its_exit_status_and_errors_are_those_of_the_program(how, single_visit, tmp_path):
    done = run(how, "get", single_visit, "calexp", "visit=1", "ccd=1", "--out", tmp_path / "x.fits")
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("error: ")
    assert run(how, "qery", single_visit).returncode == 2
    os.remove(butler_path(single_visit))
    done = run(how, "get", single_visit, "calexp", f"visit={VISIT}", f"ccd={CCD}", "--out", tmp_path / "x.fits", "--json")
    assert done.returncode == 3 and "error" in json.loads(done.stderr)


def butler_path(root):
    return pantler.Butler.open(root).locations("calexp", visit=VISIT, ccd=CCD)[""]


def test_hints_that_are_printed_name_the_command(single_visit):
    assert run("module", "--help").stdout == run("command", "--help").stdout
    assert "Usage: pantler" in run("module", "--help").stdout


def test_long_output_into_a_closed_pipe_is_no_traceback(single_visit):
    program = " ".join([*COMMANDS["module"], "policy", "schema"])
    done = subprocess.run(f"{program} | head -c 10", shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr and "panicked" not in done.stderr, done.stderr


def test_an_interrupt_ends_it(tmp_path):
    # The demo goes on for seconds after its first line.
    demo = subprocess.Popen([*COMMANDS["module"], "demo", str(tmp_path / "demo")], stdout=subprocess.PIPE, text=True)
    assert demo.stdout.readline()
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=60) == -signal.SIGINT
    demo.stdout.close()


def hints(done):
    """What is to be pasted, of each hint."""
    return [line.split("`")[1] for line in done.stderr.splitlines() if line.startswith("hint: ") and "`" in line]


@pytest.fixture
def environment(strangers, tmp_path):
    """A repository whose policies are somebody else's, and where a process finds the code that they name."""
    os.chown(strangers / "policy.yaml", NOBODY, NOBODY)
    path = os.pathsep.join([str(tmp_path / "packages"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path}


@pytest.mark.parametrize("how", COMMANDS)
def test_code_of_others_runs_where_the_command_says_so(how, strangers, environment, tmp_path):
    get = ["get", strangers, "loud", "visit=1", "--out", tmp_path / "x.txt"]
    refused = run(how, *get, env=environment)
    assert refused.returncode == 2 and not (tmp_path / "x.txt").exists()
    # Either of the two lines that are printed works as it is.
    by_module, by_repository = hints(refused)
    assert by_module.endswith("--trust survey.strange") and by_repository.endswith(f"--trust {strangers}")
    for line in (by_module, by_repository):
        program, *words = shlex.split(line)
        assert program == "pantler"
        done = run(how, *words, env=environment)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "x.txt").read_text() == "HELLO"
        (tmp_path / "x.txt").unlink()
    assert run(how, *get, "--trust", "survey.other", env=environment).returncode == 2


def test_the_line_for_python_opens_the_same_repositories(strangers, environment):
    with pytest.raises(pantler.UntrustedError) as caught:
        pantler.Butler(inputs=strangers).get("loud", visit=1)
    lines = [hint.split(": ", 1)[1] for hint in caught.value.hints]
    assert len(lines) == 2
    for line in lines:
        assert eval(line).get("loud", visit=1) == "HELLO"


def test_errors_of_programs_say_it_too(strangers, environment, tmp_path):
    done = run("module", "get", strangers, "loud", "visit=1", "--out", tmp_path / "x.txt", "--json", env=environment)
    error = json.loads(done.stderr)["error"]
    assert error["kind"] == "untrusted" and "--trust survey.strange" in error["hints"][0]


STATE = {"datasets": {"state": {"template": "state/%(n)d.pickle", "python": "dict", "storage": "PickleStorage"}}}


@pytest.mark.parametrize("how", COMMANDS)
def test_pickles_are_read_where_the_command_says_so(how, tmp_path):
    butler = pantler.Butler(outputs=tmp_path / "repo", policy=STATE, allow_pickle=True)
    butler.put({"a": 1}, "state", n=1)
    refused = run(how, "diff", tmp_path / "repo", "state", "state", "n=1")
    assert refused.returncode == 2, refused.stderr
    [line] = hints(refused)
    _, *words = shlex.split(line)
    assert words[-1] == "--allow-pickle"
    done = run(how, *words)
    assert done.returncode == 0 and "same" in done.stdout, done.stderr
    # In Python, too, it is a line that can be pasted.
    with pytest.raises(pantler.UntrustedError) as caught:
        pantler.Butler.open(tmp_path / "repo").get("state", n=1)
    [hint] = caught.value.hints
    assert eval(hint.split(": ", 1)[1]).get("state", n=1) == {"a": 1}


def test_a_program_without_python_says_what_is_needed(strangers, environment, tmp_path):
    program = os.environ.get("PANTLER", str(CHECKOUT / "target" / "debug" / "pantler"))
    if not os.path.exists(program):
        pytest.skip("the program is not built here")
    words = ["get", strangers, "loud", "visit=1", "--out", tmp_path / "x.txt", "--trust", "survey", "--allow-pickle"]
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 2 and "the Python package" in done.stderr and "pip install pantler" in done.stderr
