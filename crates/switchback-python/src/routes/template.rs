//! Path templates of all frameworks in one form, where that is sound: `{id}`, `<int:id>` and `(?P<id>\d+)` are one.

/// What stands in a template for a piece that could not be read.
pub(super) const UNREAD: &str = "{?}";

/// How parameters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `{name}` and `{name:converter}`.
    Braces,
    /// `<name>` and `<converter:name>`.
    Angles,
    /// A regular expression.
    Pattern,
}

/// A parameter of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: String,
    /// What it is restricted to, as it is written; empty for anything without a slash.
    pub(super) converter: String,
}

/// A template, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Template {
    /// As it is written, parts put together.
    pub(super) shown: String,
    /// With parameters as `{name}` and `{name:path}`; nothing where that would say more than is known.
    pub(super) normal: Option<String>,
    /// Its parameters, in order.
    pub(super) parameters: Vec<Parameter>,
}

/// How a template goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glue {
    /// Letter by letter.
    Plain,
    /// With exactly one slash between, and none added for an empty part.
    Slash,
}

impl Template {
    /// Reads a template. `is_end` says whether the path ends with it.
    pub(super) fn read(style: Style, text: &str, is_end: bool) -> Self {
        let mut reader = Reader { normal: String::new(), parameters: Vec::new() };
        let is_sound = !text.contains(UNREAD)
            && match style {
                Style::Braces => reader.enclosed(text, '{', '}', |inner| match inner.split_once(':') {
                    Some((name, converter)) => (name, converter),
                    None => (inner, ""),
                }),
                Style::Angles => reader.enclosed(text, '<', '>', |inner| match inner.rsplit_once(':') {
                    Some((converter, name)) => (name, converter),
                    None => (inner, ""),
                }),
                Style::Pattern => reader.pattern(text, is_end),
            };
        let normal = is_sound.then_some(reader.normal);
        Self { shown: text.to_owned(), normal, parameters: reader.parameters }
    }

    /// The template that goes on with `other`.
    pub(super) fn then(&self, other: &Self, glue: Glue) -> Self {
        let join = |one: &str, other: &str| match glue {
            Glue::Plain => format!("{one}{other}"),
            Glue::Slash if other.is_empty() => one.to_owned(),
            Glue::Slash => format!("{}/{}", one.trim_end_matches('/'), other.trim_start_matches('/')),
        };
        let parameters = self.parameters.iter().chain(&other.parameters).cloned().collect();
        Self {
            shown: join(&self.shown, &other.shown),
            normal: self.normal.as_ref().zip(other.normal.as_ref()).map(|(one, other)| join(one, other)),
            parameters,
        }
    }

    /// The path as it is compared.
    pub(super) fn key(&self) -> String {
        match &self.normal {
            Some(normal) => nameless(normal),
            None => format!("~{}", self.shown),
        }
    }
}

