"""Classes and functions that the policies of the examples name: code of a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pantler import PhotoCalib, Table, Wcs


@dataclass
class CatalogOfExposure:
    """A catalog and two parts of its exposure: pantler fills the fields with the components, by name."""

    catalog: Table
    wcs: Wcs
    photoCalib: PhotoCalib

    def positions(self) -> list[tuple[float, float]]:
        """Return right ascension and declination of each source, in degrees."""
        ra, dec = self.wcs.pixel_to_sky(self.catalog["x"], self.catalog["y"])
        return list(zip(ra, dec))


def side_by_side(data_id: Mapping[str, Any], componentDict: Mapping[str, Table], cls: type) -> Table:
    """Join catalogs on their `id`: a column `NAME_flux` for each of them, NaN where one lacks an object."""
    ids: npt.NDArray[Any] = np.unique(np.concatenate([catalog["id"] for catalog in componentDict.values()]))
    columns: dict[str, npt.NDArray[Any]] = {"id": ids}
    for name, catalog in componentDict.items():
        flux = np.full(len(ids), np.nan)
        flux[np.searchsorted(ids, catalog["id"])] = catalog["flux"]
        columns[f"{name}_flux"] = flux
    return Table(columns)


def end_to_end(data_id: Mapping[str, Any], componentDict: Mapping[str, list[Table]], cls: type) -> Table:
    """Put the catalogs of a subset below each other, in the order of their data IDs."""
    (parts,) = componentDict.values()
    whole = parts[0]
    for part in parts[1:]:
        whole += part
    return whole
