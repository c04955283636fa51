//! Floating-point tiles that were stored as scaled integers, with or without dither.
//!
//! The format is that of FITS standard 4.0, section 10.2 and appendix I: a value is `(integer - random + 0.5) * ZSCALE +
//! ZZERO`, with a random number out of a list that the standard fixes (the generator of S. K. Park and K. W. Miller,
//! "Random number generators: good ones are hard to find", 1988), which each tile enters at a place that follows from its
//! number and `ZDITHER0`. Without dither it is `integer * ZSCALE + ZZERO`.

use std::sync::OnceLock;

use pantler_objects::record::{Column, ColumnKind};
use pantler_objects::{CardValue, RecordTable};

use super::super::card::{integer_of, text_of};
use super::super::scaling::StoredPixel;
use super::super::structure::Hdu;

/// The length of the list of random numbers.
const RANDOMS: usize = 10_000;

/// The integer that stands for exactly 0 in `SUBTRACTIVE_DITHER_2`.
const ZERO: i32 = -2_147_483_646;

/// How the tiles of an image are quantised.
#[derive(Debug, Clone)]
pub(crate) struct Quantised {
    scale: Number,
    zero: Number,
    blank: Option<Number>,
    /// The place in the list at which the first tile starts, counted from 0; `None` without dither.
    dither: Option<usize>,
    keeps_zeros: bool,
}

/// A number that is the same for all tiles, or that each row of the table has.
#[derive(Debug, Clone)]
enum Number {
    Same(f64),
    Column(Column),
}

impl Number {
    fn of(hdu: &Hdu, columns: &RecordTable, name: &str) -> Option<Number> {
        match columns.column(name) {
            Some(column) => Some(Number::Column(column.clone())),
            None => hdu.cards.get_f64(name).map(Number::Same),
        }
    }

    fn get(&self, row: &[u8]) -> Option<f64> {
        let column = match self {
            Number::Same(number) => return Some(*number),
            Number::Column(column) => column,
        };
        let ColumnKind::Fixed { code, repeat: 1.. } = column.kind else {
            return None;
        };
        let field = row.get(column.offset..)?;
        Some(match code {
            b'D' => f64::from_be_bytes(*field.first_chunk()?),
            b'E' => f32::from_be_bytes(*field.first_chunk()?).into(),
            b'J' => i32::from_be_bytes(*field.first_chunk()?).into(),
            b'I' => i16::from_be_bytes(*field.first_chunk()?).into(),
            _ => return None,
        })
    }
}

impl Quantised {
    /// Finds out how an image of floating-point numbers is quantised; `None` if it is not.
    pub(crate) fn of(hdu: &Hdu, columns: &RecordTable) -> Option<Quantised> {
        let method = text_of(&hdu.cards, "ZQUANTIZ");
        if method == "NONE" {
            return None;
        }
        let seed = match hdu.cards.get("ZDITHER0") {
            Some(CardValue::Integer(seed @ 1..)) => usize::try_from(*seed - 1).unwrap_or(0),
            _ => 0,
        };
        let dithered = matches!(
            method.as_str(),
            "SUBTRACTIVE_DITHER_1" | "SUBTRACTIVE_DITHER_2"
        );
        let blank = match columns.column("ZBLANK") {
            Some(column) => Some(Number::Column(column.clone())),
            None => integer_of(&hdu.cards, "ZBLANK").map(|blank| Number::Same(blank as f64)),
        };
        Some(Quantised {
            scale: Number::of(hdu, columns, "ZSCALE")?,
            zero: Number::of(hdu, columns, "ZZERO")?,
            blank,
            dither: dithered.then_some(seed % RANDOMS),
            keeps_zeros: method == "SUBTRACTIVE_DITHER_2",
        })
    }

    /// Makes values of the integers of tile `number`, which the row of the table belongs to.
    pub(crate) fn restore<T: StoredPixel>(
        &self,
        number: u64,
        row: &[u8],
        integers: &[i32],
        out: &mut [T],
    ) -> Result<(), &'static str> {
        let missing = "a tile has no legal ZSCALE or ZZERO";
        let scale = self.scale.get(row).ok_or(missing)?;
        let zero = self.zero.get(row).ok_or(missing)?;
        // An integer that no pixel can have stands for no blank.
        let blank = self.blank.as_ref().and_then(|blank| blank.get(row));
        let blank = blank.map_or(i64::MAX, |blank| blank as i64);
        let value = |integer: i32, float: f64| {
            let value = if i64::from(integer) == blank {
                f64::NAN
            } else {
                float * scale + zero
            };
            T::from_float(value)
        };
        let Some(seed) = self.dither else {
            for (out, &integer) in out.iter_mut().zip(integers) {
                *out = value(integer, f64::from(integer));
            }
            return Ok(());
        };
        let randoms = randoms();
        let mut seed = (seed + (number % RANDOMS as u64) as usize) % RANDOMS;
        let mut next = first_random(randoms, seed);
        let (mut out, mut integers) = (out, integers);
        while !integers.is_empty() && !out.is_empty() {
            let run = (RANDOMS - next).min(integers.len()).min(out.len());
            let (now, later) = out.split_at_mut(run);
            let with_random = integers.iter().zip(&randoms[next..]);
            for (out, (&integer, &random)) in now.iter_mut().zip(with_random) {
                *out = if self.keeps_zeros && integer == ZERO {
                    T::from_float(0.0)
                } else {
                    value(integer, f64::from(integer) - f64::from(random) + 0.5)
                };
            }
            (out, integers) = (later, &integers[run..]);
            seed = (seed + 1) % RANDOMS;
            next = first_random(randoms, seed);
        }
        Ok(())
    }
}

/// Returns where in the list a tile starts that has this seed.
fn first_random(randoms: &[f32], seed: usize) -> usize {
    // The numbers are below 1, so the place is inside the list.
    (randoms[seed] * 500.0) as usize
}

fn randoms() -> &'static [f32] {
    static LIST: OnceLock<Vec<f32>> = OnceLock::new();
    LIST.get_or_init(|| {
        let mut seed: u64 = 1;
        let next = |_| {
            seed = seed * 16_807 % 2_147_483_647;
            (seed as f64 / 2_147_483_647.0) as f32
        };
        (0..RANDOMS).map(next).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard says which seed the generator must have reached after 10 000 numbers (appendix I).
    #[test]
    fn the_random_numbers_are_those_of_the_standard() {
        let last = randoms().last().copied().map(f64::from).unwrap();
        assert!((last - 1_043_618_065.0 / 2_147_483_647.0).abs() < 1e-7);
        assert_eq!(randoms().len(), RANDOMS);
        assert!((0..RANDOMS).all(|seed| first_random(randoms(), seed) < RANDOMS));
    }
}