/// A path without the names of its parameters.
fn nameless(normal: &str) -> String {
    let mut key = String::new();
    let mut rest = normal;
    while let Some((before, after)) = rest.split_once('{') {
        key.push_str(before);
        let Some((inner, behind)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        match inner.split_once(':') {
            Some((_, kind)) => {
                key.push_str("{:");
                key.push_str(kind);
                key.push('}');
            }
            None => key.push_str("{}"),
        }
        rest = behind;
    }
    key.push_str(rest);
    key
}

struct Reader {
    normal: String,
    parameters: Vec<Parameter>,
}

impl Reader {
    /// Adds a parameter; `kind` is what keeps it apart from other parameters of one segment.
    fn parameter(&mut self, name: &str, converter: &str, kind: Option<&str>) {
        self.normal.push('{');
        self.normal.push_str(name);
        if let Some(kind) = kind {
            self.normal.push(':');
            self.normal.push_str(kind);
        }
        self.normal.push('}');
        self.parameters.push(Parameter { name: name.to_owned(), converter: converter.to_owned() });
    }

    /// Parameters between two letters; `parts` takes name and converter apart.
    fn enclosed<'t>(
        &mut self,
        text: &'t str,
        open: char,
        close: char,
        parts: impl Fn(&'t str) -> (&'t str, &'t str),
    ) -> bool {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(open) {
            self.normal.push_str(before);
            let Some((inner, behind)) = after.split_once(close) else { return false };
            let (name, converter) = parts(inner);
            let plain = converter.split('(').next().unwrap_or_default();
            match plain {
                "" | "str" | "string" | "default" => self.parameter(name.trim(), "", None),
                "int" | "float" | "uuid" | "slug" | "any" => self.parameter(name.trim(), converter, None),
                kind => self.parameter(name.trim(), converter, Some(kind)),
            }
            rest = behind;
        }
        self.normal.push_str(rest);
        // A converter that the project made itself can match anything: it stays in the path.
        true
    }

    /// A regular expression, as far as it is literal text and groups.
    fn pattern(&mut self, text: &str, is_end: bool) -> bool {
        let mut rest = match text.strip_prefix('^').or_else(|| text.strip_prefix("\\A")) {
            Some(rest) => rest,
            // Without an anchor it is found anywhere, and only where nothing is asked for that is the beginning.
            None if text.is_empty() => return true,
            None => return false,
        };
        loop {
            let Some(first) = rest.chars().next() else {
                if is_end {
                    self.normal.push_str("**");
                }
                return true;
            };
            match first {
                '$' => return is_end && rest.len() == 1,
                '\\' => {
                    let Some(letter) = rest.chars().nth(1) else { return false };
                    if letter == 'Z' && rest.len() == 2 {
                        return is_end;
                    }
                    if letter.is_alphanumeric() {
                        return false;
                    }
                    self.normal.push(letter);
                    rest = rest.get(1 + letter.len_utf8()..).unwrap_or_default();
                }
                '(' => match self.group(rest) {
                    Some(behind) => rest = behind,
                    None => return false,
                },
                '.' | '*' | '+' | '?' | '[' | ']' | '|' | '{' | '}' | ')' => return false,
                letter => {
                    self.normal.push(letter);
                    rest = rest.get(letter.len_utf8()..).unwrap_or_default();
                }
            }
            if rest.starts_with(['?', '*', '+', '{']) {
                return false;
            }
        }
    }

    /// A group that is a parameter; what is behind it.
    fn group<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let end = group_end(text)?;
        let inner = text.get(1..end)?;
        let behind = text.get(end + 1..)?;
        let number = self.parameters.len().to_string();
        let (name, body) = match inner.strip_prefix("?P<") {
            Some(named) => named.split_once('>')?,
            None if inner.starts_with('?') => return None,
            None => (number.as_str(), inner),
        };
        let kind = matches_slash(body).then_some("path");
        self.parameter(name, body, kind);
        Some(behind)
    }
}

/// Where the group that a text begins with is closed.
fn group_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut is_class = false;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '[' => is_class = true,
            ']' => is_class = false,
            '(' if !is_class => depth += 1,
            ')' if !is_class => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a pattern may match a slash; in doubt it may.
