//! The memory that pixels lie in: shared, never changed, and aligned.
//!
//! [`filled`] is how everything makes one: it takes zeroed memory once, lets the caller write it, and shares it from then
//! on. Aligned memory lets the processor load whole cache lines, and lets the buffer be handed as it is to what demands
//! alignment (Arrow, numpy). Which numbers a buffer holds is known by [`crate::Pixels`].

use std::convert::Infallible;

use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};
use memmap2::MmapMut;

/// A buffer starts at a multiple of so many bytes: a cache line.
pub const ALIGNMENT: usize = 64;

/// Buffers from this size on are taken from the system directly.
const LARGE: usize = 4 << 20;

/// A number that buffers hold, of which every pattern of bits is a value.
pub trait Number: ArrowNativeType + bytemuck::Pod {}

impl<T: ArrowNativeType + bytemuck::Pod> Number for T {}

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
pub fn filled<T: Number>(length: usize, fill: impl FnOnce(&mut [T])) -> PixelBuffer<T> {
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
pub fn try_filled<T: Number, E>(
    length: usize,
    fill: impl FnOnce(&mut [T]) -> Result<(), E>,
) -> Result<PixelBuffer<T>, E> {
    if length.saturating_mul(size_of::<T>()) >= LARGE
        && let Some(mut pages) = large_pages(length * size_of::<T>())
    {
        // Pages start at a multiple of every number's size, and were asked for in whole numbers.
        fill(bytemuck::cast_slice_mut(&mut pages[..]))?;
        let bytes = bytes::Bytes::from_owner(pages);
        return Ok(PixelBuffer::new(Buffer::from(bytes), 0, length));
    }
    // Zeros that the system gives need not be written, so each page is touched first by the thread that fills it. Memory
    // that is asked for with an alignment would be written once more, by one thread; so room for aligning it is added.
    let room = ALIGNMENT / size_of::<T>().clamp(1, ALIGNMENT);
    let mut values = vec![T::default(); length.saturating_add(room)];
    let past = values.as_ptr().addr().wrapping_neg() % ALIGNMENT / size_of::<T>().max(1);
    fill(&mut values[past..past + length])?;
    Ok(PixelBuffer::from(values).slice(past, length))
}

/// Takes memory from the system, in large pages where it has them: a plane of 4096 x 4096 takes 16,384 pages of 4 KiB, and to
/// be given each of them costs more than to fill it. `None` where the system has no such memory to give.
fn large_pages(bytes: usize) -> Option<MmapMut> {
    let pages = MmapMut::map_anon(bytes).ok()?;
    // It is only a wish: without it the memory is the same, and slower.
    #[cfg(target_os = "linux")]
    let _ = pages.advise(memmap2::Advice::HugePage);
    Some(pages)
}

/// Makes a buffer of values; they are copied unless they are aligned already.
pub fn aligned<T: Number>(values: Vec<T>) -> PixelBuffer<T> {
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
        for length in [0, 1, 3, 64, 1000, (4 << 20) + 3] {
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
