"""The documents of `--json`: exactly the fields that the contract gives, and what was added to it, written out here."""

import uuid

import judging
from survey import TRACT, VISIT, keys

PLAN = {
    "name", "dataset_type", "data_id", "kind", "python", "assembler", "repository", "repository_name", "location", "bytes",
    "input_only", "origin", "newer", "components",
}
ROW = {"dataset_type", "data_id", "repository", "location", "bytes", "id"}
STATS = {"bytes_read", "bytes_written", "read_requests", "artifacts_opened", "registry_queries"}
WORDS = keys(visit=VISIT, ccd=49, tract=TRACT)


def test_explain(any_survey, pantler):
    plan = pantler("explain", any_survey.joint, "calexp:jointcal", *WORDS, "--json").json()
    assert plan.keys() == PLAN
    assert plan["kind"] == "composite" and plan["origin"] == "lookup"
    assert plan["data_id"] == {"visit": VISIT, "ccd": 49, "tract": TRACT}
    assert list(plan["components"]) == ["calexp", "wcs", "calib"], "in policy order"
    for part in plan["components"].values():
        assert part.keys() == PLAN
        assert part["kind"] == "file" and part["components"] == {}
    base, wcs, calib = plan["components"].values()
    assert base["input_only"] is True and wcs["input_only"] is False
    assert base["location"] == "calexp/0011506/049.fits" and base["repository"] == str(any_survey.single)
    assert wcs["location"] == "jointcal/8766/wcs-0011506-049.fits" and wcs["repository"] == str(any_survey.joint)
    assert base["bytes"] == any_survey.exposures[49].stat().st_size
    assert calib["bytes"] == any_survey.calib[49].stat().st_size
    assert plan["bytes"] == sum(part["bytes"] for part in plan["components"].values())


def test_explain_says_what_was_recorded(any_survey, pantler):
    any_survey.put(any_survey.export(49), tract=9)
    plan = pantler(
        "explain", any_survey.joint, "calexp:jointcal", *keys(visit=VISIT, ccd=49, tract=9), "--json"
    ).json()
    assert plan["origin"] == "recorded"


def test_query(any_survey, pantler):
    rows = pantler("query", any_survey.joint, "jointcal_wcs", "--json").json()
    assert rows
    for row in rows:
        assert row.keys() == ROW
        assert row["dataset_type"] == "jointcal_wcs"
        assert (any_survey.joint / row["location"]).stat().st_size == row["bytes"]
        uuid.UUID(row["id"])
    every = pantler("query", any_survey.joint, "--json").json()
    assert {"jointcal_wcs", "jointcal_calib"} <= {row["dataset_type"] for row in every}
    assert pantler("query", any_survey.joint, "jointcal_wcs", "ccd=1", "--json").json() == []


def test_get_and_export(any_survey, pantler):
    for command in ("get", "export"):
        out = any_survey.file(f"{command}.fits")
        document = pantler(command, any_survey.joint, "calexp:jointcal", *WORDS, "--out", out, "--json").json()
        assert document == {
            "name": "calexp:jointcal",
            "data_id": {"visit": VISIT, "ccd": 49, "tract": TRACT},
            "out": str(out),
            "bytes": out.stat().st_size,
            "format": "FITS",
        }


def test_put_and_link(any_survey, pantler):
    export = any_survey.export(49)
    for document in (
        any_survey.put(export, tract=9).json(),
        pantler("link", any_survey.joint, "calexp:jointcal", *WORDS, "--json").json(),
    ):
        assert document.keys() == {"name", "data_id", "written", "unchanged", "input_only", "recorded", "id"}
        assert document["recorded"] is True
        uuid.UUID(document["id"])


