"""Data IDs without the tract, parts that are missing, and what is never taken instead (rules R2, R4, R18)."""

from survey import TRACT, VISIT, Survey, JOINTCAL, artifacts, keys, sha256
import judging


def test_r18_the_only_tract_is_completed(any_survey, pantler):
    out = any_survey.file("completed.fits")
    answer = pantler(
        "export", any_survey.joint, "calexp:jointcal", *keys(visit=VISIT, ccd=49), "--out", out, "--json"
    ).json()
    assert answer["data_id"] == {"visit": VISIT, "ccd": 49, "tract": TRACT}
    assert sha256(out) == sha256(any_survey.export(49))


def test_r18_several_tracts_are_listed_and_none_is_chosen(any_survey, pantler):
    any_survey.put(any_survey.export(49), tract=9)
    out = any_survey.file("ambiguous.fits")
    words = ("calexp:jointcal", *keys(visit=VISIT, ccd=49))
    for command in (("get", "--out", out), ("export", "--out", out), ("explain",)):
        answer = pantler(command[0], any_survey.joint, *words, *command[1:], status=2)
        assert answer.out == ""
        assert "tract=9 " in answer.err and f"tract={TRACT} " in answer.err
        assert "needs the key `tract`" in answer.err
        assert not out.exists()
    answer = pantler("get", any_survey.joint, *words, "--out", out, "--json", status=2)
    assert answer.out == "" and answer.error()["kind"] == "ambiguous"
    # The hint says what lists them, and it does.
    listed = pantler("query", any_survey.joint, *words, "--json").json()
    assert sorted(row["data_id"]["tract"] for row in listed) == [9, TRACT]


def test_r18_a_tract_of_which_half_is_there_counts_and_is_marked(any_survey, pantler):
    calib = any_survey.calib[49]
    pantler("ingest", any_survey.joint, "jointcal_calib", calib, *keys(visit=VISIT, ccd=49, tract=7))
    out = any_survey.file("half.fits")
    answer = pantler("get", any_survey.joint, "calexp:jointcal", *keys(visit=VISIT, ccd=49), "--out", out, status=2)
    line = next(line for line in answer.err.splitlines() if "tract=7 " in line)
    assert f"tract={TRACT}" in answer.err
    assert "incomplete" in line
    assert not out.exists()


def test_a_missing_wcs_is_an_error_and_the_old_one_is_never_used(any_survey, pantler):
    pantler("ingest", any_survey.single, "calexp:sfm", any_survey.exposures[49], *keys(visit=VISIT, ccd=51))
    pantler("ingest", any_survey.joint, "jointcal_calib", any_survey.calib[49], *keys(visit=VISIT, ccd=51, tract=TRACT))
    out = any_survey.file("missing.fits")
    for part in ("", ".wcs"):
        words = (f"calexp:jointcal{part}", *keys(visit=VISIT, ccd=51, tract=TRACT))
        answer = pantler("get", any_survey.joint, *words, "--out", out, status=2)
        assert answer.out == "" and not out.exists()
        assert "wcs" in answer.err and "not found" in answer.err
        assert "jointcal_wcs visit=11506 ccd=51 tract=8766" in answer.err
        assert str(any_survey.joint) in answer.err and str(any_survey.single) in answer.err, "it says where it looked"
        error = pantler("get", any_survey.joint, *words, "--out", out, "--json", status=2).error()
        assert error["kind"] == "not_found"
    # What does not depend on the missing part can be had.
    pantler("get", any_survey.joint, "calexp:jointcal.mask", *keys(visit=VISIT, ccd=51, tract=TRACT), "--out", out)


def test_a_missing_base_is_an_error(any_survey, pantler, tmp_path):
    words = ("calexp:jointcal", *keys(visit=VISIT, ccd=52, tract=TRACT))
    for kind, files in (("wcs", any_survey.wcs), ("calib", any_survey.calib)):
        pantler("ingest", any_survey.joint, f"jointcal_{kind}", files[49], *keys(visit=VISIT, ccd=52, tract=TRACT))
    answer = pantler("get", any_survey.joint, *words, "--out", tmp_path / "no.fits", status=2)
    assert "component `calexp`" in answer.err and "calexp:sfm visit=11506 ccd=52" in answer.err


def test_r4_an_unqualified_name_lists_its_stages(any_survey, pantler, tmp_path):
    words = keys(visit=VISIT, ccd=49)
    answer = pantler("get", any_survey.joint, "calexp", *words, "--out", tmp_path / "no.fits", status=2)
    assert "calexp:sfm" in answer.err and "calexp:jointcal" in answer.err


def test_an_alias_changes_what_the_child_means_and_not_the_parent(tmp_path, pantler, real_file):
    policy = JOINTCAL.replace("datasets:", 'aliases: {calexp: "calexp:jointcal"}\ndatasets:', 1)
    made = Survey.init(tmp_path, pantler, policy)
    made.add_exposure(real_file("exposures/hsc_calexp_full.fits"), 49)
    made.add_joint(
        real_file("exposures/joint/8766/jointcal_wcs-0011506-049.fits"),
        real_file("exposures/joint/8766/jointcal_photoCalib-0011506-049.fits"),
    )
    out = tmp_path / "aliased.fits"
    pantler("export", made.joint, "calexp", *keys(visit=VISIT, ccd=49), "--out", out)
    assert judging.wcs_dump(out) == judging.wcs_dump(made.wcs[49])
    pantler("export", made.single, "calexp", *keys(visit=VISIT, ccd=49), "--out", tmp_path / "no.fits", status=2)
    pantler("export", made.joint, "calexp:sfm", *keys(visit=VISIT, ccd=49), "--out", tmp_path / "sfm.fits")
    assert judging.wcs_dump(tmp_path / "sfm.fits") == judging.wcs_dump(made.exposures[49])


def test_r2_a_version_that_contradicts_the_stage_is_an_error(any_survey, pantler, tmp_path):
    words = keys(version="jointcal", visit=VISIT, ccd=49)
    answer = pantler("get", any_survey.joint, "calexp:sfm", *words, "--out", tmp_path / "no.fits", status=2)
    assert "version" in answer.err


def test_the_first_step_is_untouched_by_all_of_it(any_survey, pantler):
    before = artifacts(any_survey.single)
    rows = pantler("query", any_survey.single, "--json").json()
    export = any_survey.export(49)
    any_survey.put(export, tract=9)
    any_survey.put(export, tract=10)
    pantler("get", any_survey.joint, "calexp:jointcal", *keys(visit=VISIT, ccd=49, tract=9), "--out", export)
    assert artifacts(any_survey.single) == before
    assert pantler("query", any_survey.single, "--json").json() == rows
    assert sha256(any_survey.base_artifact(49)) == sha256(any_survey.exposures[49])
