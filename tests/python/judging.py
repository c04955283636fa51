"""Reads exposures and their archives with astropy alone, in no way that pantler reads them.

`opened` is for files that pantler wrote and is strict; `as_it_is` is for files that others wrote, which may have any fault.
"""

import warnings
from contextlib import contextmanager

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

# Columns of archive tables that hold the id of another record. Ids are free to change; what they lead to is not.
REFERENCES = {
    "ApCorrMap": {"field"},
    "CoaddInputs": {
        "wcs", "psf", "photoCalib", "calib", "apCorrMap", "validPolygon", "visitInfo", "transmissionCurve", "detector"
    },
    "Detector": {"transformMap"},
    "FluxFitBoundedField": {"wcs"},
    "PhotoCalib": {"field"},
    "ProductTransmissionCurve": {"a", "b"},
    "TransformMap": {"transform"},
    "TransformedTransmissionCurve": {"nested", "transform"},
}
# The pixel origin: where the array lies in its parent image, which no fit changes.
PIXEL_ORIGIN = {"LTV1", "LTV2"}
CALIBRATION = {"FLUXMAG0", "FLUXMAG0ERR", "CALIB_ID", "MAGZERO", "MAGZERO_RMS", "MAGZERO_NOBJ"}


@contextmanager
def opened(path):
    """Opens a file of ours: a warning is an error, and so is whatever breaks the standard."""
    with fits.open(path, memmap=False) as hdus:
        hdus.verify("exception")
        for hdu in hdus:
            _ = hdu.data
        yield hdus


@contextmanager
def as_it_is(path):
    """Opens a file of others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, memmap=False) as hdus:
            yield hdus


def plane(hdus, name):
    """The image, mask or variance of an exposure."""
    return next(hdu for hdu in hdus if hdu.header.get("EXTTYPE", hdu.header.get("EXTNAME")) == name)


def planes(hdus):
    """The pixels of the three planes."""
    return {name: np.array(plane(hdus, name).data) for name in ("IMAGE", "MASK", "VARIANCE")}


def assert_same_pixels(got, expected):
    """Compares planes bit for bit, not-a-numbers included."""
    assert got.keys() == expected.keys()
    for name, pixels in expected.items():
        same_bits(got[name], pixels, name)


def same_bits(got, expected, name=""):
    """Compares two arrays bit for bit; the byte order in memory does not count."""
    assert got.shape == expected.shape, name
    assert got.dtype.newbyteorder("=") == expected.dtype.newbyteorder("="), name
    assert native_bytes(got) == native_bytes(expected), name


def native_bytes(pixels):
    """The bytes of an array in this machine's order."""
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("=")).tobytes()


def mask_planes(hdus):
    """The bits of the mask's planes by name."""
    return {key[3:]: value for key, value in plane(hdus, "MASK").header.items() if key.startswith("MP_")}


def wcs_cards(header):
    """The cards of a header's celestial coordinates, distortion included; not the alternate that tells the pixel origin."""
    found = {}
    for card in header.cards:
        stem = card.keyword.rstrip("0123456789")
        parts = card.keyword.split("_")
        is_matrix = parts[0] in {"CD1", "CD2", "PC1", "PC2", "PV1", "PV2"} and len(parts) == 2
        is_distortion = parts[0] in {"A", "B", "AP", "BP"} and len(parts) in {2, 3}
        if stem in {"CRVAL", "CRPIX", "CTYPE", "CUNIT", "CDELT", "CROTA"} or is_matrix or is_distortion:
            found[card.keyword] = card
    return found


def is_telling(card):
    """Says whether the number of a card could not as well stand there by chance."""
    return isinstance(card.value, float) and len(f"{abs(card.value):.15g}".replace(".", "").strip("0")) > 4


def parent_wcs(header):
    """The celestial WCS of a header, and how its pixels lie in the parent image."""
    return WCS(header), np.array([header.get("LTV1", 0.0), header.get("LTV2", 0.0)])


