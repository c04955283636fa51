"""Ctrl-C in the middle of a call: it ends soon, what was not committed is undone, and the butler goes on.

Nothing here waits for a time: a child says through its standard output when it is where it is to be interrupted.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import pantler

# Longer than anything here takes, unless it hangs.
LONGEST_SECONDS = 120

POLICY = {
    "datasets": {
        "image": {"template": "image/%(n)05d.fits", "python": "ImageF", "storage": "FitsStorage"},
        "note": {"template": "note/%(n)05d.json", "python": "dict", "storage": "JsonStorage"},
        "slow": {"template": "slow/%(n)05d.txt", "python": "str", "storage": "SlowStorage"},
    }
}

BEGINNING = """
    import json, os, signal, sys, threading
    import numpy as np
    import pantler

    def say(word):
        # At once: several threads say something.
        os.write(1, f"{word}\\n".encode())

"""


def interrupted(code, *words):
    """Run a program, send it SIGINT when it says `now`, and return the last line that it prints."""
    program = textwrap.dedent(BEGINNING) + textwrap.dedent(code)
    child = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        line = child.stdout.readline()
        if line != "now\n":
            child.kill()
        assert line == "now\n", line + child.communicate()[1]
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=LONGEST_SECONDS)
    finally:
        child.kill()
    assert child.returncode == 0, err
    return json.loads(out.splitlines()[-1])


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "repo"
    pantler.Butler(outputs=root, policy=POLICY)
    return root


def assert_whole(root, **counts):
    """The index and the files agree, and crashes left nothing."""
    butler = pantler.Butler.open(root)
    report = butler.fsck(deep=True)
    assert report.clean and not report.leftover, (report.problems, report.leftover)
    for name, count in counts.items():
        assert len(butler.query(name)) == count


def test_reading_together_ends_where_other_threads_read(repository):
    """The threads that read wait for the signal's handler: it runs only if the one that waits for them listens."""
    butler = pantler.Butler.open(repository, storages={"SlowStorage": Text})
    for n in range(16):
        butler.put("text", "slow", n=n)
    said = interrupted(
        """
        handled, reads = threading.Event(), []

        def handler(*_):
            handled.set()
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, handler)

        class Slow:
            def read(self, data):
                reads.append(data)
                say("now")
                handled.wait()
                return data.decode()

            def write(self, obj):
                return obj.encode()

        butler = pantler.Butler.open(sys.argv[1], storages={"SlowStorage": Slow()})
        try:
            list(butler.get_many("slow", [{"n": n} for n in range(16)]))
        except KeyboardInterrupt:
            begun = len(reads)
            # It goes on, also with what was being read.
            again = len(list(butler.get_many("slow", [{"n": n} for n in range(16)])))
            say(json.dumps([begun, again]))
        """,
        repository,
    )
    begun, again = said
    # Each thread of the pool ends the one that it has.
    assert 0 < begun < 16 and again == 16


class Text:
    def read(self, data):
        return data.decode()

    def write(self, obj):
        return obj.encode()


LOOPS = {
    "ingest": """
        def work(number):
            files = []
            for n in range(40):
                files.append(f"{sys.argv[2]}/{number * 40 + n:05d}.json")
                with open(files[-1], "w") as file:
                    file.write("{}")
            butler.ingest("note", files)
    """,
    "batch": """
        def work(number):
            with butler.batch() as batch:
                for n in range(40):
                    batch.put({"n": n}, "note", n=number * 40 + n)
    """,
    "put": """
        def work(number):
            butler.put(pantler.Image(np.full((300, 300), number, "float32")), "image", n=number)
    """,
    "query": """
        butler.put({}, "note", n=1)

        def work(number):
            assert len(butler.query("note", "n > 0")) == 1
    """,
}


