//! Random numbers that a seed fixes, on every machine and in every version.

/// The generator xoshiro256++ 1.0: D. Blackman and S. Vigna, *Scrambled linear pseudorandom number generators*, ACM
/// Transactions on Mathematical Software 47 (2021) 36. Its state is filled by `SplitMix64`: G. L. Steele, D. Lea and
/// C. H. Flood, *Fast splittable pseudorandom number generators*, OOPSLA 2014.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The numbers of one stream under a seed. Different streams of one seed are independent for all that is known.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut mixer = split_mix(&mut seed.clone()) ^ stream;
        let mut next = || split_mix(&mut mixer);
        Self { state: [next(), next(), next(), next()] }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number from 0 to `bound - 1`, each as likely: D. Lemire, *Fast random integer generation in an interval*, ACM
    /// Transactions on Modeling and Computer Simulation 29 (2019) 3. A bound of 0 gives 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            let (high, low) = ((product >> 64) as u64, low_half(product));
            // Only the lowest part of a range can be too full; almost no draw comes near it.
            if low >= bound || low >= bound.wrapping_neg().checked_rem(bound).unwrap_or(0) {
                // It is below a bound that was a `usize`.
                return usize::try_from(high).unwrap_or(0);
            }
        }
    }

    /// A number from 0 (possible) to 1 (not possible), a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in a float")]
        let bits = (self.bits() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// A normal number with mean 0 and standard deviation 1: G. E. P. Box and M. E. Muller, *A note on the generation of
    /// random normal deviates*, Annals of Mathematical Statistics 29 (1958) 610.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// The stream that belongs to a name: FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo), 64 bits.
#[must_use]
pub fn stream_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low_half(product: u128) -> u64 {
    product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first outputs for the state 1, 2, 3, 4, as the reference implementation gives them.
        let mut random = Random { state: [1, 2, 3, 4] };
        let first: Vec<u64> = (0..4).map(|_| random.bits()).collect();
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn a_seed_and_a_stream_fix_the_numbers() {
        assert_eq!(Random::new(7, 1).bits(), Random::new(7, 1).bits());
        assert_ne!(Random::new(7, 1).bits(), Random::new(7, 2).bits());
        assert_ne!(Random::new(7, 1).bits(), Random::new(8, 1).bits());
    }

    #[test]
    fn draws_are_below_their_bound_and_evenly_spread() {
        let mut random = Random::new(1, 0);
        let mut counts = [0_u32; 6];
        for _ in 0..60_000 {
            counts[random.below(6)] += 1;
        }
        // Six standard deviations of a binomial count are 548.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 548), "{counts:?}");
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
    }
}
