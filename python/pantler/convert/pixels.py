"""Exposures, masked images and images as astropy's CCDData, and any NDData as one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pantler._pantler import Exposure, Image, Mask, MaskedImage, Metadata
from pantler.convert.coordinates import from_astropy_wcs, own_wcs, to_ape14
from pantler.errors import PantlerError, UnsupportedError
from pantler.later import Later

if TYPE_CHECKING:
    import numpy as np
else:
    np = Later("numpy")

# Planes that say that something is seen, and not that the pixel is bad.
_NOT_BAD = ("DETECTED", "DETECTED_NEGATIVE", "REJECTED", "SENSOR_EDGE", "INEXACT_PSF")
# The card that names a plane of a mask holds its bit: the notation of the LSST stack's files.
_PLANE = "MP_"
# Where the array lies in its parent: IRAF's notation, with the sign turned.
_ORIGIN = ("LTV1", "LTV2")


def to_ccddata(obj: Exposure | MaskedImage | Image, /, *, bad: Sequence[str] | None = None, unit: Any = None) -> Any:
    """Return an astropy.nddata.CCDData: copies of the pixels, variance, mask, coordinates and header.

    `flags` has the bits of the mask, and the header has a card MP_name for each plane, and LTV1 and LTV2 for the place in the
    parent. CCDData takes no coordinates but an astropy.wcs.WCS: where no header is exact it is fitted over the pixels, and
    `to_nddata` is exact.

    Parameters
    ----------
    bad : list of str, optional
        `mask` is True where one of these planes is set; by default, every plane but those that say that something was detected.
    unit : optional
        That of the pixels; without it the card BUNIT, without that none.

    Examples
    --------
    >>> ccd = butler.get("calexp:sfm", visit=903334, ccd=16).to_ccddata(bad=["EDGE"])
    >>> ccd.shape, bool(ccd.mask[0].all())
    ((512, 512), True)
    """
    from astropy.nddata import CCDData

    parts = _parts(obj, bad, unit)
    flags = parts.pop("flags")
    made = CCDData(**parts, flags=flags)
    wcs = _wcs(obj)
    if wcs is not None:
        made.wcs = wcs.to_astropy(obj.bbox)
    return made


def to_nddata(obj: Exposure | MaskedImage | Image, /, *, unit: Any = None) -> Any:
    """Return an astropy.nddata.NDData as `to_ccddata` does, whose coordinates are pantler's own computation and `mask` the bits.

    Parameters
    ----------
    unit : optional
        That of the pixels; without it the card BUNIT, without that none.

    Examples
    --------
    >>> data = butler.get("calexp:sfm", visit=903334, ccd=16).to_nddata()
    >>> data.data.shape, data.wcs.pixel_n_dim
    ((512, 512), 2)
    """
    from astropy.nddata import NDData

    parts = _parts(obj, [], unit)
    parts["mask"] = parts.pop("flags")
    wcs = _wcs(obj)
    return NDData(**parts, wcs=None if wcs is None else to_ape14(wcs, tuple(obj.bbox)))


def _wcs(obj: Exposure | MaskedImage | Image) -> Any:
    return None if isinstance(obj, MaskedImage) else obj.wcs


def _parts(obj: Exposure | MaskedImage | Image, bad: Sequence[str] | None, unit: Any) -> dict[str, Any]:
    """All but the coordinates, by the names of astropy's parameters, and the bits of the mask as `flags`."""
    from astropy.nddata import VarianceUncertainty
    from astropy.units import Unit

    planes = None if isinstance(obj, Image) else obj
    image = obj if isinstance(obj, Image) else obj.image
    if image is None:
        raise UnsupportedError(f"this {obj.class_name} has no image, and CCDData is one")
    header = obj.metadata.to_astropy()
    x0, y0, _, _ = obj.bbox
    header["LTV1"], header["LTV2"] = -x0, -y0
    mask = None if planes is None else planes.mask
    flags = masked = None
    if mask is not None:
        chosen = [name for name in mask.planes if name not in _NOT_BAD] if bad is None else bad
        masked = np.zeros(mask.array.shape, bool)
        for name in chosen:
            masked |= mask.plane(name)
        flags = mask.array.copy()
        for name, bit in mask.planes.items():
            header[f"HIERARCH {_PLANE}{name}" if len(name) > 5 else f"{_PLANE}{name}"] = bit
    variance = None if planes is None else planes.variance
    if unit is None:
        said = header.get("BUNIT") or image.metadata.get("BUNIT")
        unit = Unit(said, parse_strict="silent") if said else Unit()
    return {
        "data": image.array.copy(),
        "unit": unit,
        "mask": masked,
        "flags": flags,
        "uncertainty": None if variance is None else VarianceUncertainty(variance.array.copy()),
        "meta": header,
    }


