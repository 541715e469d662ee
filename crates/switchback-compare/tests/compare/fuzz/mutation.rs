//! Damage, the same at every run for the same seed.

/// A sequence of numbers that look random (`SplitMix64`: Steele, Lea and Flood, *Fast splittable pseudorandom number
/// generators*, 2014).
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when there is none.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap().max(1);
        usize::try_from(self.next() % end).unwrap()
    }
}

/// Bytes that lengths, counts and offsets are most often mistaken at.
const EXTREMES: &[&[u8]] = &[
    &[0],
    &[0xff],
    &[0x7f],
    &[0x80],
    &[0, 0, 0, 0],
    &[0xff; 4],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0, 0, 0, 0x80],
    &[0xff; 8],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0, 0, 0, 0, 0, 0, 0, 0x10],
    // Variable-length integers: the largest of 32 and of 64 bits, as they are and with a sign.
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xfe, 0xff, 0xff, 0xff, 0x0f],
    &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    // A list of structures, of which there are very many.
    &[0xfc, 0xff, 0xff, 0xff, 0xff, 0x07],
];

/// Damages a file in one to three places.
pub(super) fn damaged(good: &[u8], draws: &mut Draws) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=draws.below(3) {
        damage(&mut bytes, draws);
    }
    bytes
}

/// A place: one in three in the last quarter, where footers are; one in five in the first hundred bytes.
fn place(bytes: &[u8], draws: &mut Draws) -> usize {
    match draws.below(15) {
        0..=4 => bytes.len() - bytes.len() / 4 + draws.below(bytes.len() / 4),
        5..=7 => draws.below(bytes.len().min(100)),
        _ => draws.below(bytes.len()),
    }
    .min(bytes.len().saturating_sub(1))
}

fn damage(bytes: &mut Vec<u8>, draws: &mut Draws) {
    if bytes.is_empty() {
        return;
    }
    let at = place(bytes, draws);
    let length = 1 + draws.below(64.min(bytes.len() - at));
    match draws.below(8) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..at + length)),
        2 => {
            let copied = bytes[at..at + length].to_vec();
            let to = place(bytes, draws);
            drop(bytes.splice(to..to, copied));
        }
        3 => bytes[at] ^= 1 << draws.below(8),
        4 => bytes[at] = u8::try_from(draws.below(256)).unwrap(),
        5 => {
            let from = place(bytes, draws).min(bytes.len() - length);
            bytes.copy_within(from..from + length, at);
        }
        _ => {
            let extreme = EXTREMES[draws.below(EXTREMES.len())];
            let end = (at + extreme.len()).min(bytes.len());
            drop(bytes.splice(at..end, extreme.iter().copied()));
        }
    }
}