fn matches_slash(pattern: &str) -> bool {
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '/' | '.' => return true,
            '\\' => {
                if matches!(letters.next(), Some('S' | 'D' | 'W' | '/') | None) {
                    return true;
                }
            }
            '[' => {
                let is_negated = letters.next_if_eq(&'^').is_some();
                let mut holds_slash = false;
                let mut last: Option<char> = None;
                while let Some(letter) = letters.next() {
                    match letter {
                        ']' if last.is_some() => break,
                        '\\' => {
                            let escaped = letters.next();
                            holds_slash |= matches!(escaped, Some('S' | 'D' | 'W' | '/'));
                            last = Some('\\');
                        }
                        '-' if last.is_some() && letters.peek().is_some_and(|next| *next != ']') => {
                            let from = last.unwrap_or('-');
                            let to = letters.next().unwrap_or('-');
                            holds_slash |= from != '\\' && (from..=to).contains(&'/');
                            last = Some(to);
                        }
                        letter => {
                            holds_slash |= letter == '/';
                            last = Some(letter);
                        }
                    }
                }
                if holds_slash != is_negated {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Whether every path that `later` matches is matched by `earlier` too; both are keys.
pub(super) fn covers(earlier: &str, later: &str) -> bool {
    if earlier.starts_with('~') || later.starts_with('~') {
        return earlier == later;
    }
    let one: Vec<&str> = earlier.split('/').collect();
    let other: Vec<&str> = later.split('/').collect();
    for (at, segment) in one.iter().enumerate() {
        let is_last = at + 1 == one.len();
        let Some(there) = other.get(at) else { return false };
        if is_last && *segment == "{:path}" {
            // A path takes everything that is left, as long as there is something.
            return !other.get(at..).unwrap_or_default().join("/").is_empty();
        }
        if is_last && *segment == "**" {
            return true;
        }
        let is_one = *segment == "{}" && !there.is_empty() && !there.contains(':') && *there != "**";
        if segment != there && !is_one {
            return false;
        }
    }
    one.len() == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(style: Style, text: &str) -> Option<String> {
        Template::read(style, text, true).normal
    }

    #[test]
    fn parameters_of_every_framework_are_one() {
        for (style, text) in [
            (Style::Braces, "/items/{id}"),
            (Style::Braces, "/items/{id:int}"),
            (Style::Angles, "/items/<id>"),
            (Style::Angles, "/items/<int:id>"),
            (Style::Angles, "/items/<string(length=2):id>"),
            (Style::Pattern, "^/items/(?P<id>[^/]+)$"),
            (Style::Pattern, r"^/items/(?P<id>\d+)$"),
            (Style::Pattern, r"^/items/(?P<id>[-\w]{1,20})\Z"),
        ] {
            assert_eq!(normal(style, text).as_deref(), Some("/items/{id}"), "{text}");
        }
    }

    #[test]
    fn what_may_hold_a_slash_stays_apart() {
        assert_eq!(normal(Style::Braces, "/f/{p:path}").as_deref(), Some("/f/{p:path}"));
        assert_eq!(normal(Style::Angles, "/f/<path:p>").as_deref(), Some("/f/{p:path}"));
        assert_eq!(normal(Style::Pattern, "^/f/(?P<p>.*)$").as_deref(), Some("/f/{p:path}"));
        assert_eq!(normal(Style::Pattern, "^/f/(?P<p>[!-~]+)$").as_deref(), Some("/f/{p:path}"));
        assert_eq!(normal(Style::Angles, "/f/<yyyy:p>").as_deref(), Some("/f/{p:yyyy}"));
    }

    #[test]
    fn patterns_that_say_more_than_a_template_are_left_as_they_are() {
        for text in ["items/$", "^items/?$", "^(?:a|b)/$", "^items/(?P<id>.)?$", r"^\d+/$", "^a|b$"] {
            assert_eq!(normal(Style::Pattern, text), None, "{text}");
        }
        assert_eq!(normal(Style::Pattern, "^items/").as_deref(), Some("items/**"));
        assert_eq!(normal(Style::Braces, "/{?}/items"), None);
    }

    #[test]
    fn a_later_path_is_covered_by_an_earlier_one() {
        for (earlier, later, wanted) in [
            ("/users/{}", "/users/me", true),
            ("/users/me", "/users/{}", false),
            ("/users/{}", "/users/{}/posts", false),
            ("/{:path}", "/users/me", true),
            ("/{:path}", "/", false),
            ("/static/**", "/static/x", true),
            ("/users/{}", "/users/{:path}", false),
            ("/a", "/a", true),
        ] {
            assert_eq!(covers(earlier, later), wanted, "{earlier} {later}");
        }
    }
}
