"""pantler's objects as those of other packages, and back; each package is imported when one of its objects is at hand.

Every function is a method of its class too: `exposure.to_ccddata()`, `Table.from_pandas(frame)`. `Butler.put` takes what is named
here as it is, and converts it into the class that the dataset type asks for.
"""

from pantler.convert.coordinates import from_astropy_wcs, to_ape14
from pantler.convert.files import from_hdulist, to_hdulist
from pantler.convert.pixels import from_nddata, to_ccddata, to_nddata
from pantler.convert.tables import (
    from_arrow,
    from_astropy_table,
    from_numpy,
    from_pandas,
    from_polars,
    to_numpy,
    to_pandas,
    to_polars,
    to_qtable,
)
from pantler.convert.taken import candidates, put_as

__all__ = [
    "candidates",
    "from_arrow",
    "from_astropy_table",
    "from_astropy_wcs",
    "from_hdulist",
    "from_nddata",
    "from_numpy",
    "from_pandas",
    "from_polars",
    "put_as",
    "to_ape14",
    "to_ccddata",
    "to_hdulist",
    "to_nddata",
    "to_numpy",
    "to_pandas",
    "to_polars",
    "to_qtable",
]
