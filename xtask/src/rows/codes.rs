//! The rows that the mission has: five systems and what goes beyond them, each a prefix and a count.

/// Prefix, and how many rows it has, counted from 1.
const ROWS: &[(&str, u32)] = &[("RE", 20), ("RB", 12), ("OM", 11), ("TM", 14), ("PC", 14), ("BX", 10)];

/// Whether the mission has a row of this code.
pub fn is_known(code: &str) -> bool {
    position(code).is_some()
}

/// Where a row stands in the mission: its system, then its number. `None` for a code that does not exist.
pub fn position(code: &str) -> Option<(usize, u32)> {
    let (prefix, digits) = code.split_once('-')?;
    let system = ROWS.iter().position(|(known, _)| *known == prefix)?;
    let number: u32 = digits.parse().ok()?;
    let canonical = number.to_string() == digits;
    (canonical && (1..=ROWS[system].1).contains(&number)).then_some((system, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_rows_are_known_and_their_neighbours_are_not() {
        for (prefix, last) in ROWS {
            assert!(is_known(&format!("{prefix}-1")));
            assert!(is_known(&format!("{prefix}-{last}")));
            assert!(!is_known(&format!("{prefix}-0")));
            assert!(!is_known(&format!("{prefix}-{}", last + 1)));
        }
        for code in ["RB", "RB-", "RB-01", "rb-1", "XX-1", "RB-+1", "RB-1 ", ""] {
            assert!(!is_known(code), "{code}");
        }
    }
}
