"""A small exposure with new coordinates and a new calibration, made by astropy alone, with no pantler in it.

It carries every old form of what is replaced: WCS cards in three headers, FLUXMAG0 cards, and an archive record.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

WIDTH, HEIGHT = 48, 40
OLD_MEAN, OLD_ERROR = 1.2345678901, 0.0123456789
NEW_MEAN, NEW_ERROR = 2.3456789012, 0.0234567891


@dataclass(frozen=True)
class Files:
    """Where the three files are."""

    exposure: Path
    wcs: Path
    calib: Path


def write(folder):
    """Writes the files under the names that the survey's policy reads data IDs from."""
    tract = folder / "8766"
    tract.mkdir(parents=True)
    files = Files(
        folder / "exposure.fits",
        tract / "jointcal_wcs-0011506-049.fits",
        tract / "jointcal_photoCalib-0011506-049.fits",
    )
    exposure().writeto(files.exposure)
    fits.HDUList([fits.PrimaryHDU(header=new_wcs())]).writeto(files.wcs)
    calib = fits.HDUList([fits.PrimaryHDU(), *photo_calib(NEW_MEAN, NEW_ERROR)])
    calib[0].header["AR_HDU"] = 2
    calib.writeto(files.calib)
    return files


def old_wcs():
    """The coordinates that the first processing step fitted: TAN with a distortion."""
    header = tan(210.123456789, 54.321098765, 11.375, 9.8125, 4.6789e-5)
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    for axis in "AB":
        header[f"{axis}_ORDER"] = 2
        header[f"{axis}_2_0"] = 3.456789e-6
        header[f"{axis}_0_2"] = -2.345678e-6
    return header


def new_wcs():
    """The coordinates that the second step fitted: TAN without one."""
    return tan(210.124, 54.3215, 24.0, 20.0, 4.7e-5)


def tan(ra, dec, x, y, scale):
    """Cards of a tangential projection, north up."""
    header = fits.Header()
    header["WCSAXES"] = 2
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    header["CUNIT1"], header["CUNIT2"] = "deg", "deg"
    header["CRVAL1"], header["CRVAL2"] = ra, dec
    header["CRPIX1"], header["CRPIX2"] = x, y
    header["CD1_1"], header["CD1_2"] = -scale, scale / 128
    header["CD2_1"], header["CD2_2"] = scale / 128, scale
    header["RADESYS"] = "ICRS"
    return header


def exposure():
    """Image, mask, variance and an archive, as the field writes them."""
    random = np.random.default_rng(20261122)
    primary = fits.PrimaryHDU()
    header = primary.header
    header["VISIT"], header["CCD"] = 11506, 49
    header["FILTER"], header["EXPTIME"] = "r", 30.0
    header["FLUXMAG0"] = 6.3095734448e10
    header["HIERARCH FLUXMAG0ERR"] = 1.2589254117e8
    header["AR_HDU"] = 5
    header["HIERARCH PHOTOCALIB_ID"] = 1
    header["HIERARCH ARCHIVE_ID_PHOTOCALIB"] = 1
    image = random.normal(100, 5, (HEIGHT, WIDTH)).astype(np.float32)
    mask = random.integers(0, 8, (HEIGHT, WIDTH), dtype=np.int32)
    variance = random.uniform(20, 30, (HEIGHT, WIDTH)).astype(np.float32)
    planes = []
    for name, pixels in (("IMAGE", image), ("MASK", mask), ("VARIANCE", variance)):
        plane = fits.ImageHDU(pixels, header=old_wcs())
        plane.header["EXTTYPE"] = name
        plane.name = name
        planes.append(plane)
    for bit, plane in enumerate(("BAD", "SAT", "DETECTED_NEGATIVE")):
        planes[1].header[f"HIERARCH MP_{plane}"] = bit
    return fits.HDUList([primary, *planes, *photo_calib(OLD_MEAN, OLD_ERROR)])


def photo_calib(mean, error):
    """An archive of one record, a calibration that is the same everywhere."""
    index = fits.BinTableHDU.from_columns(
        [
            fits.Column("id", "1J", array=[1]),
            fits.Column("cat.archive", "1J", array=[1]),
            fits.Column("cat.persistable", "1J", array=[0]),
            fits.Column("row0", "1J", array=[0]),
            fits.Column("nrows", "1J", array=[1]),
            fits.Column("name", "64A", array=["PhotoCalib"]),
            fits.Column("module", "64A", array=["lsst.afw.image"]),
        ]
    )
    index.header["EXTTYPE"] = "ARCHIVE_INDEX"
    index.header["AR_CATN"], index.header["AR_NCAT"] = 0, 2
    index.name = "ARCHIVE_INDEX"
    record = fits.BinTableHDU.from_columns(
        [
            fits.Column("flags", "1X", array=np.array([[True]])),
            fits.Column("calibrationMean", "1D", array=[mean]),
            fits.Column("calibrationErr", "1D", array=[error]),
            fits.Column("field", "1J", array=[0]),
            fits.Column("version", "1J", array=[1]),
        ]
    )
    record.header["TFLAG1"] = "isConstant"
    record.header["EXTTYPE"] = "ARCHIVE_DATA"
    record.header["AR_CATN"], record.header["AR_NAME"] = 1, "PhotoCalib"
    record.name = "PhotoCalib"
    return [index, record]