def from_nddata(theirs: Any, python: str | None = None) -> Exposure | MaskedImage | Image:
    """Return an Exposure of astropy's NDData or CCDData, or what `python` says.

    Any uncertainty becomes a variance. A mask of True and False becomes the plane BAD; one of numbers, or `flags`, keeps its bits,
    whose names are the cards MP_name.

    Parameters
    ----------
    theirs
        The CCDData or NDData.
    python : "Exposure", "MaskedImage" or "Image", optional
        What it is to become; nothing may be lost.

    Examples
    --------
    >>> from astropy.nddata import CCDData
    >>> from pantler import Exposure
    >>> ccd = CCDData(np.zeros((20, 30), "float32"), unit="adu", mask=np.zeros((20, 30), bool))
    >>> Exposure.from_nddata(ccd).mask.planes
    {'BAD': 0}
    """
    python = python or "Exposure"
    pixels = np.asarray(theirs.data)
    cards = header_of(theirs.meta)
    origin = [-int(cards.get(key, 0)) for key in _ORIGIN]
    planes = {key[len(_PLANE) :]: int(value) for key, value in cards.items() if key.startswith(_PLANE)}
    for key in [key for key in cards if key.startswith(_PLANE) or key in _ORIGIN]:
        del cards[key]
    of_pixels = {}
    if theirs.unit is not None and theirs.unit.to_string() and "BUNIT" not in cards:
        of_pixels["BUNIT"] = unit_text(theirs.unit)
    mask = _mask(theirs, planes, origin)
    variance = _variance(theirs, origin)
    wcs = None
    if theirs.wcs is not None:
        low = getattr(theirs.wcs, "low_level_wcs", theirs.wcs)
        wcs = from_astropy_wcs(low if own_wcs(low) is None else theirs.wcs, *origin)
    image = Image(pixels, *origin, metadata=of_pixels)
    if python == "Exposure":
        parts = {} if wcs is None else {"wcs": wcs}
        return Exposure(image, mask, variance, Metadata(cards), **parts)
    # An image of a plain file says its coordinates in its header.
    if wcs is not None:
        cards.update(wcs.to_header((*origin, pixels.shape[1], pixels.shape[0])).to_astropy())
    if python == "MaskedImage":
        return MaskedImage(image, mask, variance, Metadata(cards))
    if python != "Image":
        raise UnsupportedError(f"an array with its uncertainty is no {python}")
    if mask is not None or variance is not None:
        raise PantlerError(
            "an Image has no mask and no variance, and these pixels have",
            hints=["put them where an Exposure or a MaskedImage belongs, or put the array alone"],
        )
    cards.update(of_pixels)
    return Image(pixels, *origin, metadata=Metadata(cards))


def unit_text(unit: Any) -> str:
    """A unit in FITS' notation where that has a word for it, else in astropy's."""
    try:
        return str(unit.to_string("fits"))
    except ValueError:
        return str(unit.to_string())


def header_of(meta: Any) -> Any:
    """A copy of the header, with the cards alone that a header can hold."""
    from astropy.io import fits

    if isinstance(meta, fits.Header):
        return meta.copy()
    header = fits.Header()
    add = {"COMMENT": header.add_comment, "HISTORY": header.add_history, "": header.add_blank}
    for key, value in dict(meta).items():
        if key in add and not isinstance(value, str):
            for line in value:
                add[key](line)
        elif isinstance(value, (str, bool, int, float, complex, np.number, np.bool_)) or value is None:
            header[str(key) if len(str(key)) <= 8 else f"HIERARCH {key}"] = value
    return header


def _mask(theirs: Any, planes: dict[str, int], origin: list[int]) -> Mask | None:
    bits = getattr(theirs, "flags", None)
    if bits is None or not planes:
        bits = theirs.mask
    if bits is None:
        return None
    # A single True or False stands for all pixels.
    bits = np.broadcast_to(np.asarray(bits), np.shape(theirs.data))
    if bits.dtype == bool:
        return Mask(bits.astype("int32"), {"BAD": 0}, *origin)
    return Mask(bits, planes, *origin)


def _variance(theirs: Any, origin: list[int]) -> Image | None:
    if theirs.uncertainty is None:
        return None
    from astropy.nddata import VarianceUncertainty

    # What has no relation to a variance, astropy refuses itself.
    found = theirs.uncertainty.represent_as(VarianceUncertainty)
    return Image(np.asarray(found.array), *origin)
