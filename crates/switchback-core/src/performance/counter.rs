//! Numbers that a program says in its output: queries, rows, pages.

use regex::Regex;

/// A number in the output of a program.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Its name.
    pub name: String,
    pattern: Regex,
}

/// A counter is what its pattern says.
impl PartialEq for Counter {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.pattern.as_str() == other.pattern.as_str()
    }
}

impl Counter {
    /// A counter. With a group in the pattern it is the sum of the numbers that the group matches, without one it is how often
    /// the pattern matches; `^` and `$` are ends of lines.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn new(name: &str, pattern: &str) -> Result<Self, String> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty()
            || !name.bytes().all(is_name)
            || !name.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return Err(format!("`{name}` is no name: letters, digits, `_` and `-`, a letter first"));
        }
        let parsed = Regex::new(&format!("(?m){pattern}"))
            .map_err(|_| format!("`{pattern}` is no regular expression"))?;
        if parsed.captures_len() > 2 {
            return Err(format!(
                "`{pattern}` has more than one group: the number is one, write the others as `(?:…)`"
            ));
        }
        if parsed.is_match("") {
            return Err(format!("`{pattern}` matches nothing at all, and so everywhere"));
        }
        Ok(Self { name: name.to_owned(), pattern: parsed })
    }

    /// The pattern as it was given.
    pub fn pattern(&self) -> &str {
        self.pattern.as_str().trim_start_matches("(?m)")
    }

    /// What an output says.
    ///
    /// # Errors
    ///
    /// When it says nothing, or no number, where a number is looked for.
    pub fn count(&self, output: &str) -> Result<f64, String> {
        if self.pattern.captures_len() == 1 {
            #[expect(clippy::cast_precision_loss, reason = "no output has 2^53 matches")]
            return Ok(self.pattern.find_iter(output).count() as f64);
        }
        let mut sum = None;
        for found in self.pattern.captures_iter(output).filter_map(|captures| captures.get(1)) {
            // Thousands are often set apart.
            let text = found.as_str().replace([',', '_', ' '], "");
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
            let number = number.ok_or_else(|| {
                format!("the counter `{}` found no number, 0 or more, with `{}`", self.name, self.pattern())
            })?;
            sum = Some(sum.unwrap_or(0.0) + number);
        }
        sum.ok_or_else(|| format!("the counter `{}` found nothing with `{}`", self.name, self.pattern()))
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_summed_and_matches_are_counted() {
        let output = "SELECT 1\nqueries: 1,200\nSELECT 2\nqueries: 34\n";
        let count = |pattern: &str| Counter::new("n", pattern).unwrap().count(output);
        assert_eq!(count(r"queries: ([\d,]+)").unwrap(), 1234.0);
        assert_eq!(count("^SELECT").unwrap(), 2.0);
        assert_eq!(count("^UPDATE").unwrap(), 0.0);
        assert!(count(r"rows: (\d+)").unwrap_err().contains("found nothing with"));
        assert!(count(r"(SELECT)").unwrap_err().contains("no number"));
    }

    #[test]
    fn what_is_no_counter_is_refused() {
        for (name, pattern) in
            [("", "x"), ("a b", "x"), ("1a", "x"), ("n", "("), ("n", "(a)(b)"), ("n", "x*")]
        {
            assert!(Counter::new(name, pattern).is_err(), "{name} {pattern}");
        }
        assert_eq!(Counter::new("n", "^a").unwrap().pattern(), "^a");
    }
}
