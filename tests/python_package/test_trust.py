"""A repository that is not yours runs no code, unless you say so."""

import os
import sys

import pytest

import pantler
from conftest import CCD, JOINTCAL, SINGLE_VISIT, TRACT, VISIT, new_calib, new_wcs, simulated_exposure
from pantler.trust import trusted
from stand_ins import packages  # noqa: F401

KEYS = {"visit": VISIT, "ccd": CCD, "tract": TRACT}

NOBODY = 65534

OVERLAY = '''
    ran = []

    def assemble(dataId, componentDict, classObj):
        ran.append("assemble")
        exposure = componentDict["calexp"]
        exposure.setWcs(componentDict["wcs"])
        return exposure

    def disassemble(obj, dataId, componentDict):
        ran.append("disassemble")
        componentDict["wcs"] = obj.getWcs()

    def shout(obj, data_id):
        ran.append("shout")
        return obj.upper()

    class Storage:
        def read(self, data):
            ran.append("read")
            return data.decode()

        def write(self, obj):
            return obj.encode()
'''


@pytest.fixture
def strangers(packages, tmp_path):
    """A repository with code in its policy, and a function that gives a file of it to somebody else; only root can."""
    if os.geteuid() != 0:
        pytest.skip("giving a file away needs root")
    packages({"survey.strange": OVERLAY})
    root = tmp_path / "strange"
    word = {"template": "word/%(visit)d.txt", "python": "str"}
    policy = {
        "datasets": {
            **SINGLE_VISIT["datasets"],
            **JOINTCAL["datasets"],
            "updated": {
                "python": "Exposure",
                "composite": {"calexp": {"datasetType": "calexp:sfm", "inputOnly": True}, "wcs": {"datasetType": "jointcal_wcs"}},
                "assembler": "survey.strange.assemble",
                "disassembler": "survey.strange.disassemble",
            },
            "loud": {**word, "storage": "TextStorage", "standardize": "survey.strange.shout"},
            "own": {**word, "template": "own/%(visit)d.txt", "storage": "survey.strange.Storage"},
        }
    }
    butler = pantler.Butler(outputs=root, policy=policy)
    butler.put(simulated_exposure(), "calexp:sfm", visit=VISIT, ccd=CCD)
    butler.put(new_wcs(), "jointcal_wcs", KEYS)
    butler.put(new_calib(), "jointcal_calib", KEYS)
    butler.put("hello", "loud", visit=1)
    butler.put("hello", "own", visit=1)
    import survey.strange

    survey.strange.ran.clear()
    sys.modules.pop("survey.strange")
    return root


GIVEN_AWAY = [".", "policy.yaml", ".pantler"]


@pytest.mark.parametrize("given_away", GIVEN_AWAY)
@pytest.mark.parametrize(
    ("name", "keys", "role"),
    [("updated", KEYS, "assembler"), ("loud", {"visit": 1}, "standardize"), ("own", {"visit": 1}, "storage")],
)
def test_code_of_others_is_not_even_imported(strangers, given_away, name, keys, role):
    os.chown(strangers / given_away, NOBODY, NOBODY)
    butler = pantler.Butler(inputs=strangers)
    assert butler.exists(name, keys) and butler.explain(name, keys)
    with pytest.raises(pantler.UntrustedError) as caught:
        butler.get(name, keys)
    error = caught.value
    assert isinstance(error, PermissionError) and error.kind == "untrusted"
    assert "survey.strange" in error.message and name in error.message
    (place,) = error.facts["defined"]
    assert "policy.yaml:" in place and f"`{role}`" in place
    assert str((strangers / given_away).resolve()) in error.facts["why"][0]
    assert any('trust=["survey.strange"]' in hint for hint in error.hints)
    assert any(f'trust=["{strangers}"]' in hint for hint in error.hints)
    assert "survey.strange" not in sys.modules
    # Their data can be read all the same.
    assert butler.get("jointcal_wcs", KEYS) == new_wcs()


def test_what_the_caller_trusts_runs(strangers):
    os.chown(strangers / "policy.yaml", NOBODY, NOBODY)
    for trust in (["survey.strange"], ["survey"], "survey", [str(strangers)], [strangers], ["survey.strange.assemble"]):
        assert pantler.Butler(inputs=strangers, trust=trust).get("updated", KEYS).wcs == new_wcs()
    for trust in ([], ["surve"], ["survey.strange.other"], [strangers.parent]):
        with pytest.raises(pantler.UntrustedError):
            pantler.Butler(inputs=strangers, trust=trust).get("updated", KEYS)


