//! Which tiles a rectangle of an image touches, and where their rows of the table lie: arithmetic without pixels.

use std::ops::Range;

use pantler_core::formatter::PixelBox;

use crate::fits::structure::{HduKind, HduShape};

/// How the tiles of an image lie, as rows of tiles of one size; those at the far edges are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(super) width: u64,
    pub(super) height: u64,
    pub(super) tile: (u64, u64),
}

impl Grid {
    /// Returns the grid of an image that can be seen as rows of pixels, tile by tile; `None` if it cannot.
    pub(crate) fn of(axes: &[u64], tile: &[u64]) -> Option<Grid> {
        let flat = axes
            .get(2..)
            .unwrap_or_default()
            .iter()
            .all(|&length| length == 1);
        let rows = tile
            .get(1..)
            .unwrap_or_default()
            .iter()
            .all(|&length| length == 1);
        let height = axes
            .get(1..)?
            .iter()
            .try_fold(1u64, |all, &n| all.checked_mul(n))?;
        let tall = if flat {
            tile.get(1).copied().unwrap_or(1)
        } else {
            1
        };
        let legal = tile.iter().all(|&length| length >= 1) && (flat || rows);
        legal.then_some(Grid {
            width: *axes.first()?,
            height,
            tile: (*tile.first()?, tall),
        })
    }

    pub(super) fn across(self) -> u64 {
        self.width.div_ceil(self.tile.0)
    }

    /// Returns the columns and rows of tiles that a rectangle touches; it must lie in the image and not be empty.
    pub(super) fn touched(self, area: &Area) -> (Range<u64>, Range<u64>) {
        let along = |start: u64, length: u64, tile: u64| {
            start / tile..start.saturating_add(length).div_ceil(tile)
        };
        (
            along(area.x, area.width, self.tile.0),
            along(area.y, area.height, self.tile.1),
        )
    }

    /// Returns the rows of the table from the first to the last that a rectangle touches.
    pub(super) fn rows(self, area: &Area) -> Range<u64> {
        let (columns, rows) = self.touched(area);
        let at = |row: u64, column: u64| row.saturating_mul(self.across()).saturating_add(column);
        at(rows.start, columns.start)..at(rows.end.saturating_sub(1), columns.end)
    }
}

/// A rectangle of pixels of an image, counted from its first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    /// The first column.
    pub(crate) x: u64,
    /// The first row.
    pub(crate) y: u64,
    /// The number of columns.
    pub(crate) width: u64,
    /// The number of rows.
    pub(crate) height: u64,
}

impl Area {
    /// Returns where a box lies in the image that covers `whole`.
    pub(crate) fn of(whole: PixelBox, bbox: PixelBox) -> Area {
        Area {
            x: bbox.x0.abs_diff(whole.x0),
            y: bbox.y0.abs_diff(whole.y0),
            width: bbox.width,
            height: bbox.height,
        }
    }
}

/// Where the rows of a table lie that a rectangle touches, and about where the bytes are that these point at.
pub(crate) struct TileRanges {
    /// The rows of the table, from the first to the last.
    pub(crate) rows: Range<u64>,
    /// That part of the heap that tiles of equal size would take.
    pub(crate) heap: Range<u64>,
}

/// Returns which bytes a rectangle takes, as far as a layout tells; `None` if it takes the whole.
pub(crate) fn ranges(shape: &HduShape, area: &Area) -> Option<TileRanges> {
    let HduKind::CompressedImage {
        axes, tile, table, ..
    } = &shape.kind
    else {
        return None;
    };
    let grid = Grid::of(axes, tile)?;
    if (area.width, area.height) == (grid.width, grid.height) || area.width == 0 || area.height == 0
    {
        return None;
    }
    let rows = grid.rows(area);
    let at = |row: u64| {
        let offset = row.min(table.rows).saturating_mul(table.width);
        shape.data.start.saturating_add(offset).min(shape.data.end)
    };
    let (columns, down) = grid.touched(area);
    let touched = (columns.end - columns.start).saturating_mul(down.end - down.start);
    let heap = shape
        .data
        .start
        .saturating_add(table.heap)
        .min(shape.data.end);
    let share = |row: u64| {
        let bytes = u128::from(shape.data.end - heap) * u128::from(row.min(table.rows));
        (bytes / u128::from(table.rows.max(1))) as u64
    };
    let first = heap + share(rows.start);
    Some(TileRanges {
        heap: first..first.saturating_add(share(touched)).min(shape.data.end),
        rows: at(rows.start)..at(rows.end),
    })
}
