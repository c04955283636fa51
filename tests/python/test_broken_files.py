"""Files that are broken: refused with status 2 and a reason, or read; never a crash, and nothing is taken in by halves."""

import random

import pytest
from astropy.io import fits

import judging
import simulated
from survey import VISIT, SINGLE_VISIT, artifacts, keys, make_repository

TYPE = "calexp:sfm"
# What a file is missing depends on where it was cut.
REASONS_OF_A_CUT = [
    "cut off", "before the end of the file", "the file ends after HDU", "no FITS header starts here",
    "which the file does not have",
]


@pytest.fixture
def repository(tmp_path, pantler):
    """An empty repository."""
    return make_repository(pantler, tmp_path / "single_visit", SINGLE_VISIT)


@pytest.fixture(params=["real", "simulated"])
def sound(request, tmp_path):
    """The bytes of a sound exposure."""
    if request.param == "real":
        return request.getfixturevalue("real_file")("exposures/hsc_calexp_full.fits").read_bytes()
    return simulated.write(tmp_path / "simulated").exposure.read_bytes()


def assert_refused(pantler, repository, file, reasons):
    """Both commands that take a user's file refuse this one, name it, and say why."""
    for arguments in (("show", "--file", file), ("ingest", repository, TYPE, file, *keys(visit=VISIT, ccd=1))):
        answer = pantler(*arguments, status=2)
        assert file.name in answer.err, str(answer)
        assert any(reason in answer.err for reason in reasons), str(answer)
        assert "bug in pantler" not in answer.err, str(answer)
    assert artifacts(repository) == {}
    assert pantler("query", repository, "--json").json() == []


def assert_refused_or_read(pantler, repository, file, ccd):
    """Where a change may be in pixels or in history, the file may be taken; if it is not, the file and a reason are named."""
    words = keys(visit=VISIT, ccd=ccd)
    shown = pantler("show", "--file", file, status=None)
    taken = pantler("ingest", repository, TYPE, file, *words, status=None)
    for answer in (shown, taken):
        assert answer.status in (0, 2), str(answer)
        assert "bug in pantler" not in answer.err, str(answer)
        if answer.status == 2:
            assert file.name in answer.err and len(answer.err.splitlines()) >= 2, str(answer)
    # What was taken can be there or be damaged in what an ingest does not read: it never ends otherwise.
    if taken.status == 0:
        out = file.with_suffix(".out.fits")
        got = pantler("get", repository, TYPE, *words, "--out", out, status=None)
        assert got.status in (0, 2, 3), str(got)
        assert "bug in pantler" not in got.err, str(got)
        assert got.status == 0 or not out.exists()
        return got.status == 0
    return False


@pytest.mark.parametrize(
    ("name", "content", "reasons"),
    [
        ("empty.fits", b"", ["empty"]),
        ("words.fits", b"this is no FITS file at all\n" * 400, ["no FITS header"]),
        ("short.fits", b"SIMPLE  =                    T", ["no END"]),
        ("zeros.fits", bytes(28800), ["no FITS header"]),
        ("random.fits", random.Random(1).randbytes(28800), ["no FITS header"]),
        ("no_end.fits", b"SIMPLE  =                    T".ljust(80) + b" " * 28720, ["no END"]),
        ("gzip.fits", b"\x1f\x8b\x08\x00" + bytes(600), ["gzip"]),
        ("picture.fits", b"\x89PNG\r\n\x1a\n" + bytes(4000), ["no FITS header"]),
    ],
)
def test_what_is_no_fits_file_is_refused(repository, pantler, tmp_path, name, content, reasons):
    file = tmp_path / name
    file.write_bytes(content)
    assert_refused(pantler, repository, file, reasons)


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(repository, pantler, tmp_path):
    assert_refused(pantler, repository, tmp_path / "absent.fits", ["No such file"])
    (tmp_path / "folder.fits").mkdir()
    assert_refused(pantler, repository, tmp_path / "folder.fits", ["directory", "folder"])


def test_a_truncated_file_is_refused_wherever_it_ends(repository, pantler, tmp_path, sound):
    source = random.Random(20261122)
    ends = [80, 2879, 2880, 2881, len(sound) - 2880, len(sound) - 5000] + [source.randrange(1, len(sound) - 2880) for _ in range(24)]
    starts = starts_of_hdus(tmp_path, sound)
    for end in ends:
        if end in starts:
            continue
        file = tmp_path / f"truncated-{end}.fits"
        file.write_bytes(sound[:end])
        assert_refused(pantler, repository, file, REASONS_OF_A_CUT)


def test_a_file_without_its_archive_is_refused(repository, pantler, tmp_path, sound):
    """It ends between two HDUs, and is whole but for what its header points to."""
    starts = starts_of_hdus(tmp_path, sound)
    file = tmp_path / "planes.fits"
    file.write_bytes(sound[: starts[4]])
    assert_refused(pantler, repository, file, ["the archive is HDU 4, and the file ends after HDU 3"])


def starts_of_hdus(folder, sound):
    """Where the HDUs of a file start, as astropy sees them."""
    whole = folder / "whole.fits"
    whole.write_bytes(sound)
    with judging.as_it_is(whole) as hdus:
        return [hdu.fileinfo()["hdrLoc"] for hdu in hdus]


