"""The compiled half of the package: objects, and the engine behind `pantler.Butler`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, final

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

__version__: str

_Box = Bbox | Sequence[int]
_Cards = Metadata | Mapping[str, Any] | Any
_Path = str | PathLike[str]
_Report = dict[str, Any]

@disjoint_base
class DataObject:
    """An immutable object with named components; the base of all classes."""
    @property
    def class_name(self) -> str:
        """The name of the class in policies and messages: `Exposure`, `Detector`."""
    @property
    def component_names(self) -> list[str]:
        """The names of the components that the object has."""
    @property
    def nbytes(self) -> int:
        """About how many bytes of memory the object holds, shared parts included."""
    @property
    def origin(self) -> dict[str, Any] | None:
        """The dataset that the object was read from, if it is unchanged since: type, data ID, identity, part, whole."""
    @property
    def bare(self) -> Any:
        """The object without what an assembler attached to it."""
    def component(self, name: str) -> Any:
        """Returns a component; synonyms are understood."""
    def with_component(self, name: str, value: Any) -> Any:
        """Returns a copy with one component replaced, and everything that said the same gone."""
    def summary(self) -> dict[str, Any] | None:
        """Returns what the object says, decoded: names with units, and values; None where its class has no summary."""
    def difference(self, other: DataObject) -> str | None:
        """Returns the first difference in values from another object, in words; None if they are the same."""
    def __eq__(self, other: object, /) -> bool: ...
    def __getattr__(self, name: str) -> Any: ...
    def __dask_tokenize__(obj, /) -> str: ...

def set_component(object: DataObject, name: str, value: Any) -> Any: ...

@final
class Bbox(DataObject):
    """A rectangle of pixels, as the parent counts them from 0; it unpacks to x0, y0, width, height."""
    def __new__(cls, x0: int, y0: int, width: int, height: int) -> Bbox: ...
    @property
    def x0(self) -> int:
        """The first column."""
    @property
    def y0(self) -> int:
        """The first row."""
    @property
    def width(self) -> int:
        """The number of columns."""
    @property
    def height(self) -> int:
        """The number of rows."""
    def __iter__(self) -> Iterator[int]: ...

@final
class Metadata(DataObject):
    """Header cards in order; a keyword may stand several times."""
    def __new__(cls, cards: _Cards) -> Metadata: ...
    def __getitem__(self, keyword: str, /) -> Any: ...
    def get(self, keyword: str, default: Any = None) -> Any:
        """Returns the value of the first card with this keyword."""
    def get_all(self, keyword: str) -> list[Any]:
        """Returns the values of all cards with this keyword, in order."""
    def keys(self) -> list[str]:
        """Returns the keywords in order, each once."""
    def cards(self) -> list[tuple[str, Any, str]]:
        """Returns all cards in order: keyword, value, comment."""
    def with_card(self, keyword: str, value: Any, comment: str | None = None) -> Metadata:
        """Returns a copy in which the keyword stands once, with this value."""
    def without(self, keyword: str) -> Metadata:
        """Returns a copy without the cards of this keyword."""
    def _repr_html_(metadata, /) -> str: ...
    def to_astropy(self) -> Any:
        """Returns an astropy.io.fits.Header of the cards."""
    def __contains__(self, keyword: str, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...

@final
class Image(DataObject):
    """A two-dimensional image, whose first pixel has a place in its parent."""
    def __new__(
        cls, array: npt.ArrayLike, x0: int = 0, y0: int = 0, *, metadata: _Cards | None = None
    ) -> Image: ...
    @property
    def array(self) -> npt.NDArray[Any]:
        """The pixels (rows, columns): a view on the engine's memory that cannot be written; `.copy()` gives one to change."""
    @property
    def bbox(self) -> Bbox:
        """Where the pixels lie in the parent."""
    @property
    def metadata(self) -> Metadata:
        """The header of its plane or file."""
    @property
    def wcs(self) -> Wcs | None:
        """The coordinate system, where the header describes one; else None."""
    def with_array(self, array: npt.ArrayLike) -> Image:
        """Returns a copy with other pixels, in the same place and under the same header."""
    def cutout(self, bbox: _Box) -> Image:
        """Returns some of the pixels, which keep their place in the parent."""
    def to_ccddata(obj, /, *, bad: Sequence[str] | None = None, unit: Any = None) -> Any:
        """Return an astropy.nddata.CCDData: copies of the pixels, variance, mask, coordinates and header."""
    def to_nddata(obj, /, *, unit: Any = None) -> Any:
        """Return an astropy.nddata.NDData as `to_ccddata` does, whose coordinates are pantler's own computation and `mask` the bits."""
    def to_hdulist(obj, /) -> Any:
        """Return an astropy.io.fits.HDUList of what a FITS file of the object holds, all components included."""
    def _repr_png_(obj, /) -> bytes | None: ...
    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]: ...

