//! Secrets never leave: values of variables that look secret, passwords in addresses, and whatever else is known to be a secret are
//! blanked.

use crate::secret::{clean_output, clean_text, is_secret_variable};
use crate::world::Surroundings;

/// Shorter values would blank ordinary words.
const SECRET_CHARACTERS_MIN: usize = 6;

/// Whether a variable of that name holds a secret, as its name looks.
pub fn looks_secret(name: &str) -> bool {
    is_secret_variable(name)
}

/// Blanks secrets in text.
#[derive(Debug, Clone)]
pub struct Redactor {
    secrets: Vec<(String, String)>,
}

impl Redactor {
    /// Knows the values of all environment variables whose names look secret.
    pub fn new(surroundings: &dyn Surroundings) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in surroundings.variables() {
            if !looks_secret(&name) {
                continue;
            }
            // Each line of a secret of several lines is one too: messages quote single lines.
            let lines = value.lines().filter(|line| value.len() > line.len()).map(str::to_owned);
            let forms: Vec<String> = std::iter::once(value.clone()).chain(lines).collect();
            secrets.extend(
                forms
                    .into_iter()
                    .filter(|form| form.len() >= SECRET_CHARACTERS_MIN)
                    .map(|form| (name.clone(), form)),
            );
        }
        // A longer secret may contain a shorter one; it must go first.
        secrets.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        Self { secrets }
    }

    /// Knows as well what the variables hold that an address of the plan names as `${NAME}`: that address is a secret by itself.
    #[must_use]
    pub fn knowing<'a>(
        mut self,
        addresses: impl Iterator<Item = &'a str>,
        surroundings: &dyn Surroundings,
    ) -> Self {
        let names = addresses.flat_map(|address| address.split("${").skip(1));
        for name in names.filter_map(|rest| rest.split('}').next()) {
            let value = surroundings.variable(name).unwrap_or_default();
            if value.len() >= SECRET_CHARACTERS_MIN && !self.secrets.iter().any(|(known, _)| known == name) {
                self.secrets.push((name.to_owned(), value));
            }
        }
        self.secrets.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        self
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        let mut text = without_passwords(text);
        for (name, value) in &self.secrets {
            if text.contains(value.as_str()) {
                text = text.replace(value.as_str(), &format!("[{name}]"));
            }
            // As it stands inside a JSON text, and inside one that is kept as text in another.
            let once = in_json(value);
            let twice = in_json(&once);
            for escaped in [twice, once] {
                if escaped != *value && text.contains(&escaped) {
                    text = text.replace(&escaped, &format!("[{name}]"));
                }
            }
        }
        clean_text(&text)
    }

    /// What a command put out, without secrets: nobody knows what it printed, so what is as random as a key goes too.
    pub fn clean_output(&self, text: &str) -> String {
        clean_output(&self.clean(text))
    }
}

/// A text as it stands between the quotes of JSON.
fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// `scheme://user:password@host` with the password blanked.
fn without_passwords(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "/?#\"'<>".contains(c)).unwrap_or(after.len());
        let authority = &after[..end];
        match (authority.rfind('@'), authority.find(':')) {
            (Some(host), Some(colon)) if colon < host => {
                clean.push_str(&authority[..=colon]);
                clean.push_str("[password]");
                clean.push_str(&authority[host..]);
            }
            _ => clean.push_str(authority),
        }
        rest = &after[end..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(Vec<(&'static str, &'static str)>);

    impl Surroundings for Fixed {
        fn variable(&self, name: &str) -> Option<String> {
            self.0.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        }
        fn variables(&self) -> Vec<(String, String)> {
            self.0.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        }
        fn actor(&self) -> String {
            "a@b".to_owned()
        }
        fn process_id(&self) -> u32 {
            1
        }
    }

    #[test]
    fn secrets_are_blanked_in_every_form_in_which_they_are_quoted() {
        let key = "first-line\nsecond \"line\"\nthird";
        let redactor = Redactor::new(&Fixed(vec![("DEPLOY_KEY", "first-line\nsecond \"line\"\nthird")]));
        let once = serde_json::json!({"out": key}).to_string();
        let twice = serde_json::json!({"run": once}).to_string();
        for text in [key, &once, &twice, "it ended: second \"line\"", "first-line"] {
            let clean = redactor.clean(text);
            assert!(clean.contains("[DEPLOY_KEY]") && !clean.contains("line"), "{text}: {clean}");
        }
        assert_eq!(redactor.clean("third"), "third", "a short line is an ordinary word");
    }

    #[test]
    fn secrets_are_blanked_and_plain_values_stay() {
        let redactor =
            Redactor::new(&Fixed(vec![("API_TOKEN", "s3cr3t-value"), ("HOME", "/home/x"), ("A_KEY", "abc")]));
        for (text, wanted) in [
            ("token s3cr3t-value in /home/x abc", "token [API_TOKEN] in /home/x abc"),
            (
                "postgresql://me:pass@host/db and http://h:80/x",
                "postgresql://me:[password]@host/db and http://h:80/x",
            ),
            ("postgresql://me:p@ss:w@host", "postgresql://me:[password]@host"),
            ("see https://example.org/a@b:c", "see https://example.org/a@b:c"),
        ] {
            assert_eq!(redactor.clean(text), wanted);
        }
    }
}