def sky_of(header, parent_pixels):
    """Right ascension and declination of pixels of the parent image, the first of which is (0, 0)."""
    wcs, ltv = parent_wcs(header)
    return wcs.all_pix2world(np.asarray(parent_pixels) + ltv, 0)


def separation_arcsec(one, other):
    """How far positions on the sky lie apart."""
    (ra1, dec1), (ra2, dec2) = np.radians(one).T, np.radians(other).T
    across = np.sin((ra1 - ra2) / 2) ** 2 * np.cos(dec1) * np.cos(dec2)
    return np.degrees(2 * np.arcsin(np.sqrt(np.sin((dec1 - dec2) / 2) ** 2 + across))) * 3600


class Archive:
    """The records of a file's archive."""

    def __init__(self, hdus):
        # A file of one component alone says nothing of its place: its index is the first extension.
        first = hdus[0].header.get("AR_HDU", 2) - 1
        self.header = hdus[0].header
        self.tables = hdus[first:]
        self.entries = {}
        for row in self.tables[0].data:
            archive, persistable, start, count = (int(value) for value in list(row)[1:5])
            names = [str(value).strip() for value in list(row)[5:7]]
            self.entries.setdefault(int(row["id"]), []).append((persistable, archive, start, count, *names))
        self.known = {}

    def component(self, name):
        """The record of a component of the exposure, with all that it refers to, free of ids; `None` if there is none."""
        number = self.header.get(f"ARCHIVE_ID_{name}", self.header.get(f"{name}_ID"))
        return None if number is None else self.record(number)

    def components(self):
        """The names of all components that the primary header points to."""
        return {key.removesuffix("_ID") for key in self.header if key.endswith("_ID") and key.removesuffix("_ID") in STORED}

    def record(self, number):
        """A record by its id."""
        if number not in self.known:
            tables = []
            for _, archive, start, count, name, _ in sorted(self.entries[number]):
                tables.append((name, self.rows(archive, start, count, name)))
            self.known[number] = tuple(tables)
        return self.known[number]

    def rows(self, archive, start, count, name):
        """The rows of a record in one table, each value as bytes, or as the record that it refers to."""
        table = self.tables[archive]
        references = REFERENCES.get(name, set())
        rows = []
        for at in range(start, start + count):
            values = []
            for column in table.columns.names:
                value = table.data[column][at]
                if column in references:
                    value = self.record(int(value)) if int(value) else None
                else:
                    value = content(value)
                values.append((column, value))
            rows.append(tuple(values))
        return tuple(rows)

    def find(self, name):
        """The first record of a class, for files of one component alone."""
        return self.record(min(number for number, tables in self.entries.items() if tables[0][4] == name))


STORED = {
    "AP_CORR_MAP", "COADD_INPUTS", "DETECTOR", "FILTER", "PHOTOCALIB", "PSF", "SKYWCS", "SUMMARY_STATS",
    "TRANSMISSION_CURVE", "VALID_POLYGON", "WCS",
}


def content(value):
    """A value of a table as what can be compared."""
    if isinstance(value, str):
        return value.rstrip(" \0")
    return native_bytes(np.asarray(value))


def value_of(record, column):
    """The number in a column of a record's first row."""
    return np.frombuffer(dict(record[0][1][0])[column], dtype=np.float64)[0]


def wcs_dump(path):
    """The bytes of a file's SkyWcs record, as they lie in the file."""
    with as_it_is(path) as hdus:
        for hdu in hdus:
            if isinstance(hdu, fits.BinTableHDU) and hdu.columns.names == ["wcs"]:
                return np.asarray(hdu.data["wcs"][0]).tobytes()
    return None


def calib_numbers(path):
    """Mean and error of a file's calibration, as they lie in the file."""
    with as_it_is(path) as hdus:
        for hdu in hdus:
            if isinstance(hdu, fits.BinTableHDU) and "calibrationMean" in hdu.columns.names:
                row = hdu.data[0]
                return np.array([row["calibrationMean"], row["calibrationErr"]], dtype=">f8").tobytes()
    return None