@pytest.mark.parametrize("name", LOOPS)
def test_whatever_it_is_at_is_done_whole_or_not_at_all(repository, tmp_path, name):
    """Calls go on until one is interrupted, wherever that is in it."""
    (tmp_path / "note").mkdir()
    said = interrupted(
        """
        butler = pantler.Butler.open(sys.argv[1])
        """
        + LOOPS[name]
        + """
        number = 0
        try:
            say("now")
            while True:
                work(number)
                number += 1
        except KeyboardInterrupt:
            # The same butler goes on.
            butler.put({"last": True}, "note", n=99999)
            say(json.dumps([number, len(butler.query("note")), len(butler.query("image"))]))
        """,
        repository,
        tmp_path / "note",
    )
    number, notes, images = said
    if name in ("ingest", "batch"):
        # An interrupt that comes with the commit itself is raised after it.
        assert notes - 1 in (40 * number, 40 * number + 40)
    if name == "put":
        assert images in (number, number + 1)
    assert_whole(repository, note=notes, image=images)


def test_a_file_that_is_copied_is_not_finished(repository, tmp_path):
    """What raises KeyboardInterrupt in the middle of a copy leaves no dataset and no file."""
    image = pantler.Image(np.zeros((40, 30), "float32"))
    butler = pantler.Butler.open(repository)
    butler.put(image, "image", n=1)
    [place] = butler.locations("image", n=1).values()
    files = tmp_path / "image"
    files.mkdir()
    with open(place, "rb") as file:
        header = file.read()
    # Padded with nothing to a size that takes long enough to be asked meanwhile: 1 GiB.
    with open(files / "00002.fits", "wb") as file:
        file.write(header)
        file.truncate(1 << 30)
    told = []

    def progress(done, total):
        told.append((done, total))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        butler.ingest("image", [files / "00002.fits"], progress=progress)
    assert told == [(1, 1)]
    assert_whole(repository, image=1)
    assert not butler.exists("image", n=2)


def test_what_a_handler_raises_arrives_and_it_may_use_the_butler(repository):
    butler = pantler.Butler.open(repository, storages={"SlowStorage": Text})
    for n in range(4):
        butler.put("text", "slow", n=n)
    said = interrupted(
        """
        handled = threading.Event()

        class Enough(Exception):
            pass

        def handler(*_):
            found = butler.exists("slow", n=2), butler.get("note", n=7)
            handled.set()
            raise Enough(found)

        signal.signal(signal.SIGINT, handler)

        class Slow:
            def read(self, data):
                say("now")
                handled.wait()
                return data.decode()

            def write(self, obj):
                return obj.encode()

        butler = pantler.Butler.open(sys.argv[1], storages={"SlowStorage": Slow()})
        butler.put({"a": 1}, "note", n=7)
        try:
            list(butler.get_many("slow", [{"n": n} for n in range(4)]))
        except Enough as error:
            exists, note = error.args[0]
            say(json.dumps([exists, note.value]))
        """,
        repository,
    )
    assert said == [True, {"a": 1}]


def catches_sigint(process):
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    [caught] = [line.split()[1] for line in lines if line.startswith("SigCgt")]
    return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="nothing says what another process does with signals")
def test_the_command_is_ended_and_leaves_no_harm(repository, tmp_path):
    """As the same program without Python: ended by the signal, without a traceback."""
    (tmp_path / "note").mkdir()
    files = []
    for n in range(2000):
        files.append(tmp_path / "note" / f"{n:05d}.json")
        files[-1].write_text("{}")
    child = subprocess.Popen(
        [sys.executable, "-m", "pantler", "ingest", str(repository), "note", *map(str, files)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The interpreter takes signals for itself until it hands over to the program.
    while not catches_sigint(child.pid):
        pass
    while catches_sigint(child.pid):
        pass
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=LONGEST_SECONDS)
    # What a shell shows as 130; 0 where it was faster than the signal.
    assert child.returncode in (-signal.SIGINT, 0)
    assert "Traceback" not in err and "panicked" not in err
    butler = pantler.Butler.open(repository)
    assert len(butler.query("note")) in (0, 2000)
    # A process that is ended cannot tidy up after itself; whoever comes next can.
    assert butler.fsck(deep=True).clean and butler.fsck(repair=True).clean
    assert_whole(repository)
