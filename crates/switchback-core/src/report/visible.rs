//! Characters that would not be seen, or would change what is seen around them, as text.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The text with every control character, every sign that turns the direction of writing, and every character that no
/// document may hold, written as `\u{…}`. Line ends and tabs become spaces: what is shown is one line.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => shown.push(' '),
            _ if is_hidden(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    shown
}

/// A name with what [`visible`] shows, and with line ends and tabs as `\n` and `\t`: no two names look alike for them.
pub(super) fn visible_name(text: &str) -> String {
    visible(&text.replace('\n', "\\n").replace('\t', "\\t"))
}

/// A path as text of which no two paths have the same: what [`visible_name`] shows, `\xff` for bytes that are no text, and
/// `\\` for a backslash.
pub(super) fn visible_path(path: &Path) -> String {
    let mut shown = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        shown.push_str(&visible_name(&chunk.valid().replace('\\', "\\\\")));
        shown.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    shown
}

/// The first characters of a text, and `…` where it goes on.
pub(super) fn shortened(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || (u32::from(character) & 0xfffe) == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_turns_around_is_shown_and_all_else_stays() {
        for (text, shown) in [
            ("a\u{1b}[31mb", r"a\u{1b}[31mb"),
            ("file\u{202e}gpj.exe", r"file\u{202e}gpj.exe"),
            ("two\nlines\tand\r", r"two lines and\u{d}"),
            ("\u{0}\u{7f}\u{9b}\u{feff}\u{fffe}", r"\u{0}\u{7f}\u{9b}\u{feff}\u{fffe}"),
            ("größer, 数据, 👍, <b>&\"", "größer, 数据, 👍, <b>&\""),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn no_two_names_look_alike() {
        let names: [&[u8]; 7] =
            [b"a b", b"a\nb", b"a\\nb", b"a\tb", b"a\xffb", b"a\\xffb", "a\u{fffd}b".as_bytes()];
        let shown = names.map(|name| visible_path(Path::new(std::ffi::OsStr::from_bytes(name))));
        let expected =
            ["a b", r"a\nb", r"a\\nb", r"a\tb", r"a\xffb", r"a\\xffb", "a\u{fffd}b"].map(str::to_owned);
        assert_eq!(shown, expected);
        assert_eq!(visible_name("a\nb c"), r"a\nb c");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("größer", 3), "grö…");
        assert_eq!(shortened("größer", 6), "größer");
    }
}
