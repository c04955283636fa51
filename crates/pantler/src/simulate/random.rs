//! Numbers that look random and are the same on every machine, for the simulated sky.
//!
//! The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014),
//! with the constants of Vigna's public-domain version. It is no source of secrets.

/// A generator whose numbers depend on its seed and on what they are for, and on nothing else.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// Starts a sequence of its own for every purpose: a kind of thing, its visit, its ccd, its place.
    pub(super) fn of(seed: u64, purpose: &[i64]) -> Random {
        let mut random = Random { state: seed };
        for part in purpose {
            random.state = random.next() ^ part.cast_unsigned();
        }
        // Purposes that differ in their last part alone would start close to each other.
        random.state = random.next();
        random
    }

    /// Returns 64 random bits.
    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// Returns a number of at least 0 and below 1.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a number between two others.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.fraction()
    }

    /// Returns a whole number below `count`, or 0 if that is 0.
    pub(super) fn below(&mut self, count: u64) -> u64 {
        // The high half of the product is as evenly spread as 64 bits allow.
        ((u128::from(self.next()) * u128::from(count)) >> 64) as u64
    }

    /// Returns a number of mean 0 and deviation 1, very nearly normal within three deviations.
    ///
    /// It is the sum of four evenly spread numbers: no logarithm and no sine, so that every machine gets the same bits.
    pub(super) fn noise(&mut self) -> f32 {
        let bits = self.next();
        let sum =
            (bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48);
        // Each has the mean 65535 / 2; the variance of each is 65536² / 12.
        (sum as f32 - 131_070.0) * (1.732_050_8 / 65_536.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn noise_has_mean_zero_and_deviation_one() {
        let mut random = Random::of(1, &[2, 3]);
        let count = 100_000;
        let (mut sum, mut squares) = (0.0_f64, 0.0_f64);
        for _ in 0..count {
            let value = f64::from(random.noise());
            sum += value;
            squares += value * value;
        }
        let mean = sum / f64::from(count);
        assert!(mean.abs() < 0.02, "mean {mean}");
        let variance = squares / f64::from(count) - mean * mean;
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }

    #[test]
    fn the_first_numbers_are_those_of_the_published_generator() {
        // The first two outputs of SplitMix64 from the state 1234567, as published with other implementations of it.
        let mut random = Random { state: 1_234_567 };
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn every_purpose_has_its_own_numbers() {
        let first = |purpose: &[i64]| Random::of(7, purpose).next();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        let all = [
            first(&[1, 2]),
            first(&[2, 1]),
            first(&[1]),
            first(&[1, 3]),
            first(&[]),
        ];
        for (index, number) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(number), "{all:?}");
        }
    }

    #[test]
    fn whole_numbers_stay_below_their_bound() {
        let mut random = Random::of(1, &[]);
        assert_eq!(random.below(0), 0);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[random.below(5) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
    }
}
