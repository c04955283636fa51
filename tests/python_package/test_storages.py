"""Storages in Python, by policy, by call and by entry point; pickles, for callers who allow them."""

import pickle
import sys

import numpy as np
import pytest

import pantler
from stand_ins import packages  # noqa: F401

STORAGES = '''
    import json

    class Point:
        def __init__(self, x, y):
            self.x, self.y = x, y

        def __eq__(self, other):
            return (self.x, self.y) == (other.x, other.y)

    class LineStorage:
        parts = ("x",)

        def read(self, data):
            return Point(*(float(word) for word in data.split()))

        def read_part(self, data, name):
            return float(data.split()[0])

        def write(self, obj):
            return f"{obj.x} {obj.y}".encode()

    class Upper:
        def read(self, data):
            return data.decode().lower()

        def write(self, obj):
            return obj.upper().encode()

    class NoWriter:
        def read(self, data):
            return data

    class Strange(Upper):
        def write(self, obj):
            return 5
'''


def one_type(python, storage, name="point"):
    return {"datasets": {name: {"template": f"{name}/%(visit)d.dat", "python": python, "storage": storage}}}


@pytest.fixture
def storages(packages):
    packages({"survey.storages": STORAGES})
    import survey.storages

    return survey.storages


@pytest.mark.parametrize("as_path", [True, False])
def test_a_storage_of_a_policy(storages, tmp_path, as_path):
    storage = "survey.storages.LineStorage" if as_path else storages.LineStorage
    butler = pantler.Butler(outputs=tmp_path / "out", policy=one_type(storages.Point, storage))
    point = storages.Point(1.5, 2.0)
    done = butler.put(point, "point", visit=1)
    assert (tmp_path / "out/point/1.dat").read_bytes() == b"1.5 2.0" and done.written == ["point/1.dat"]
    assert butler.put(storages.Point(1.5, 2.0), "point", visit=1).unchanged == ["point"]
    with pytest.raises(pantler.ConflictError):
        butler.put(storages.Point(0, 0), "point", visit=1)

    again = pantler.Butler.open(tmp_path / "out")
    got = again.get("point", visit=1)
    assert got == point and type(got) is storages.Point
    assert again.get("point", visit=1) is got
    assert again.get("point.x", visit=1) == 1.5
    assert again.get("point.y", visit=1) == 2.0
    with pytest.raises(pantler.UnsupportedError, match="whole objects only"):
        again.get("point", visit=1, columns=["x"])
    with pytest.raises(pantler.PantlerError, match="are of class Point, and what is put is of class str"):
        again.put("text", "point", visit=2)


def test_a_storage_by_call(storages, tmp_path):
    policy = one_type("str", "UpperStorage", "word")
    butler = pantler.Butler(outputs=tmp_path / "out", policy=policy, storages={"UpperStorage": storages.Upper})
    butler.put("hello", "word", visit=1)
    assert (tmp_path / "out/word/1.dat").read_text() == "HELLO"
    assert butler.get("word", visit=1) == "hello"

    other = pantler.Butler.open(tmp_path / "out")
    with pytest.raises(pantler.PantlerError, match="UpperStorage"):
        other.get("word", visit=1)
    other.register_storage("UpperStorage", storages.Upper())
    assert other.get("word", visit=1) == "hello"
    assert pickle.loads(pickle.dumps(other)).get("word", visit=1) == "hello"


def test_a_storage_by_entry_point(storages, packages, tmp_path, monkeypatch):
    folder = packages({})
    metadata = folder / "survey_storages-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: survey-storages\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pantler.storages]\nInstalledStorage = survey.storages:Upper\n")
    butler = pantler.Butler(outputs=tmp_path / "out", policy=one_type("str", "InstalledStorage", "word"))
    butler.put("hello", "word", visit=1)
    assert butler.get("word", visit=1) == "hello"
    assert (tmp_path / "out/word/1.dat").read_text() == "HELLO"


@pytest.mark.parametrize(("name", "error"), [("NoWriter", pantler.PolicyError), ("Strange", TypeError)])
def test_a_storage_that_is_none_is_refused(storages, tmp_path, name, error):
    policy = one_type("str", getattr(storages, name), "word")
    butler = pantler.Butler(outputs=tmp_path / "out", policy=policy)
    with pytest.raises(error, match="write|bytes"):
        butler.put("hello", "word", visit=1)
    assert not list((tmp_path / "out").rglob("*.dat"))