def test_flipped_bits_never_crash_it(repository, pantler, tmp_path, sound):
    source = random.Random(49)
    read = 0
    for round_ in range(25):
        damaged = bytearray(sound)
        for _ in range(20):
            damaged[source.randrange(len(damaged))] ^= 1 << source.randrange(8)
        file = tmp_path / f"flipped-{round_}.fits"
        file.write_bytes(damaged)
        read += assert_refused_or_read(pantler, repository, file, round_)
    assert pantler("fsck", repository, "--json").json()["clean"] is True
    assert read < 25, "some of these are refused"


def test_flipped_bits_in_headers_never_crash_it(repository, pantler, tmp_path, sound):
    """Headers and the archive's index are where numbers are that decide how much is read."""
    source = random.Random(50)
    starts = starts_of_hdus(tmp_path, sound)
    for round_ in range(40):
        damaged = bytearray(sound)
        for start in source.sample(starts, 2):
            for _ in range(3):
                # The first cards hold the sizes.
                damaged[start + source.randrange(30 * 80)] ^= 1 << source.randrange(7)
        file = tmp_path / f"flipped-{round_}.fits"
        file.write_bytes(damaged)
        assert_refused_or_read(pantler, repository, file, round_)


HOSTILE = {
    "huge_axis": (1, "NAXIS1", "9223372036854775807"),
    "negative_axis": (1, "NAXIS1", "-64"),
    "overflowing_product": (1, "NAXIS2", "4611686018427387904"),
    "many_axes": (1, "NAXIS", "999"),
    "unknown_bitpix": (1, "BITPIX", "7"),
    "huge_heap": (4, "PCOUNT", "9223372036854775807"),
    "huge_rows": (4, "NAXIS2", "9223372036854775807"),
    "many_fields": (4, "TFIELDS", "99999999"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sizes_are_refused_before_memory_is_taken(repository, pantler, tmp_path, sound, name):
    hdu, keyword, value = HOSTILE[name]
    start = starts_of_hdus(tmp_path, sound)[hdu]
    at = sound.index(f"{keyword:<8}= ".encode(), start)
    card = f"{keyword:<8}= {value:>20}".encode()
    file = tmp_path / f"{name}.fits"
    file.write_bytes(sound[:at] + card + sound[at + len(card) :])
    assert_refused(pantler, repository, file, [keyword, "cut off", "axes", "bytes", "header", "size", "column", "field"])


def test_broken_files_are_each_named_and_the_sound_one_is_taken(pantler, tmp_path, sound):
    # The data IDs stand in the files' names, so that one command takes all of them.
    policy = SINGLE_VISIT + '    ingest: {path: "%(visit)d-%(ccd)d.fits"}\n'
    named = make_repository(pantler, tmp_path / "named", policy)
    contents = {"11506-1.fits": sound, "11506-2.fits": sound[: len(sound) // 2], "11506-3.fits": b""}
    files = [tmp_path / name for name in contents]
    for file in files:
        file.write_bytes(contents[file.name])
    document = pantler("ingest", named, TYPE, *files, "--json", status=2).json()
    assert document.keys() == {"ingested", "same", "failed"}
    assert document["ingested"] == 1 and document["same"] == 0
    for failed in document["failed"]:
        assert failed.keys() == {"file", "error"}
    assert [failed["file"] for failed in document["failed"]] == [str(file) for file in files[1:]]
    assert list(artifacts(named)) == ["calexp/0011506/001.fits"]


@pytest.mark.parametrize(("name", "reason"), [("second", "cut off"), ("third", "empty")])
def test_the_document_of_an_ingest_says_why_a_file_was_not_taken(repository, pantler, tmp_path, sound, name, reason):
    file = tmp_path / f"{name}.fits"
    file.write_bytes({"second": sound[: len(sound) // 2], "third": b""}[name])
    answer = pantler("ingest", repository, TYPE, file, *keys(visit=VISIT, ccd=1), "--json", status=2)
    (failed,) = answer.json()["failed"]
    assert reason in failed["error"]


def test_a_broken_file_cannot_be_put(any_survey):
    export = any_survey.export(49)
    before = artifacts(any_survey.joint)
    broken = any_survey.file("broken.fits")
    broken.write_bytes(export.read_bytes()[: export.stat().st_size // 2])
    answer = any_survey.put(broken, tract=9, status=2)
    assert answer.out == "" and "broken.fits" in answer.error()["message"]
    assert artifacts(any_survey.joint) == before


def test_an_artifact_that_breaks_later_is_the_world_s_failure(any_survey, pantler):
    artifact = any_survey.base_artifact(49)
    content = artifact.read_bytes()
    artifact.chmod(0o644)
    artifact.write_bytes(content[: len(content) // 2])
    out = any_survey.file("out.fits")
    answer = pantler("get", any_survey.joint, "calexp:jointcal", *keys(visit=VISIT, ccd=49), "--out", out, status=3)
    assert "049.fits" in answer.err and not out.exists()


def test_astropy_still_reads_the_sound_file(tmp_path, sound):
    """The files above are broken by what is done to them here, and not before."""
    file = tmp_path / "sound.fits"
    file.write_bytes(sound)
    with judging.as_it_is(file) as hdus:
        assert isinstance(judging.plane(hdus, "IMAGE"), fits.ImageHDU)
