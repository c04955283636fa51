"""Coordinate systems: astropy's interface for shared use (APE 14) over pantler's computation, and astropy's own as pantler's."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pantler._pantler import Wcs
from pantler.errors import PantlerError, UnsupportedError
from pantler.later import Later

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
else:
    np = Later("numpy")

# Where the pixels are at which a conversion is judged, in a system that does not say how large its array is.
_FAR = 1000.0
# How far two computations of one position may be apart, in degrees: 0.36 milliarcseconds.
_SAME = 1e-7


def to_ape14(wcs: Wcs, /, bbox: Sequence[int] | None = None) -> Any:
    """Return the system behind astropy's interface for shared use, high level and low level, for the array of a rectangle of pixels.

    Each position is pantler's own computation, so every system has one, those that no header can say included.

    Parameters
    ----------
    bbox : (x0, y0, width, height), optional
        The array: its pixels are counted from 0 at (x0, y0) of the parent. Without it they are the parent's.

    Examples
    --------
    >>> exposure = butler.get("calexp:sfm", visit=903334, ccd=16)
    >>> exposure.wcs.to_ape14(exposure.bbox).pixel_to_world(100, 200)
    <SkyCoord (ICRS): (ra, dec) in deg
        (...)>
    """
    from astropy.wcs.wcsapi import HighLevelWCSWrapper

    from pantler.convert.ape14 import SkyWcs

    x0, y0, width, height = (0, 0, None, None) if bbox is None else tuple(bbox)
    shape = None if width is None or height is None else (height, width)
    return HighLevelWCSWrapper(SkyWcs(wcs, x0, y0, shape))


def from_astropy_wcs(theirs: Any, x0: int = 0, y0: int = 0) -> Wcs:
    """Return an astropy coordinate system (WCS, or what `to_ape14` gave) as pantler's.

    Both are compared at nine pixels.

    Parameters
    ----------
    theirs
        The coordinate system.
    x0, y0 : int
        The place in the parent of the first pixel of its array.

    Raises
    ------
    UnsupportedError
        pantler would not repeat its values: tables of distortion, other axes than right ascension and declination.

    Examples
    --------
    >>> from pantler import Wcs
    >>> wcs = butler.get("calexp:sfm.wcs", visit=903334, ccd=16)
    >>> again = Wcs.from_astropy(wcs.to_astropy((0, 0, 512, 512)))
    >>> np.allclose(again.pixel_to_sky(100, 200), wcs.pixel_to_sky(100, 200), rtol=0, atol=1e-8)
    True
    """
    own = own_wcs(theirs)
    if own is not None:
        if (own.x0, own.y0) != (x0, y0):
            raise PantlerError(
                f"the coordinates are of an array that starts at ({own.x0}, {own.y0}), not at ({x0}, {y0})",
                hints=["hand in the origin of the array"],
            )
        known: Wcs = own.wcs
        return known
    if not hasattr(theirs, "to_header"):
        raise UnsupportedError(
            f"a {type(theirs).__name__} says its coordinates in no header", hints=["an astropy.wcs.WCS does"]
        )
    with warnings.catch_warnings():
        # That some keywords have no standard is what `relax` says.
        warnings.simplefilter("ignore")
        header = theirs.to_header(relax=True)
    ours = Wcs.from_header(header, x0, y0)
    shape = getattr(theirs, "pixel_shape", None) or (_FAR, _FAR)
    x, y = (each.ravel() for each in np.meshgrid(*(np.linspace(0, size, 3) for size in shape)))
    expected = np.array(theirs.all_pix2world(x, y, 0))
    found = np.array(ours.pixel_to_sky(x + x0, y + y0))
    # Right ascension goes round, and its degrees shrink to the poles.
    apart = np.array([(found[0] - expected[0] + 180) % 360 - 180, found[1] - expected[1]])
    apart[0] *= np.cos(np.radians(expected[1]))
    if not np.all(np.isnan(expected) | (np.abs(apart) < _SAME)):
        raise UnsupportedError(
            "the header of these coordinates does not say all of them",
            facts={"largest difference": [f"{np.nanmax(np.abs(apart)):.3g} degrees"]},
            hints=["tables of distortion have no place in a header's cards; write the file as it is, and ingest it"],
        )
    return ours


def own_wcs(theirs: Any) -> Any:
    """Return pantler's system that stands behind astropy's interface, a `SkyWcs`, or None."""
    low = getattr(theirs, "low_level_wcs", theirs)
    return low if type(low).__module__ == "pantler.convert.ape14" else None

