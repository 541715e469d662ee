//! Pictures in texts: notebooks and style sheets hold them whole, in base64, in which anything may be read by chance.

/// What the base64 of a PNG, a JPEG, a GIF, a WebP and a PDF begins with.
const BEGINNINGS: [&str; 5] = ["iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "JVBERi0"];
/// No picture is shorter; what is may be anything.
const BYTES_MIN: usize = 64;

/// A piece of a text without its pictures, and whether it ends within one, which the next piece of the same line goes on with.
pub(super) fn without(text: &str, goes_on: bool) -> (String, bool) {
    if !goes_on && !BEGINNINGS.iter().any(|beginning| text.contains(beginning)) {
        return (text.to_owned(), false);
    }
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    let mut is_within = goes_on;
    while !rest.is_empty() {
        let run = run_bytes(rest);
        if run == 0 {
            let next = rest.find(is_letter).unwrap_or(rest.len());
            kept.push_str(&rest[..next]);
            rest = &rest[next..];
            is_within = false;
            continue;
        }
        let is_picture =
            is_within || run >= BYTES_MIN && BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning));
        if !is_picture {
            kept.push_str(&rest[..run]);
        }
        rest = &rest[run..];
        is_within = is_picture;
    }
    (kept, is_within)
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "+/=".contains(letter)
}

/// How long base64 goes on from the beginning of a text. JSON writes the ends of its lines as `\n`.
fn run_bytes(text: &str) -> usize {
    let mut end = 0;
    loop {
        let letters = text[end..].find(|letter| !is_letter(letter)).unwrap_or(text.len() - end);
        end += letters;
        if letters == 0 || !text[end..].starts_with("\\n") {
            return end;
        }
        end += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_left_out_and_what_is_around_it_stays() {
        let picture = format!("iVBORw0KGgo{}\\n{}==", "Ab9+/".repeat(20), "Zz0".repeat(10));
        let (kept, goes_on) = without(&format!("\"image/png\": \"{picture}\", \"key\": \"x\""), false);
        assert_eq!((kept.as_str(), goes_on), ("\"image/png\": \"\", \"key\": \"x\"", false));
        let link = format!("src=data:image/jpeg;base64,/9j/{} token", "4AAQ".repeat(30));
        assert_eq!(without(&link, false).0, "src=data:image/jpeg;base64, token");
    }

    #[test]
    fn one_that_is_cut_goes_on_in_the_next_piece_alone() {
        let first = format!("\"iVBORw0KGgo{}", "Ab9+".repeat(20));
        assert_eq!(without(&first, false), ("\"".to_owned(), true));
        assert_eq!(without("Ab9+Ab9\" secret", true), ("\" secret".to_owned(), false));
        assert_eq!(without("Ab9+Ab9\" secret", false), ("Ab9+Ab9\" secret".to_owned(), false));
    }

    #[test]
    fn what_is_no_picture_stays() {
        for text in [
            "iVBORw0KGgoAAAA",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKjMzEfYYjiWA4",
            "größe: \\n /9j/",
        ] {
            assert_eq!(without(text, false).0, text);
        }
    }
}
