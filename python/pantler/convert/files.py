"""Objects as lists of FITS HDUs in memory, with every component, as the file would have them."""

from __future__ import annotations

import io
from typing import Any

from pantler._pantler import DataObject, Exposure
from pantler.convert import scratch
from pantler.errors import PantlerError


def to_hdulist(obj: DataObject, /) -> Any:
    """Return an astropy.io.fits.HDUList of what a FITS file of the object holds, all components included.

    Examples
    --------
    >>> hdus = butler.get("calexp:sfm", visit=903334, ccd=16).to_hdulist()
    >>> [hdu.name for hdu in hdus][:4]
    ['PRIMARY', 'IMAGE', 'MASK', 'VARIANCE']
    """
    from astropy.io import fits

    # The data stay as they are in the bytes until they are looked at, and so go back unchanged.
    return fits.open(io.BytesIO(scratch.written(obj, obj.class_name)), memmap=False, lazy_load_hdus=False)


def from_hdulist(hdus: Any, python: str | None = None) -> Any:
    """Return the object of the class `python` that HDUs hold; without it, a Table, an Exposure or an Image after what they are."""
    data = in_bytes(hdus)
    errors = []
    for name in [python] if python else classes_of(hdus):
        try:
            return scratch.read(data, name)
        except PantlerError as error:
            errors.append(error)
    raise errors[0]


def exposure_of_hdulist(hdus: Any) -> Exposure:
    """Return the Exposure that HDUs hold.

    Parameters
    ----------
    hdus
        An astropy.io.fits.HDUList.

    Examples
    --------
    >>> from pantler import Exposure
    >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    >>> Exposure.from_hdulist(exposure.to_hdulist()) == exposure
    True
    """
    made: Exposure = from_hdulist(hdus, "Exposure")
    return made


def in_bytes(hdus: Any) -> bytes:
    """Return the file that a list of HDUs makes."""
    file = io.BytesIO()
    hdus.writeto(file, output_verify="silentfix+ignore")
    return file.getvalue()


def classes_of(hdus: Any) -> list[str]:
    """Return the classes that HDUs may be, the one that says most first."""
    with_data = [hdu for hdu in hdus if hdu.header.get("NAXIS", 0) > 0]
    if with_data and not with_data[0].is_image:
        return ["Table"]
    return ["Exposure", "MaskedImage", "Image"] if len(with_data) > 1 else ["Image", "Exposure"]