@final
class Mask(DataObject):
    """A mask: 32 bits for each pixel, and the planes' names."""
    def __new__(cls, array: npt.ArrayLike, planes: Mapping[str, int], x0: int = 0, y0: int = 0) -> Mask: ...
    @property
    def array(self) -> npt.NDArray[np.int32]:
        """The bits (rows, columns): a view on the engine's memory that cannot be written; `.copy()` gives one to change."""
    @property
    def bbox(self) -> Bbox:
        """Where the pixels lie in the parent."""
    @property
    def planes(self) -> dict[str, int]:
        """The planes' names, each with the number of its bit."""
    @property
    def metadata(self) -> Metadata:
        """The header of its plane or file."""
    def plane(self, name: str) -> npt.NDArray[np.bool_]:
        """Returns where one plane is set, as an array of True and False."""
    def _repr_png_(obj, /) -> bytes | None: ...
    def with_array(self, array: npt.ArrayLike, planes: Mapping[str, int] | None = None) -> Mask:
        """Returns a copy with other bits, in the same place."""
    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]: ...

@final
class MaskedImage(DataObject):
    """An image with its mask and its variance, each of which may be absent."""
    def __new__(
        cls,
        image: Image | npt.ArrayLike | None = None,
        mask: Mask | None = None,
        variance: Image | npt.ArrayLike | None = None,
        metadata: _Cards | None = None,
    ) -> MaskedImage: ...
    @property
    def image(self) -> Image | None:
        """The pixels, or None."""
    @property
    def mask(self) -> Mask | None:
        """The mask, or None."""
    @property
    def variance(self) -> Image | None:
        """The variance, or None."""
    @property
    def metadata(self) -> Metadata:
        """The header of the whole."""
    @property
    def bbox(self) -> Bbox:
        """Where the pixels lie in the parent."""
    def to_ccddata(obj, /, *, bad: Sequence[str] | None = None, unit: Any = None) -> Any:
        """Return an astropy.nddata.CCDData: copies of the pixels, variance, mask, coordinates and header."""
    def to_nddata(obj, /, *, unit: Any = None) -> Any:
        """Return an astropy.nddata.NDData as `to_ccddata` does, whose coordinates are pantler's own computation and `mask` the bits."""
    def to_hdulist(obj, /) -> Any:
        """Return an astropy.io.fits.HDUList of what a FITS file of the object holds, all components included."""
    def _repr_png_(obj, /) -> bytes | None: ...

