"""pantler's coordinate systems behind astropy's low-level interface for shared use.

The interface is that of astropy's proposal for enhancement 14, A shared Python interface for World Coordinate Systems (Robitaille,
Tollerud, Greenfield and Droettboom, 2018). Importing this module imports astropy.
"""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import FK4, FK5, ICRS, BaseCoordinateFrame, Galactic, SkyCoord
from astropy.wcs.wcsapi import BaseLowLevelWCS

from pantler._pantler import Wcs

_FRAMES: dict[str, type[BaseCoordinateFrame]] = {"ICRS": ICRS, "FK5": FK5, "FK4": FK4, "GALACTIC": Galactic}


class SkyWcs(BaseLowLevelWCS):  # type: ignore[misc]
    """Pixels of an array, and right ascension and declination in degrees, as a `pantler.Wcs` computes them.

    The array's first pixel is (x0, y0) of the parent, whose pixels are the ones that the `Wcs` speaks of; `shape` is (rows,
    columns), or None where it is not known.
    """

    def __init__(self, wcs: Wcs, x0: int = 0, y0: int = 0, shape: tuple[int, int] | None = None):
        self.wcs, self.x0, self.y0 = wcs, int(x0), int(y0)
        self._shape = None if shape is None else (int(shape[0]), int(shape[1]))

    @property
    def pixel_n_dim(self) -> int:
        return 2

    @property
    def world_n_dim(self) -> int:
        return 2

    @property
    def world_axis_physical_types(self) -> list[str]:
        return ["pos.eq.ra", "pos.eq.dec"]

    @property
    def world_axis_units(self) -> list[str]:
        return ["deg", "deg"]

    @property
    def array_shape(self) -> tuple[int, int] | None:
        return self._shape

    @property
    def pixel_shape(self) -> tuple[int, int] | None:
        return None if self._shape is None else (self._shape[1], self._shape[0])

    @property
    def pixel_bounds(self) -> list[tuple[float, float]] | None:
        # A pixel reaches half a pixel to each side of its centre.
        return None if self._shape is None else [(-0.5, size - 0.5) for size in (self._shape[1], self._shape[0])]

    def pixel_to_world_values(self, *pixel_arrays: Any) -> tuple[Any, Any]:
        x, y = np.broadcast_arrays(*(np.asarray(each, float) for each in pixel_arrays))
        return self.wcs.pixel_to_sky(x + self.x0, y + self.y0)

    def world_to_pixel_values(self, *world_arrays: Any) -> tuple[Any, Any]:
        ra, dec = np.broadcast_arrays(*(np.asarray(each, float) for each in world_arrays))
        x, y = self.wcs.sky_to_pixel(ra, dec)
        return x - self.x0, y - self.y0

    @property
    def world_axis_object_components(self) -> list[tuple[str, Any, Any]]:
        return [("celestial", 0, lambda sky: sky.spherical.lon.degree), ("celestial", 1, lambda sky: sky.spherical.lat.degree)]

    @property
    def world_axis_object_classes(self) -> dict[str, tuple[Any, tuple[()], dict[str, Any]]]:
        frame = _FRAMES.get((self.wcs.reference_frame or "ICRS").upper(), ICRS)()
        return {"celestial": (SkyCoord, (), {"frame": frame, "unit": (u.deg, u.deg)})}

    def __reduce__(self) -> tuple[Any, ...]:
        return SkyWcs, (self.wcs, self.x0, self.y0, self._shape)
