"""pantler's objects as astropy's, which is imported when it is asked for."""

from __future__ import annotations

import warnings
from typing import Any

from pantler._pantler import Metadata, Table


def header(metadata: Metadata) -> Any:
    """Return an astropy.io.fits.Header of cards."""
    from astropy.io import fits

    header = fits.Header()
    add = {"COMMENT": header.add_comment, "HISTORY": header.add_history, "": header.add_blank}
    with warnings.catch_warnings():
        # A long keyword becomes a HIERARCH card, which is what it is in the file.
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        for keyword, value, comment in metadata.cards():
            if keyword in add:
                add[keyword](value)
            else:
                header.append((keyword, value, comment), end=True)
    return header


def wcs(metadata: Metadata) -> Any:
    """Return an astropy.wcs.WCS of cards."""
    from astropy.wcs import WCS, FITSFixedWarning

    with warnings.catch_warnings():
        # Dates that wcslib writes in its own form change no coordinate.
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(header(metadata))


def table(table: Table) -> Any:
    """Return an astropy.table.Table, whose columns are copies."""
    from astropy.table import Table

    columns = {name: table[name] for name in table.columns}
    made = Table(columns, copy=True, meta=dict(header(table.metadata)))
    for name in table.columns:
        unit = table.unit(name)
        if unit:
            made[name].unit = _unit(unit)
        made[name].description = table.description(name)
    return made


def _unit(text: str) -> Any:
    from astropy.units import Unit

    # A unit that astropy has no word for stays as text.
    return Unit(text, parse_strict="silent")
