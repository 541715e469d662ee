//! How precisely numbers are written in text.

/// Doubles that are written with this many significant digits are told from their neighbours as well as not: fewer may lose
/// something (IEEE 754, 5.12.2).
pub(crate) const FULL_DIGITS: u32 = 15;

/// The precision of the numbers of a column, as their text has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// The most significant digits of a number; counted up to [`FULL_DIGITS`].
    pub(crate) digits: u32,
    /// The place of the last digit that is furthest behind the point; negative before it.
    pub(crate) decimals: Option<i32>,
}

impl Written {
    /// Takes note of the text of one number.
    pub(crate) fn include(&mut self, text: &[u8]) {
        if self.digits >= FULL_DIGITS {
            return;
        }
        let (mut digits, mut decimals, mut behind) = (0, 0, false);
        let mut letters = text.iter();
        for letter in letters.by_ref() {
            match letter {
                b'0'..=b'9' => {
                    digits += u32::from(digits > 0 || *letter != b'0');
                    decimals += i32::from(behind);
                }
                b'.' => behind = true,
                b'-' | b'+' => {}
                b'e' | b'E' => break,
                // `inf` and `nan` are written in full.
                _ => return,
            }
        }
        let exponent = std::str::from_utf8(letters.as_slice()).ok().and_then(|text| text.parse::<i32>().ok());
        let decimals = decimals.saturating_sub(exponent.unwrap_or(0));
        self.digits = self.digits.max(digits);
        self.decimals = Some(self.decimals.map_or(decimals, |most| most.max(decimals)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_from_the_first_that_is_not_zero() {
        let check = |texts: &[&str], digits: u32, decimals: Option<i32>| {
            let mut written = Written::default();
            for text in texts {
                written.include(text.as_bytes());
            }
            assert_eq!(written, Written { digits, decimals }, "{texts:?}");
        };
        check(&["0.00123456"], 6, Some(8));
        check(&["1.23456e+08"], 6, Some(-3));
        check(&["-1.5e-7", "12"], 2, Some(8));
        check(&["0", "0.0"], 0, Some(1));
        check(&["nan", "-inf"], 0, None);
        check(&["0.1234567890123456"], 16, Some(16));
        check(&["1.500000"], 7, Some(6));
    }
}
