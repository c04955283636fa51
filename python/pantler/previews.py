"""What notebooks show: a picture of pixels, the head of a table, the tree of a plan. It needs nothing but numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pantler._pantler import Exposure, Image, Mask, MaskedImage, Metadata, Table
from pantler.later import Later

if TYPE_CHECKING:
    import html
    import struct
    import zlib

    import numpy as np
    import numpy.typing as npt

    from pantler.results import Plan, QueryResult

    _Bytes: TypeAlias = npt.NDArray[np.uint8]
else:
    html, struct, zlib, np = Later("html"), Later("struct"), Later("zlib"), Later("numpy")

# How many pixels a side of the picture has at most, and how many rows and columns of a table are shown.
_LARGEST = 512
_ROWS, _COLUMNS = 10, 12
# How steep the stretch is where the pixels are as faint as the noise, against the brightest ones.
_SOFTENING = 10.0
# The planes that are drawn, in this order: each hides those before it.
_COLOURS = {
    "DETECTED": (0, 0, 255),
    "DETECTED_NEGATIVE": (0, 255, 255),
    "EDGE": (255, 255, 0),
    "NO_DATA": (255, 165, 0),
    "INTRP": (0, 255, 0),
    "CR": (255, 0, 255),
    "SAT": (0, 255, 0),
    "BAD": (255, 0, 0),
}
_OPACITY = 0.35


def picture(obj: Exposure | MaskedImage | Image | Mask, /) -> bytes | None:
    """Return a PNG of the pixels, the first row at the bottom, with planes of the mask in colours; None where there is nothing."""
    image = obj if isinstance(obj, Image) else None
    mask = obj if isinstance(obj, Mask) else None
    if isinstance(obj, (Exposure, MaskedImage)):
        image, mask = obj.image or obj.variance, obj.mask
    shape = image.array.shape if image is not None else mask.array.shape if mask is not None else (0, 0)
    if 0 in shape:
        return None
    step = -(-max(shape) // _LARGEST)
    small = np.zeros([-(-side // step) for side in shape], np.uint8) if image is None else stretched(image.array, step)
    colours = np.repeat(small[:, :, None], 3, axis=2)
    if mask is not None:
        _draw(colours, mask, step)
    return _png(colours[::-1])


def stretched(pixels: npt.NDArray[Any], step: int = 1) -> _Bytes:
    """Return pixels as grey values from 0 to 255, means of squares of `step` pixels.

    The stretch is the inverse hyperbolic sine of Lupton et al. (2004, PASP 116, 133), linear for the faint and logarithmic for the
    bright; it begins two standard deviations below the sky and ends at the percentile 99.5. The sky is the median, its deviation
    1.4826 times the median of the absolute deviations from it.
    """
    means = _means(pixels, step)
    good = means[np.isfinite(means)]
    if not good.size:
        return np.zeros(means.shape, np.uint8)
    sky = np.median(good)
    noise = 1.4826 * np.median(np.abs(good - sky))
    low, high = sky - 2 * noise, np.percentile(good, 99.5)
    if not high > low:
        low, high = good.min(), good.max()
    if not high > low:
        return np.full(means.shape, 127, np.uint8)
    scaled = np.clip((np.nan_to_num(means, nan=low, posinf=high, neginf=low) - low) / (high - low), 0, 1)
    grey = np.arcsinh(_SOFTENING * scaled) / np.arcsinh(_SOFTENING)
    return np.asarray(np.rint(255 * grey), np.uint8)


def _means(pixels: npt.NDArray[Any], step: int) -> npt.NDArray[np.float64]:
    """Means of squares; the last ones are of the pixels that are left, and no mean is where no pixel is finite."""
    rows, columns = (np.arange(0, side, step) for side in pixels.shape)
    values = np.asarray(pixels, float)
    good = np.isfinite(values)
    sums = np.add.reduceat(np.add.reduceat(np.where(good, values, 0), rows, axis=0), columns, axis=1)
    counts = np.add.reduceat(np.add.reduceat(good.astype(int), rows, axis=0), columns, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / counts)


def _draw(colours: _Bytes, mask: Mask, step: int) -> None:
    """Tint the squares in which a pixel has a plane."""
    rows, columns = (np.arange(0, side, step) for side in mask.array.shape)
    for name, colour in _COLOURS.items():
        if name in mask.planes:
            has = np.logical_or.reduceat(np.logical_or.reduceat(mask.plane(name), rows, axis=0), columns, axis=1)
            colours[has] = np.rint((1 - _OPACITY) * colours[has] + _OPACITY * np.array(colour)).astype(np.uint8)


def _png(colours: _Bytes) -> bytes:
    """The file of a picture in red, green and blue: Portable Network Graphics (W3C, third edition, 2025), no filter."""
    height, width, _ = colours.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    # Each row begins with its filter.
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = colours.reshape(height, 3 * width)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")


def table_html(table: Table, /) -> str:
    """Return the first rows of a table, with the units of its columns, as HTML."""
    names = table.columns[:_COLUMNS]
    shown = min(len(table), _ROWS)
    columns = [_values(table, name, shown) for name in names]
    rows = [[column[row] for column in columns] for row in range(shown)]
    units = [table.unit(name) or "" for name in names]
    about = f"{len(table)} rows, {len(table.columns)} columns"
    return f"<p>Table: {about}</p>" + _html_table(names, rows, units if any(units) else None, len(table.columns) > len(names))


def _values(table: Table, name: str, count: int) -> list[str]:
    try:
        column = table[name]
    except NotImplementedError:
        # Lists and times are no arrays of numpy.
        return ["…"] * count
    return ["" if np.ma.is_masked(value) else _short(value) for value in column[:count]]


def _short(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=4, threshold=4, edgeitems=2)
    return str(value)


def cards_html(metadata: Metadata, /) -> str:
    """Return the cards of a header as HTML."""
    return _html_table(["keyword", "value", "comment"], [[key, str(value), comment or ""] for key, value, comment in metadata.cards()])


def plan_html(plan: Plan) -> str:
    """Return the tree of a plan as HTML."""
    return f'<pre style="line-height: 1.3">{html.escape(str(plan))}</pre>'


def query_html(found: QueryResult) -> str:
    """Return the first datasets that a query found as HTML."""
    refs = found[:_ROWS]
    keys = list(dict.fromkeys(key for ref in refs for key in ref.data_id))
    rows = [[ref.name, *(_short(ref.data_id.get(key, "")) for key in keys), ref.location or ""] for ref in refs]
    return f"<p>{len(found)} datasets</p>" + _html_table(["type", *keys, "location"], rows)


def _html_table(names: list[str], rows: list[list[str]], units: list[str] | None = None, more: bool = False) -> str:
    def line(cells: list[str], tag: str) -> str:
        cells = [*cells, "…"] if more else cells
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    head = line(names, "th") + (line(units, "td") if units else "")
    return f"<table><thead>{head}</thead><tbody>{''.join(line(row, 'td') for row in rows)}</tbody></table>"