@final
class Exposure(DataObject):
    """Pixels with all that says what they mean."""
    def __new__(
        cls,
        image: Image | npt.ArrayLike | None = None,
        mask: Mask | None = None,
        variance: Image | npt.ArrayLike | None = None,
        metadata: _Cards | None = None,
        **components: Any,
    ) -> Exposure: ...
    @property
    def image(self) -> Image | None:
        """The pixels, or None."""
    @property
    def mask(self) -> Mask | None:
        """The mask, or None."""
    @property
    def variance(self) -> Image | None:
        """The variance, or None."""
    @property
    def metadata(self) -> Metadata:
        """The primary header."""
    @property
    def bbox(self) -> Bbox:
        """Where the pixels lie in the parent."""
    @property
    def wcs(self) -> Wcs | None:
        """The coordinate system, or None."""
    @property
    def photo_calib(self) -> PhotoCalib | None:
        """The photometric calibration, or None."""
    @property
    def visit_info(self) -> VisitInfo | None:
        """When, where and how it was taken, or None."""
    @property
    def psf(self) -> Psf | DataObject | None:
        """The point spread function, or None."""
    @property
    def masked_image(self) -> MaskedImage:
        """The planes and the header alone."""
    def with_image(self, image: Image | npt.ArrayLike) -> Exposure:
        """Returns a copy with another image, which shares the rest."""
    def with_mask(self, mask: Mask) -> Exposure:
        """Returns a copy with another mask."""
    def with_variance(self, variance: Image | npt.ArrayLike) -> Exposure:
        """Returns a copy with another variance."""
    def with_metadata(self, metadata: _Cards) -> Exposure:
        """Returns a copy with another header."""
    def with_wcs(self, wcs: Wcs) -> Exposure:
        """Returns a copy with another coordinate system; every trace of the old one is gone."""
    def with_photo_calib(self, photo_calib: PhotoCalib) -> Exposure:
        """Returns a copy with another photometric calibration; every trace of the old one is gone."""
    def without(self, name: str) -> Exposure:
        """Returns a copy without a component, and without all that said the same."""
    def to_ccddata(obj, /, *, bad: Sequence[str] | None = None, unit: Any = None) -> Any:
        """Return an astropy.nddata.CCDData: copies of the pixels, variance, mask, coordinates and header."""
    def to_nddata(obj, /, *, unit: Any = None) -> Any:
        """Return an astropy.nddata.NDData as `to_ccddata` does, whose coordinates are pantler's own computation and `mask` the bits."""
    def to_hdulist(obj, /) -> Any:
        """Return an astropy.io.fits.HDUList of what a FITS file of the object holds, all components included."""
    def _repr_png_(obj, /) -> bytes | None: ...
    @staticmethod
    def from_nddata(theirs: Any, python: str | None = None) -> Exposure | MaskedImage | Image:
        """Return an Exposure of astropy's NDData or CCDData, or what `python` says."""
    @staticmethod
    def from_hdulist(hdus: Any) -> Exposure:
        """Return the Exposure that HDUs hold."""