def test_ingest_counts_and_recognises_what_is_there(any_survey, pantler):
    words = keys(visit=VISIT, ccd=53)
    first = pantler("ingest", any_survey.single, "calexp:sfm", any_survey.exposures[49], *words, "--json").json()
    assert first == {"ingested": 1, "same": 0, "failed": []}
    again = pantler("ingest", any_survey.single, "calexp:sfm", any_survey.exposures[49], *words, "--json").json()
    assert again == {"ingested": 0, "same": 1, "failed": []}


def test_fsck(any_survey, pantler):
    sound = pantler("fsck", any_survey.joint, "--json").json()
    assert sound == {"clean": True, "problems": [], "leftover": []}
    lost = any_survey.joint / "jointcal/8766/wcs-0011506-049.fits"
    lost.unlink()
    found = pantler("fsck", any_survey.joint, "--json", status=1).json()
    assert found["clean"] is False
    (problem,) = found["problems"]
    assert problem.keys() == {"kind", "dataset_type", "data_id", "location"}
    assert problem["location"] == "jointcal/8766/wcs-0011506-049.fits"


def test_show(any_survey, pantler):
    document = pantler("show", any_survey.joint, "calexp:jointcal", *WORDS, "--json").json()
    assert {"name", "python", "components", "header", "statistics"} <= document.keys()
    # Beside the contract's: which dataset it is, the class of the object, and what it decodes to.
    assert {"data_id", "class", "values", "sky", "archive"} <= document.keys()
    assert {"image", "mask", "variance", "wcs", "photoCalib"} <= document["components"].keys()
    assert judging.CALIBRATION.isdisjoint(document["header"])


def test_show_of_a_repository(any_survey, pantler):
    document = pantler("show", any_survey.joint, "--json").json()
    assert document.keys() == {"repository", "parents", "stages", "types"}
    assert document["repository"] == str(any_survey.joint)
    for one in document["types"]:
        # Beside the contract's: the kind of the type, and what its policy says of it.
        assert one.keys() == {"name", "count", "bytes", "keys"} | {"kind", "description"}
    wcs = next(one for one in document["types"] if one["name"] == "jointcal_wcs")
    assert wcs["keys"]["tract"] == [TRACT, TRACT]


def test_policy_check(pantler, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("datasets:\n  calexp: {template: a, python: lsst.afw.image.ExposureF, storge: FitsStorage}\n")
    document = pantler("policy", "check", policy, "--json", status=1).json()
    assert document.keys() == {"problems"}
    for problem in document["problems"]:
        assert problem.keys() == {"severity", "code", "file", "line", "column", "message", "hints"}
    assert any("storge" in problem["message"] and problem["line"] == 2 for problem in document["problems"])


def test_stats_are_the_last_line_and_count_the_artifacts(any_survey, pantler):
    out = any_survey.file("stats.fits")
    answer = pantler("get", any_survey.joint, "calexp:jointcal", *WORDS, "--out", out, "--json", "--stats")
    stats = answer.stats()
    assert stats.keys() == STATS
    files = (any_survey.exposures, any_survey.wcs, any_survey.calib)
    assert stats["bytes_read"] <= sum(one[49].stat().st_size for one in files)
    assert stats["bytes_written"] == 0
    put = pantler(
        "put", any_survey.joint, "calexp:jointcal", out, *keys(visit=VISIT, ccd=49, tract=9), "--json", "--stats"
    )
    written = sum((any_survey.joint / name).stat().st_size for name in put.json()["written"])
    assert put.stats()["bytes_written"] == written


def test_errors_are_one_document_on_standard_error(any_survey, pantler, tmp_path):
    for name, words in (("calexp:jointcal", keys(visit=1, ccd=49, tract=TRACT)), ("calxep:sfm", WORDS), ("calexp:sfm", ["vist=1"])):
        answer = pantler("get", any_survey.joint, name, *words, "--out", tmp_path / "no.fits", "--json", status=2)
        assert answer.out == ""
        error = answer.error()
        assert error.keys() == {"kind", "message", "facts", "hints", "trail"}
        assert len(answer.err.splitlines()) == 1
        assert error["message"] and not error["message"].endswith(".")
