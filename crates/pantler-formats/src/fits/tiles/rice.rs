//! The Rice codec of compressed tiles (`RICE_1`).
//!
//! The format is that of FITS standard 4.0, section 10.4.1, after R. F. Rice, P.-S. Yeh and W. Miller, "Algorithms for high
//! speed universal noiseless coding" (1993): the first value as it is, then blocks of differences to the value before,
//! mapped to 0, -1, 1, -2, … A block says in a few bits how many low bits of each difference follow as they are; the rest
//! of the difference is a count of zeros up to a one.

/// What a tile is coded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rice {
    /// The bytes of a value before it was coded: 1, 2 or 4.
    bytes: usize,
    /// The values of a block.
    block: usize,
}

impl Rice {
    /// Takes the parameters; `None` if they are none that the codec has.
    pub(crate) fn new(bytes: i64, block: i64) -> Option<Rice> {
        let bytes = usize::try_from(bytes).ok()?;
        let block = usize::try_from(block).ok()?;
        (matches!(bytes, 1 | 2 | 4) && (1..=4096).contains(&block)).then_some(Rice { bytes, block })
    }

    /// Returns the bits that tell how a block is coded, and the code for "as they are".
    fn codes(self) -> (u32, u32) {
        match self.bytes {
            1 => (3, 7),
            2 => (4, 15),
            _ => (5, 26),
        }
    }

    /// Decodes as many values as there is room for; the stream must hold them all.
    pub(crate) fn decode(self, coded: &[u8], out: &mut [i32]) -> Result<(), &'static str> {
        let short = "the Rice data are too short";
        let (first, rest) = coded.split_at_checked(self.bytes).ok_or(short)?;
        let mut last = match *first {
            [value] => i32::from(value as i8),
            [a, b] => i32::from(i16::from_be_bytes([a, b])),
            [a, b, c, d] => i32::from_be_bytes([a, b, c, d]),
            _ => return Err(short),
        };
        // A stream of nothing but the first value means that all are the same.
        if rest.is_empty() {
            out.fill(last);
            return Ok(());
        }
        let (code_bits, as_they_are) = self.codes();
        let mut bits = Bits::new(rest);
        for block in out.chunks_mut(self.block) {
            bits.refill();
            match bits.take(code_bits) {
                0 => block.fill(last),
                code if code == as_they_are => {
                    for value in block {
                        bits.refill();
                        last = last.wrapping_add(signed(bits.take(8 * self.bytes as u32)));
                        *value = last;
                    }
                }
                code => {
                    for value in block {
                        last = last.wrapping_add(signed(bits.rice(code - 1)));
                        *value = last;
                    }
                }
            }
            if bits.is_overrun() {
                return Err(short);
            }
        }
        Ok(())
    }
}

/// Undoes the mapping of differences to 0, -1, 1, -2, …
#[inline]
fn signed(mapped: u32) -> i32 {
    ((mapped >> 1) ^ (mapped & 1).wrapping_neg()) as i32
}

/// A reader of bits, the highest first. Behind the end there are zeros, and it knows that it went there.
struct Bits<'a> {
    coded: &'a [u8],
    /// The next byte to load.
    at: usize,
    /// The bits that are loaded, from the highest on; below them there are zeros or bits that will be loaded again.
    held: u64,
    /// How many are loaded.
    count: u32,
}

