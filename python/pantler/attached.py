"""What the compiled classes get from Python: conversions as methods, previews, tokens. Imported once, by the package."""

from __future__ import annotations

from pantler import _pantler, convert, previews, tokens
from pantler.convert import files

_PIXELS: dict[str, object] = {"to_ccddata": convert.to_ccddata, "to_nddata": convert.to_nddata, "to_hdulist": convert.to_hdulist}
_PICTURE: dict[str, object] = {"_repr_png_": previews.picture}


def _bbox(obj: _pantler.DataObject) -> _pantler.Bbox:
    """Where the pixels lie in the parent."""
    box: _pantler.Bbox = obj.component("bbox")
    return box


_PIXELS["bbox"] = _PICTURE["bbox"] = property(_bbox)

_METHODS: dict[type, dict[str, object]] = {
    _pantler.DataObject: {"__dask_tokenize__": tokens.token_of_object},
    _pantler.Exposure: {
        **_PIXELS,
        **_PICTURE,
        "from_nddata": staticmethod(convert.from_nddata),
        "from_hdulist": staticmethod(files.exposure_of_hdulist),
    },
    _pantler.MaskedImage: _PIXELS | _PICTURE,
    _pantler.Image: _PIXELS | _PICTURE,
    _pantler.Mask: _PICTURE,
    _pantler.Metadata: {"_repr_html_": previews.cards_html},
    _pantler.Table: {
        "to_qtable": convert.to_qtable,
        "to_pandas": convert.to_pandas,
        "to_polars": convert.to_polars,
        "to_numpy": convert.to_numpy,
        "from_astropy": staticmethod(convert.from_astropy_table),
        "from_pandas": staticmethod(convert.from_pandas),
        "from_polars": staticmethod(convert.from_polars),
        "from_arrow": staticmethod(convert.from_arrow),
        "from_numpy": staticmethod(convert.from_numpy),
        "_repr_html_": previews.table_html,
    },
    _pantler.Wcs: {"to_ape14": convert.to_ape14, "from_astropy": staticmethod(convert.from_astropy_wcs)},
}

for _class, _methods in _METHODS.items():
    for _name, _method in _methods.items():
        setattr(_class, _name, _method)
