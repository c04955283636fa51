"""What the compiled classes get from Python: conversions as methods, previews, tokens. Imported once, by the package."""

from __future__ import annotations

from pantler import _pantler, convert, previews, tokens

for _class in (_pantler.Exposure, _pantler.MaskedImage, _pantler.Image):
    _class.to_ccddata = convert.to_ccddata
    _class.to_nddata = convert.to_nddata
    _class.to_hdulist = convert.to_hdulist
_pantler.Exposure.from_nddata = staticmethod(convert.from_nddata)
_pantler.Exposure.from_hdulist = staticmethod(lambda hdus: convert.from_hdulist(hdus, "Exposure"))
_pantler.Table.to_qtable = convert.to_qtable
_pantler.Table.to_pandas = convert.to_pandas
_pantler.Table.to_polars = convert.to_polars
_pantler.Table.to_numpy = convert.to_numpy
_pantler.Table.from_astropy = staticmethod(convert.from_astropy_table)
_pantler.Table.from_pandas = staticmethod(convert.from_pandas)
_pantler.Table.from_polars = staticmethod(convert.from_polars)
_pantler.Table.from_arrow = staticmethod(convert.from_arrow)
_pantler.Table.from_numpy = staticmethod(convert.from_numpy)
_pantler.Wcs.to_ape14 = convert.to_ape14
_pantler.Wcs.from_astropy = staticmethod(convert.from_astropy_wcs)

for _class in (_pantler.Exposure, _pantler.MaskedImage, _pantler.Image, _pantler.Mask):
    _class._repr_png_ = previews.picture
_pantler.Table._repr_html_ = previews.table_html
_pantler.Metadata._repr_html_ = previews.cards_html

_pantler.DataObject.__dask_tokenize__ = tokens.token_of_object