impl<'a> Bits<'a> {
    fn new(coded: &'a [u8]) -> Bits<'a> {
        Bits {
            coded,
            at: 0,
            held: 0,
            count: 0,
        }
    }

    /// Loads until there are at least 56 bits.
    #[inline]
    fn refill(&mut self) {
        if let Some(&bytes) = self
            .coded
            .get(self.at..)
            .and_then(|rest| rest.first_chunk())
        {
            self.held |= u64::from_be_bytes(bytes) >> self.count;
            self.at += (63 - self.count as usize) >> 3;
            self.count |= 56;
        } else {
            self.refill_at_the_end();
        }
    }

    #[cold]
    fn refill_at_the_end(&mut self) {
        while self.count < 56 {
            let byte = self.coded.get(self.at).copied().unwrap_or(0);
            // Bits below the count may be loaded already, and are the same.
            self.held |= u64::from(byte) << (56 - self.count);
            self.at = self.at.saturating_add(1);
            self.count += 8;
        }
    }

    /// Takes at most 32 bits, which must be loaded.
    #[inline]
    fn take(&mut self, bits: u32) -> u32 {
        // In two steps, as no bits at all would shift by 64.
        let value = (self.held >> 1) >> (63 - bits);
        self.held <<= bits;
        self.count -= bits;
        value as u32
    }

    /// Takes a count of zeros up to a one, and then some low bits.
    #[inline]
    fn rice(&mut self, low: u32) -> u32 {
        self.refill();
        let mut zeros = self.held.leading_zeros();
        if zeros + 1 + low <= self.count {
            let rest = self.held << zeros << 1;
            let value = (zeros << low) | ((rest >> 1) >> (63 - low)) as u32;
            self.held = rest << low;
            self.count -= zeros + 1 + low;
            return value;
        }
        zeros = self.long_run();
        self.refill();
        (zeros << low) | self.take(low)
    }

    /// Takes a count of zeros that may be longer than what is loaded, up to and with the one.
    #[cold]
    fn long_run(&mut self) -> u32 {
        let mut run: u32 = 0;
        loop {
            let zeros = self.held.leading_zeros();
            if zeros < self.count {
                self.held = self.held << zeros << 1;
                self.count -= zeros + 1;
                return run.wrapping_add(zeros);
            }
            run = run.wrapping_add(self.count);
            self.held = 0;
            self.count = 0;
            if self.is_overrun() || self.at >= self.coded.len() {
                // No one will come; make it known that the end is passed.
                self.at = self.coded.len().saturating_add(16);
                return run;
            }
            self.refill();
        }
    }

    /// Returns whether more bits were taken than there are.
    fn is_overrun(&self) -> bool {
        self.at
            .saturating_mul(8)
            .saturating_sub(self.count as usize)
            > self.coded.len().saturating_mul(8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes values in the plainest way that the format allows, with `low` bits for each block.
    fn code(values: &[i32], bytes: usize, block: usize, low: Option<u32>) -> Vec<u8> {
        let rice = Rice::new(bytes as i64, block as i64).unwrap();
        let (code_bits, as_they_are) = rice.codes();
        let mut bits: Vec<bool> = Vec::new();
        let mut push = |value: u64, count: u32| {
            bits.extend((0..count).rev().map(|bit| (value >> bit) & 1 == 1));
        };
        push(values[0] as u64, 8 * bytes as u32);
        let mut last = values[0];
        for block in values.chunks(block) {
            let mapped: Vec<u32> = block
                .iter()
                .map(|&value| {
                    let difference = match bytes {
                        1 => i32::from(value.wrapping_sub(last) as i8),
                        2 => i32::from(value.wrapping_sub(last) as i16),
                        _ => value.wrapping_sub(last),
                    };
                    last = value;
                    ((difference << 1) ^ (difference >> 31)) as u32
                })
                .collect();
            match low {
                _ if mapped.iter().all(|&mapped| mapped == 0) => push(0, code_bits),
                None => {
                    push(u64::from(as_they_are), code_bits);
                    for mapped in mapped {
                        push(u64::from(mapped), 8 * bytes as u32);
                    }
                }
                Some(low) => {
                    push(u64::from(low + 1), code_bits);
                    for mapped in mapped {
                        for _ in 0..mapped >> low {
                            push(0, 1);
                        }
                        push(1, 1);
                        push(u64::from(mapped), low);
                    }
                }
            }
        }
        let bytes = bits.chunks(8);
        bytes
            .map(|byte| {
                (0..8).fold(0, |all, bit| {
                    (all << 1) | u8::from(byte.get(bit) == Some(&true))
                })
            })
            .collect()
    }

    #[test]
    fn what_is_coded_is_decoded() {
        let ramp: Vec<i32> = (0..1000).map(|n| (n * n) % 97 - 40).collect();
        let jumps = [5, 5, 5, 5, 120, -128, 127, 0, 0, 0, 0, 0, 1];
        for values in [&ramp[..], &jumps[..], &[7], &[3; 100]] {
            for bytes in [1, 2, 4] {
                for block in [8, 16, 32] {
                    for low in [None, Some(0), Some(1), Some(5)] {
                        let coded = code(values, bytes, block, low);
                        let mut found = vec![0; values.len()];
                        let rice = Rice::new(bytes as i64, block as i64).unwrap();
                        rice.decode(&coded, &mut found).unwrap();
                        // In one byte a difference of 255 is the same as -1.
                        let same = |(a, b): (&i32, &i32)| match bytes {
                            1 => *a as i8 == *b as i8,
                            2 => *a as i16 == *b as i16,
                            _ => a == b,
                        };
                        assert!(
                            found.iter().zip(values).all(same),
                            "{bytes} {block} {low:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_stream_that_ends_too_early_is_an_error() {
        let values: Vec<i32> = (0..200).map(|n| n * 37 % 1009).collect();
        let coded = code(&values, 4, 32, Some(4));
        let rice = Rice::new(4, 32).unwrap();
        let mut found = vec![0; values.len()];
        for length in (0..coded.len()).filter(|length| *length != 4) {
            assert!(
                rice.decode(&coded[..length], &mut found).is_err(),
                "{length}"
            );
        }
        // Zeros without end hold no value.
        let zeros = [&[0, 0, 0, 1, 0x10][..], &[0; 100]].concat();
        assert!(rice.decode(&zeros, &mut found).is_err());
    }
}
