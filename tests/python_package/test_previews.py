"""What notebooks show: pictures that decode to the pixels, heads of tables, trees of plans."""

import struct
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest

import pantler
from conftest import CCD, TRACT, VISIT, real_file, simulated_exposure
from pantler import previews
from pantler.convert import scratch


def decoded(png):
    """The picture of a file without filters, by the standard: chunks whose checksums are right, rows from the top."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(kind + data)
        chunks[kind] = data
        at += 12 + length
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour, rest) == (8, 2, [0, 0, 0]) and list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def test_the_first_row_is_at_the_bottom_and_bright_is_white():
    pixels = np.random.default_rng(1).normal(100, 1, (40, 60)).astype("f4")
    pixels[0, :20] = 1000
    shown = decoded(pantler.Image(pixels)._repr_png_())
    assert shown.shape == (40, 60, 3)
    assert (shown[-1, :20] == 255).all() and shown[0].max() < 255


def test_the_stretch_is_the_inverse_hyperbolic_sine():
    pixels = np.random.default_rng(2).normal(50, 3, (200, 100))
    grey = previews.stretched(pixels)
    sky = np.median(pixels)
    noise = np.median(np.abs(pixels - sky)) * 1.4826
    low, high = sky - 2 * noise, np.quantile(pixels, 0.995)
    expected = 255 * np.log(10 * (pixels - low) / (high - low) + np.hypot(10 * (pixels - low) / (high - low), 1)) / np.log(10 + np.sqrt(101))
    np.testing.assert_allclose(grey, np.clip(expected, 0, 255), atol=0.51)


def test_large_pictures_are_means_of_squares():
    pixels = np.arange(700 * 1100, dtype="f4").reshape(700, 1100)
    pixels[5, 5] = np.nan
    shown = decoded(pantler.Image(pixels)._repr_png_())
    assert shown.shape == (234, 367, 3)
    np.testing.assert_allclose(previews._means(pixels, 3)[10, 20], pixels[30:33, 60:63].mean(), rtol=1e-6)
    np.testing.assert_allclose(previews._means(pixels, 3)[1, 1], np.nanmean(pixels[3:6, 3:6]), rtol=1e-6)
    np.testing.assert_allclose(previews._means(pixels, 3)[-1, -1], pixels[699:, 1098:].mean(), rtol=1e-6)


def test_planes_of_the_mask_have_colours():
    mask = np.zeros((10, 10), "int32")
    mask[0], mask[5, 5] = 1, 2
    shown = decoded(pantler.MaskedImage(np.full((10, 10), 7.0), pantler.Mask(mask, {"BAD": 0, "CR": 1}))._repr_png_())
    grey, red, purple = shown[0, 0], shown[-1, 0].astype(int), shown[4, 5].astype(int)
    assert grey[0] == grey[1] == grey[2]
    assert red[0] > red[1] == red[2] and purple[0] == purple[2] > purple[1]
    only = decoded(pantler.Mask(mask, {"BAD": 0})._repr_png_())
    assert only[-1, 0, 0] > only[-1, 0, 1] and not only[0].any()


@pytest.mark.parametrize("pixels", [np.zeros((3, 4)), np.full((3, 4), np.nan), np.full((3, 4), np.inf), np.zeros((3, 4), "u8")])
def test_pixels_without_contrast_have_a_picture(pixels):
    assert len(np.unique(decoded(pantler.Image(pixels)._repr_png_()))) == 1


def test_exposures_have_pictures_and_those_without_pixels_none(single_visit):
    assert decoded(pantler.Butler.open(single_visit).get("calexp", visit=VISIT, ccd=CCD)._repr_png_()).shape == (200, 300, 3)
    assert decoded(simulated_exposure().without("image")._repr_png_()).shape == (200, 300, 3)
    assert pantler.Exposure(metadata={"A": 1})._repr_png_() is None


@pytest.mark.parametrize("file", ["exposures/scienceMI.fits", "exposures/hsc_calexp_full.fits", "exposures/joint/8766/fcr-0011506-049.fits"])
def test_real_exposures_have_pictures(file):
    exposure = scratch.read(real_file(file).read_bytes(), "Exposure")
    png = exposure._repr_png_()
    if exposure.bbox.width == 0:
        assert png is None
    else:
        assert decoded(png).shape[:2] == exposure.image.array.shape and len(np.unique(decoded(png))) > 20


class Cells(HTMLParser):
    """What stands in the cells of a table, and whether every element ends."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.open = [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def test_heads_of_tables():
    table = pantler.Table(
        {"id": np.arange(50), "<b>": np.ma.masked_array(np.linspace(0, 1, 50), np.arange(50) == 1), "name": ["<x>"] * 50},
        units={"<b>": "nJy"},
    )
    shown = Cells(table._repr_html_())
    assert shown.cells[:6] == ["id", "<b>", "name", "", "nJy", ""] and shown.cells[6:12] == ["0", "0", "<x>", "1", "", "<x>"]
    assert len(shown.cells) == 6 + 30 and "50 rows, 3 columns" in table._repr_html_()
    assert Cells(pantler.Table({})._repr_html_()).cells == []
    many = Cells(pantler.Table({f"c{at}": [at] for at in range(40)})._repr_html_())
    assert many.cells[12] == "…" and len(many.cells) == 26


def test_headers_plans_and_queries(jointcal):
    butler = pantler.Butler.open(jointcal)
    plan = butler.explain("calexp:jointcal", visit=VISIT, ccd=CCD, tract=TRACT)
    assert Cells(plan._repr_html_()).cells == [] and "input only" in plan._repr_html_()
    assert repr(plan) == f"Plan(calexp:jointcal, {plan.data_id})"
    found = butler.query("calexp:sfm")
    cells = Cells(found._repr_html_()).cells
    assert cells[0] == "type" and "calexp:sfm" in cells and str(VISIT) in cells
    assert Cells(pantler.Metadata({"A": "<1>"})._repr_html_()).cells[3:] == ["A", "<1>", ""]
