//! Patterns of names and paths: `*` stands for any characters, `?` for one.

/// Whether a name is one that a pattern means. A `*` stands for separators of a path too.
pub fn fits(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // Whether the pattern up to here means the name up to each place.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for part in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        if part == '*' {
            let mut any = false;
            for (to, from) in next.iter_mut().zip(&reached) {
                any |= *from;
                *to = any;
            }
        } else {
            for (at, letter) in name.iter().enumerate() {
                next[at + 1] = reached[at] && (part == '?' || part == *letter);
            }
        }
        reached = next;
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_characters_and_a_question_mark_is_one() {
        for (pattern, name) in
            [("a*c", "ac"), ("a*c", "abbc"), ("*", ""), ("a?c", "aéc"), ("*.ipynb", "b/a.ipynb"), ("a", "a")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a?c", "ac"), ("a", "ab"), ("", "a"), ("*b", "ba"), ("a*b*c", "acb")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