def test_ones_own_repository_runs_its_code(strangers):
    assert pantler.Butler(inputs=strangers).get("updated", KEYS).wcs == new_wcs()
    assert pantler.Butler(inputs=strangers).get("loud", visit=1) == "HELLO"
    assert pantler.Butler(inputs=strangers).get("own", visit=1) == "hello"


def test_the_code_of_a_strange_parent_stays_strange(strangers, tmp_path):
    os.chown(strangers, NOBODY, NOBODY)
    child = tmp_path / "child"
    butler = pantler.Butler(inputs=strangers, outputs=child)
    with pytest.raises(pantler.UntrustedError):
        butler.get("updated", KEYS)
    with pytest.raises(pantler.UntrustedError):
        butler.put(simulated_exposure(), "updated", KEYS)
    butler.link("updated", KEYS)
    with pytest.raises(pantler.UntrustedError):
        pantler.Butler.open(child).get("updated", KEYS)


def test_r07_a_definition_with_strange_code_is_not_copied_into_ones_own_policy(strangers, tmp_path):
    os.chown(strangers, NOBODY, NOBODY)
    mine = tmp_path / "mine"
    # Not a parent: its definitions have to be copied, and would be the user's own from then on.
    pantler.Butler(outputs=mine, policy={"datasets": {"notes": SINGLE_VISIT["datasets"]["notes"]}})
    butler = pantler.Butler(outputs=[mine, strangers])
    with pytest.raises(pantler.UntrustedError, match="survey.strange"):
        butler.put("again", "loud", visit=2)
    assert "survey.strange" not in "".join(path.read_text() for path in mine.rglob("*.yaml"))
    assert not list(mine.rglob("*.txt"))
    pantler.Butler(outputs=[mine, strangers], trust="survey.strange").put("again", "loud", visit=2)
    assert "survey.strange" in "".join(path.read_text() for path in mine.rglob("*.yaml"))


def test_strange_code_that_a_type_of_ones_own_inherits_stays_strange(strangers, tmp_path):
    os.chown(strangers, NOBODY, NOBODY)
    quiet = {"inherits": "loud", "template": "quiet/%(visit)d.txt"}
    butler = pantler.Butler(inputs=strangers, outputs=tmp_path / "mine", policy={"datasets": {"quiet": quiet}})
    butler.put("hello", "quiet", visit=1)
    with pytest.raises(pantler.UntrustedError, match="survey.strange.shout"):
        butler.get("quiet", visit=1)
    # Nor does a word of the caller's about a type make its code the caller's.
    words = {"datasets": {"updated": {"description": "what a stranger updated"}}}
    with pytest.raises(pantler.UntrustedError):
        pantler.Butler(inputs=strangers, policy=words).get("updated", KEYS)


@pytest.mark.parametrize("path", ["builtins.eval", "pantler.storages.pickle.loads", "eval"])
def test_what_everybody_has_is_strange_code_too(strangers, tmp_path, path):
    data = {"template": "data/%(visit)d.txt", "python": "str", "storage": "TextStorage", "standardize": path}
    with open(strangers / "policy.yaml", "w", encoding="utf-8") as file:
        file.write(str({"datasets": {"data": data}}))
    pantler.Butler.open(strangers).put("1 + 1", "data", visit=1)
    os.chown(strangers / "policy.yaml", NOBODY, NOBODY)
    with pytest.raises(pantler.UntrustedError):
        pantler.Butler(inputs=strangers).get("data", visit=1)
    mine = tmp_path / "mine"
    pantler.Butler(outputs=mine, policy={"datasets": {"notes": SINGLE_VISIT["datasets"]["notes"]}})
    with pytest.raises(pantler.UntrustedError):
        pantler.Butler(outputs=[mine, strangers]).put("2", "data", visit=2)


def test_a_policy_of_the_callers_own_is_trusted(strangers):
    os.chown(strangers, NOBODY, NOBODY)
    own = {"datasets": {"loud": {"standardize": "survey.strange.shout"}}}
    butler = pantler.Butler(inputs=strangers, policy=own)
    assert butler.get("loud", visit=1) == "HELLO"
    with pytest.raises(pantler.UntrustedError):
        butler.get("updated", KEYS)


def test_words_of_trust_are_repositories_or_modules(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert trusted(["a.b", "./c", tmp_path / "d", "/e"]) == (
        [str(tmp_path / "c"), str(tmp_path / "d"), "/e"],
        ["a.b"],
    )
    with pytest.raises(pantler.PantlerError, match="int"):
        trusted([5])
