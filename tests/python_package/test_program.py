"""The command that the package brings: the same program as the one built alone."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import pantler
from conftest import CCD, VISIT

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