@final
class Wcs(DataObject):
    """A world coordinate system: pixels of the parent image, counted from 0, and positions on the sky in degrees."""
    @staticmethod
    def from_header(cards: _Cards, x0: int = 0, y0: int = 0) -> Wcs:
        """staticmethod(function) -> method"""
    @property
    def reference_frame(self) -> str | None:
        """The name of the reference frame, `ICRS`, `FK5`; None where it is not said."""
    def pixel_to_sky(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Any, Any]:
        """Returns the positions (right ascension, declination) of pixels in degrees; NaN where a pixel has none."""
    def sky_to_pixel(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> tuple[Any, Any]:
        """Returns the pixels (x, y) at positions, the exact inverse of `pixel_to_sky`; NaN where there is none."""
    def pixel_scale(self, x: float, y: float) -> float:
        """Returns how large a pixel is on the sky, in arcseconds."""
    def footprint(self, bbox: _Box) -> list[tuple[float, float]]:
        """Returns the positions of the four corners of a rectangle of pixels, in degrees."""
    def to_header(self, bbox: _Box | None = None) -> Metadata:
        """Returns header cards for the array of a rectangle of pixels."""
    def to_astropy(self, bbox: _Box | None = None) -> Any:
        """Returns an astropy.wcs.WCS for the array of a rectangle of pixels, as `to_header` has it."""
    def to_ape14(wcs, /, bbox: Sequence[int] | None = None) -> Any:
        """Return the system behind astropy's interface for shared use, high level and low level, for the array of a rectangle of pixels."""
    @staticmethod
    def from_astropy(theirs: Any, x0: int = 0, y0: int = 0) -> Wcs:
        """Return an astropy coordinate system (WCS, or what `to_ape14` gave) as pantler's."""

@final
class PhotoCalib(DataObject):
    """What counts are worth, all over an image."""
    @staticmethod
    def from_header(cards: _Cards) -> PhotoCalib:
        """staticmethod(function) -> method"""
    @property
    def mean(self) -> float:
        """The mean scale over the image, in nanojansky per count."""
    @property
    def error(self) -> float:
        """The standard deviation of the mean scale, in nanojansky per count; NaN where it is not known."""
    def scale(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Any:
        """Returns the scale at pixels of the parent image, in nanojansky per count."""
    def nanojansky(
        self, counts: npt.ArrayLike, errors: npt.ArrayLike, x: npt.ArrayLike | None = None, y: npt.ArrayLike | None = None
    ) -> tuple[Any, Any]:
        """Returns fluxes in nanojansky, and their standard deviations."""
    def magnitudes(
        self, counts: npt.ArrayLike, errors: npt.ArrayLike, x: npt.ArrayLike | None = None, y: npt.ArrayLike | None = None
    ) -> tuple[Any, Any]:
        """Returns AB magnitudes, and their standard deviations."""

@final
class VisitInfo(DataObject):
    """When, where and how an exposure was taken; what the file does not say is None."""
    @property
    def values(self) -> dict[str, Any]:
        """The values by name, in seconds, degrees, metres, pascal: those that the file says."""
    @property
    def id(self) -> int | None:
        """The number of the exposure of the whole focal plane, or None."""
    @property
    def exposure_time(self) -> float | None:
        """How long the shutter was open, in seconds, or None."""
    @property
    def mjd(self) -> float | None:
        """The middle of the exposure as a modified Julian date of TAI, in days, or None."""
    @property
    def boresight_radec(self) -> tuple[float, float] | None:
        """ICRS right ascension and declination of the boresight, in degrees, or None."""
    @property
    def boresight_airmass(self) -> float | None:
        """The airmass at the boresight, or None."""
    @property
    def instrument(self) -> str | None:
        """The short name of the instrument, or None."""

@final
class Psf(DataObject):
    """A point spread function."""
    @property
    def average_position(self) -> tuple[float, float] | None:
        """The mean of the positions that it was measured at, or None."""
    @property
    def is_varying(self) -> bool:
        """Whether it is another one at another place."""
    def image_at(self, x: float, y: float) -> Image:
        """Returns the image of a point source, whose pixels add up to 1."""
    def moments_at(self, x: float, y: float) -> dict[str, float]:
        """Returns the adaptive moments, in pixels: x, y, xx, yy, xy."""
    def aperture_flux(self, x: float, y: float, radius: float) -> float:
        """Returns which part of the flux of a point source lies within a radius."""

@final
class Table(DataObject):
    """A table of named columns, with header cards."""
    def __new__(
        cls,
        columns: Mapping[str, npt.ArrayLike],
        *,
        metadata: _Cards | None = None,
        units: Mapping[str, str] | None = None,
    ) -> Table: ...
    @property
    def columns(self) -> list[str]:
        """The columns' names in order."""
    @property
    def metadata(self) -> Metadata:
        """The header cards."""
    def unit(self, column: str) -> str | None:
        """Returns the unit of a column, or None."""
    def description(self, column: str) -> str | None:
        """Returns what a column is, in words, or None."""
    def select(self, columns: Sequence[str]) -> Table:
        """Returns the table of some columns."""
    def with_metadata(self, metadata: _Cards) -> Table:
        """Returns a copy with other header cards."""
    def to_arrow(self) -> Any:
        """Returns a pyarrow.Table on the same memory."""
    def to_astropy(self) -> Any:
        """Returns an astropy.table.Table, with units and header cards."""
    def to_qtable(table, /) -> Any:
        """Return an astropy.table.QTable: columns with a unit are quantities; copies."""
    def to_pandas(table, /) -> Any:
        """Return a pandas.DataFrame; pandas' own rules say what becomes of missing values."""
    def to_polars(table, /) -> Any:
        """Return a polars.DataFrame on the same memory."""
    def to_numpy(table, /) -> npt.NDArray[Any]:
        """Return a structured array of numpy: one field a column, copied; a masked array where values are missing."""
    @staticmethod
    def from_astropy(theirs: Any) -> Table:
        """Return a Table of an astropy Table or QTable: values, missing values, units, descriptions, and what of `meta` a header can hold."""
    @staticmethod
    def from_pandas(frame: Any) -> Table:
        """Return a Table of a pandas.DataFrame; an index that has a name, or is no plain count, becomes a column."""
    @staticmethod
    def from_polars(frame: Any) -> Table:
        """Return a Table of a polars.DataFrame."""
    @staticmethod
    def from_arrow(theirs: Any) -> Table:
        """Return a Table of a pyarrow Table or RecordBatch, or of anything that hands over Arrow's; units and descriptions are fields'."""
    @staticmethod
    def from_numpy(array: npt.NDArray[Any], **options: Any) -> Table:
        """Return a Table of a structured array of one dimension."""
    def _repr_html_(table, /) -> str: ...
    def __getitem__(self, column: str, /) -> npt.NDArray[Any]: ...
    def __contains__(self, column: str, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __add__(self, other: Table, /) -> Table: ...
    def __radd__(self, other: Table, /) -> Table: ...
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> Any: ...
    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]: ...

@final
class Container(DataObject):
    """Objects by name, in the order of the policy: the composite that needs no class of its own. A mapping."""
    def __new__(cls, objects: Mapping[str, Any] | None = None) -> Container: ...
    def keys(self) -> list[str]:
        """Returns the names."""
    def values(self) -> list[Any]:
        """Returns the objects, in the order of the names."""
    def items(self) -> list[tuple[str, Any]]:
        """Returns pairs of name and object."""
    def get(self, name: str, default: Any = None) -> Any:
        """Returns the object of a name, or `default`."""
    def __getitem__(self, key: str | int, /) -> Any: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...

@final
class Subset(DataObject):
    """The objects of a `subset` component, in the order of their data IDs. A sequence."""
    def __new__(cls, pairs: Sequence[tuple[dict[str, Any], Any]]) -> Subset: ...
    @property
    def data_ids(self) -> list[dict[str, Any]]:
        """The data IDs of the objects."""
    def items(self) -> list[tuple[dict[str, Any], Any]]:
        """Returns pairs of data ID and object."""
    def __getitem__(self, key: int | slice | dict[str, Any], /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...

@final
class Document(DataObject):
    """A tree of dictionaries, lists and scalars, which cannot be changed; `value` is one that can."""
    def __new__(cls, value: Any) -> Document: ...
    @property
    def value(self) -> Any:
        """The tree; a new one for each call, which belongs to the caller."""
    def __getitem__(self, key: Any, /) -> Any: ...
    def __contains__(self, key: Any, /) -> bool: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...

@final
class View:
    @property
    def __array_interface__(self) -> dict[str, Any]: ...

@final
class Rows:
    def __len__(self) -> int: ...
    def row(self, index: int) -> dict[str, Any]: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...

def sent(class_name: str, storage: str, data: bytes) -> Any: ...
def attached(bare: Any, parts: list[tuple[str, Any]]) -> Any: ...
def container(entries: list[tuple[Any, ...]]) -> Any: ...
def run_program(words: list[str]) -> int: ...

@final
class Batch:
    def put(
        self,
        object: Any,
        name: str,
        data_id: dict[str, Any],
        replace: bool,
        drop_input_only: bool,
        inputs: list[tuple[str, dict[str, Any]]],
        notes: list[tuple[str, str]],
        parts: list[tuple[str, Any]],
    ) -> _Report: ...
    def link(self, name: str, data_id: dict[str, Any], notes: list[tuple[str, str]]) -> _Report: ...
    def read_file(self, name: str, data_id: dict[str, Any], file: _Path) -> Any: ...
    def commit(self) -> list[_Report]: ...
    def discard(self) -> None: ...

@final
class Engine:
    def __new__(
        cls,
        inputs: Sequence[_Path],
        outputs: Sequence[_Path],
        tags: Sequence[tuple[_Path, str]],
        add_parents: bool,
        inputs_in_order: bool,
        cache_bytes: int | None,
        plugins: Any,
        trusted: tuple[Sequence[_Path], Sequence[str]],
        policies: Sequence[tuple[_Path, str]],
    ) -> Engine: ...
    def repositories(self) -> list[tuple[str, str]]: ...
    def warnings(self) -> list[str]: ...
    def get(
        self,
        name: str,
        data_id: dict[str, Any],
        bbox: _Box | None,
        columns: list[str] | None,
        rows: list[tuple[int, int]] | None,
        lookup: bool,
    ) -> Any: ...
    def get_together(
        self,
        name: str,
        data_ids: list[dict[str, Any]],
        bbox: _Box | None,
        columns: list[str] | None,
        rows: list[tuple[int, int]] | None,
        lookup: bool,
    ) -> list[Any]: ...
    def get_components(self, name: str, data_id: dict[str, Any], components: list[str]) -> list[Any]: ...
    def put(
        self,
        object: Any,
        name: str,
        data_id: dict[str, Any],
        replace: bool,
        drop_input_only: bool,
        inputs: list[tuple[str, dict[str, Any]]],
        notes: list[tuple[str, str]],
        parts: list[tuple[str, Any]],
    ) -> _Report: ...
    def link(self, name: str, data_id: dict[str, Any], notes: list[tuple[str, str]]) -> _Report: ...
    def batch(self) -> Batch: ...
    def exists(self, name: str, data_id: dict[str, Any]) -> bool: ...
    def explain(self, name: str, data_id: dict[str, Any], lookup: bool) -> tuple[_Report, str]: ...
    def query(
        self,
        name: str | None,
        data_id: dict[str, Any],
        condition: str | None,
        order_by: list[tuple[str, bool]],
        limit: int | None,
        made_from: tuple[str, dict[str, Any]] | None,
        used_by: tuple[str, dict[str, Any]] | None,
    ) -> Rows: ...
    def ingest(
        self,
        name: str,
        files: Sequence[_Path],
        data_id: dict[str, Any],
        mode: str,
        digest: bool,
        notes: list[tuple[str, str]],
        progress: Callable[[int, int], object] | None,
        table: _Path | Sequence[tuple[_Path, Sequence[tuple[str, str]]]] | None,
    ) -> tuple[int, int, int, list[tuple[_Path, Exception]]]: ...
    def transfer_to(
        self,
        target: Engine | _Path,
        names: list[str],
        data_id: dict[str, Any],
        condition: str | None,
        by: str,
        merge: bool,
        dry_run: bool,
        notes: list[tuple[str, str]],
        progress: Callable[[int, int], object] | None,
    ) -> _Report: ...
    def aliases(self) -> list[tuple[str, str]]: ...
    def set_alias(self, name: str, target: str | None) -> None: ...
    def keys(self, name: str) -> list[tuple[str, str]]: ...
    def export(self, name: str, data_id: dict[str, Any], file: _Path) -> int: ...
    def rm(self, name: str, data_id: dict[str, Any], force: bool, dry_run: bool) -> _Report: ...
    def gc(self, dry_run: bool, grace_seconds: float) -> _Report: ...
    def summary(self) -> _Report: ...
    def diff(self, first: str, second: str, data_id: dict[str, Any]) -> list[tuple[str, str, str | None]]: ...
    def explain_put(self, name: str, data_id: dict[str, Any]) -> _Report: ...
    def read_file(self, name: str, data_id: dict[str, Any], file: _Path) -> Any: ...
    def get_cutouts(self, name: str, data_id: dict[str, Any], boxes: Sequence[_Box]) -> list[Any]: ...
    def fsck(self, deep: bool, repair: bool, progress: Callable[[int, int], object] | None) -> _Report: ...

def check_policy(policies: Sequence[tuple[str, str]], parents: Sequence[_Path]) -> list[_Report]: ...
def policy_schema() -> _Report: ...
def migrate(root: _Path) -> tuple[int, int]: ...
def read_file(file: _Path, component: Sequence[str], hdu: int | None, class_name: str | None) -> Any: ...
def init(
    root: _Path, policies: Sequence[tuple[str, str]], parents: Sequence[_Path], tags: Sequence[str]
) -> None: ...
