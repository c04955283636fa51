//! The memory that pixels lie in: shared, never changed, and aligned.
//!
//! [`filled`] is how everything makes one: it takes zeroed memory once, lets the caller write it, and shares it from then
//! on. Aligned memory lets the processor load whole cache lines, and lets the buffer be handed as it is to what demands
//! alignment (Arrow, numpy). Which numbers a buffer holds is known by [`crate::Pixels`].

use std::convert::Infallible;

use arrow_buffer::{ArrowNativeType, ScalarBuffer};

/// A buffer starts at a multiple of so many bytes: a cache line.
pub const ALIGNMENT: usize = 64;

/// A shared buffer of numbers that reads as a slice; copies of it are the same memory.
pub type PixelBuffer<T> = ScalarBuffer<T>;

/// Makes a buffer of `length` zeros and has it written.
///
/// ```
/// use pantler_objects::pixel_buffer::{ALIGNMENT, filled};
///
/// let ramp = filled(5, |values: &mut [i16]| {
///     for (number, value) in (0..).zip(values) {
///         *value = number;
///     }
/// });
/// assert_eq!(&ramp[..], &[0, 1, 2, 3, 4]);
/// assert_eq!(ramp.as_ptr().addr() % ALIGNMENT, 0);
/// ```
pub fn filled<T: ArrowNativeType>(length: usize, fill: impl FnOnce(&mut [T])) -> PixelBuffer<T> {
    let all = try_filled(length, |values| {
        fill(values);
        Ok::<(), Infallible>(())
    });
    match all {
        Ok(buffer) => buffer,
        Err(never) => match never {},
    }
}

/// Makes a buffer of `length` zeros and has it written by something that can fail.
pub fn try_filled<T: ArrowNativeType, E>(
    length: usize,
    fill: impl FnOnce(&mut [T]) -> Result<(), E>,
) -> Result<PixelBuffer<T>, E> {
    // Zeros that the system gives need not be written, so each page is touched first by the thread that fills it. Memory
    // that is asked for with an alignment would be written once more, by one thread; so room for aligning it is added.
    let room = ALIGNMENT / size_of::<T>().clamp(1, ALIGNMENT);
    let mut values = vec![T::default(); length.saturating_add(room)];
    let past = values.as_ptr().addr().wrapping_neg() % ALIGNMENT / size_of::<T>().max(1);
    fill(&mut values[past..past + length])?;
    Ok(PixelBuffer::from(values).slice(past, length))
}

/// Makes a buffer of values; they are copied unless they are aligned already.
pub fn aligned<T: ArrowNativeType>(values: Vec<T>) -> PixelBuffer<T> {
    if values.as_ptr().addr().is_multiple_of(ALIGNMENT) {
        return values.into();
    }
    filled(values.len(), |copy| copy.copy_from_slice(&values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_keep_their_values() {
        for length in [0, 1, 3, 64, 1000] {
            let values: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let mut shifted = Vec::with_capacity(length + 1);
            shifted.extend_from_slice(&values);
            let buffer = aligned(shifted);
            assert_eq!(&buffer[..], &values[..]);
            assert_eq!(buffer.as_ptr().addr() % ALIGNMENT, 0);
            let zeros = filled(length, |_: &mut [f64]| {});
            assert_eq!(&zeros[..], &vec![0.0; length][..]);
            assert_eq!(zeros.as_ptr().addr() % ALIGNMENT, 0);
        }
    }

    #[test]
    fn a_failure_to_fill_is_passed_on() {
        assert_eq!(
            try_filled(3, |_: &mut [i32]| Err("no light")).err(),
            Some("no light")
        );
    }
}