def test_what_a_storage_raises_arrives_as_it_was_raised(tmp_path):
    class Fails:
        def read(self, data):
            raise KeyError("nothing")

        def write(self, obj):
            return b"x"

    butler = pantler.Butler(outputs=tmp_path / "out", policy=one_type("str", "Failing", "word"), storages={"Failing": Fails})
    butler.put("hello", "word", visit=1)
    with pytest.raises(KeyError, match="nothing"):
        butler.get("word", visit=1)


def test_pickles_are_off_unless_the_caller_allows_them(tmp_path):
    policy = one_type("dict", "PickleStorage", "state")
    butler = pantler.Butler(outputs=tmp_path / "out", policy=policy, allow_pickle=True)
    state = {"numbers": np.arange(3), 5: ("a", None)}
    butler.put(state, "state", visit=1)
    assert butler.put({"numbers": np.arange(3), 5: ("a", None)}, "state", visit=1).written == []
    # pickle itself judges the file.
    written = pickle.loads((tmp_path / "out/state/1.dat").read_bytes())
    assert written[5] == ("a", None) and list(written["numbers"]) == [0, 1, 2]
    got = pantler.Butler(inputs=tmp_path / "out", allow_pickle=True).get("state", visit=1)
    assert got[5] == ("a", None)

    careful = pantler.Butler.open(tmp_path / "out")
    with pytest.raises(pantler.UntrustedError) as caught:
        careful.get("state", visit=1)
    assert isinstance(caught.value, PermissionError)
    assert any("allow_pickle=True" in hint for hint in caught.value.hints)
    with pytest.raises(pantler.UntrustedError):
        careful.put({}, "state", visit=2)
    assert careful.exists("state", visit=1)


def test_a_hostile_pickle_runs_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return (exec, ("import sys; sys.modules['evil_ran'] = sys",))

    policy = one_type("dict", "PickleStorage", "state")
    pantler.Butler(outputs=tmp_path / "out", policy=policy)
    (tmp_path / "state").write_bytes(pickle.dumps(Evil()))
    butler = pantler.Butler.open(tmp_path / "out")
    butler.ingest("state", [tmp_path / "state"], visit=1)
    with pytest.raises(pantler.UntrustedError):
        butler.get("state", visit=1)
    assert "evil_ran" not in sys.modules


DATA = '''
    import dataclasses

    @dataclasses.dataclass
    class Seeing:
        fwhm: float
        stars: int = 0

    class Celsius:
        def __init__(self, degrees):
            self.degrees = degrees

        @classmethod
        def from_stored(cls, value):
            return cls(value["kelvin"] - 273.15)

        def to_stored(self):
            return {"kelvin": self.degrees + 273.15}

    class Opaque:
        pass
'''


def test_classes_of_users_in_storages_of_pantler(packages, tmp_path):
    packages({"survey.data": DATA})
    from survey.data import Celsius, Opaque, Seeing

    policy = {
        "datasets": {
            name: {"template": f"{name}/%(visit)d.json", "python": cls, "storage": "JsonStorage"}
            for name, cls in [("seeing", Seeing), ("celsius", Celsius), ("opaque", Opaque)]
        }
    }
    butler = pantler.Butler(outputs=tmp_path / "out", policy=policy)
    butler.put(Seeing(0.7, 12), "seeing", visit=1)
    butler.put(Celsius(20.0), "celsius", visit=1)
    again = pantler.Butler.open(tmp_path / "out")
    assert again.get("seeing", visit=1) == Seeing(0.7, 12)
    assert again.get("celsius", visit=1).degrees == pytest.approx(20.0)
    assert butler.put(Seeing(0.7, 12), "seeing", visit=1).unchanged == ["seeing"]
    with pytest.raises(pantler.PolicyError, match="to_stored|know how to write"):
        butler.put(Opaque(), "opaque", visit=1)


def test_an_object_of_another_package_is_pickled_as_it_is(tmp_path):
    pandas = pytest.importorskip("pandas")
    policy = one_type("pandas.core.frame.DataFrame", "PickleStorage", "frame")
    butler = pantler.Butler(outputs=tmp_path / "out", policy=policy, allow_pickle=True)
    frame = pandas.DataFrame({"a": [1, 2]})
    butler.put(frame, "frame", visit=1)
    got = pantler.Butler(inputs=tmp_path / "out", allow_pickle=True).get("frame", visit=1)
    assert isinstance(got, pandas.DataFrame) and got.equals(frame)
