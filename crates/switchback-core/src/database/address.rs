//! Addresses of PostgreSQL, with the password taken out before anybody else sees them.
//!
//! The form is that of libpq (PostgreSQL's documentation, "Connection URIs"); everything but the password is handed on as it
//! is, so that the programs of PostgreSQL read hosts and options as they always do.

use std::fmt::{self, Write as _};

use super::Why;

const SCHEMES: &[&str] = &["postgresql://", "postgres://"];
/// Options that are secrets themselves, and that no variable of libpq can carry.
const SECRET_OPTIONS: &[&str] =
    &["sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"];

/// Where a database of PostgreSQL is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// User as it was written, with `@`; empty without one.
    user: String,
    /// Hosts and ports as they were written.
    hosts: String,
    /// The database, decoded.
    pub(super) database: String,
    /// Options as they were written, without passwords; empty, or with `?`.
    options: String,
    /// The password, decoded.
    pub(super) password: Option<String>,
}

/// The password is not shown.
impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.without_password())
    }
}

/// Whether a text is such an address.
pub(super) fn is_address(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

impl Address {
    /// Reads an address. No word of it gets into the error, because nobody knows which of them is the password.
    pub(super) fn parse(text: &str) -> Result<Self, Why> {
        let wrong = |why: &str| {
            Why::new(format!("its address cannot be read: {why}")).hinted(
                "write it as `postgresql://USER@HOST:PORT/DATABASE`, with `%XX` for each of `:/?#@%` in user and password",
            )
        };
        let rest = SCHEMES
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .ok_or_else(|| wrong("it does not begin with `postgresql://`"))?;
        if rest.contains('#') || rest.contains(char::is_whitespace) {
            return Err(wrong("it has a `#` or a space in it; a snapshot holds whole databases"));
        }
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_once('/').ok_or_else(|| wrong("it names no database"))?;
        if path.contains(['@', '/', ':']) || query.contains('@') {
            return Err(wrong("there is an `@`, `:` or `/` behind the host"));
        }
        let (userinfo, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, mut password) = match userinfo.split_once(':') {
            Some((user, password)) => {
                (user, Some(decoded(password).ok_or_else(|| wrong("its password has a broken `%`"))?))
            }
            None => (userinfo, None),
        };
        let mut options = Vec::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').ok_or_else(|| wrong("an option has no value"))?;
            let name = decoded(name).ok_or_else(|| wrong("an option has a broken `%`"))?;
            if SECRET_OPTIONS.contains(&name.as_str()) {
                let why = format!(
                    "the option `{name}` is a secret, which would stand among the arguments of programs"
                );
                return Err(Why::new(why).hinted("put it into a service file, and name that by `service=`"));
            }
            if name == "password" {
                password = Some(decoded(value).ok_or_else(|| wrong("its password has a broken `%`"))?);
            } else {
                options.push(option);
            }
        }
        let database = decoded(path).ok_or_else(|| wrong("its database has a broken `%`"))?;
        if database.is_empty() {
            return Err(wrong("it names no database"));
        }
        Ok(Self {
            user: if user.is_empty() { String::new() } else { format!("{user}@") },
            hosts: hosts.to_owned(),
            database,
            options: if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) },
            password: password.filter(|password| !password.is_empty()),
        })
    }

    /// The same place, and another database there.
    pub(super) fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// As programs get it: the password is in [`Address::variables`].
    pub(super) fn without_password(&self) -> String {
        let Self { user, hosts, options, .. } = self;
        format!("postgresql://{user}{hosts}/{}{options}", encoded(&self.database))
    }

    /// All of it, with the password: for a driver, and never to be shown.
    pub(super) fn whole(&self) -> String {
        let Some(password) = &self.password else { return self.without_password() };
        let Self { user, hosts, options, .. } = self;
        // A password without a user can only stand among the options.
        let (userinfo, options) = match (user.strip_suffix('@'), options.is_empty()) {
            (Some(user), _) => (format!("{user}:{}@", encoded(password)), options.clone()),
            (None, true) => (String::new(), format!("?password={}", encoded(password))),
            (None, false) => (String::new(), format!("{options}&password={}", encoded(password))),
        };
        format!("postgresql://{userinfo}{hosts}/{}{options}", encoded(&self.database))
    }

    /// As people get it: without user and options too.
    pub(super) fn name(&self) -> String {
        format!("postgresql://{}/{}", self.hosts, self.database)
    }

    /// What the programs of PostgreSQL find in their environment.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let mut variables = vec![("PGCLIENTENCODING".to_owned(), "UTF8".to_owned())];
        variables.extend(self.password.clone().map(|password| ("PGPASSWORD".to_owned(), password)));
        variables
    }

    /// A text of somebody else, without the password.
    pub(super) fn clean(&self, text: &str) -> String {
        match &self.password {
            Some(password) => text.replace(password.as_str(), "[password]"),
            None => text.to_owned(),
        }
    }
}

/// A text with `%XX` for each byte that means something in an address (RFC 3986: all but the unreserved).
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The text that `%XX` stands for; `None` when it is broken.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%' {
            let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(address: &Address) -> Option<String> {
        address.variables().into_iter().find(|(name, _)| name == "PGPASSWORD").map(|(_, value)| value)
    }

    #[test]
    fn the_password_is_taken_out_of_every_place_where_it_may_stand() {
        for (text, without, name, wanted) in [
            ("postgresql://me@db/shop", "postgresql://me@db/shop", "postgresql://db/shop", None),
            (
                "postgres://me:s3cret@db:5433/shop",
                "postgresql://me@db:5433/shop",
                "postgresql://db:5433/shop",
                Some("s3cret"),
            ),
            (
                "postgresql://me:a%23b%40c%2Fd@db/shop?sslmode=require&connect_timeout=3",
                "postgresql://me@db/shop?sslmode=require&connect_timeout=3",
                "postgresql://db/shop",
                Some("a#b@c/d"),
            ),
            (
                "postgresql:///shop?host=/run/pg&password=x%26y",
                "postgresql:///shop?host=/run/pg",
                "postgresql:///shop",
                Some("x&y"),
            ),
            ("postgresql://me:p@ss@db/shop", "postgresql://me@db/shop", "postgresql://db/shop", Some("p@ss")),
            ("postgresql://me:@db/a%20b", "postgresql://me@db/a%20b", "postgresql://db/a b", None),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.without_password(), without);
            assert_eq!(Address::parse(&address.whole()).unwrap(), address);
            assert_eq!(address.name(), name);
            assert_eq!(password(&address).as_deref(), wanted, "{text}");
            assert!(!format!("{address:?}").contains("s3cret"));
        }
    }

    #[test]
    fn what_may_be_a_password_is_in_no_error() {
        for text in [
            "postgresql://me:pa/geheim@db/shop",
            "postgresql://me:pa?geheim@db/shop",
            "postgresql://me:pa#geheim@db/shop",
            "postgresql://me:geheim@db",
            "postgresql://me:geheim@db/",
            "postgresql://me:geheim%zz@db/shop",
            "postgresql://me:geheim@db/shop?geheim",
            "postgresql://me@db/shop?sslpassword=geheim",
            "mysql://me:geheim@db/shop",
        ] {
            let why = Address::parse(text).unwrap_err();
            assert!(!format!("{why:?}").contains("geheim"), "{why:?}");
            assert!(why.hint.is_some());
        }
    }

    #[test]
    fn texts_go_there_and_back() {
        for text in ["plain", "geheim#1@/x", "ä b%", ""] {
            assert_eq!(decoded(&encoded(text)).as_deref(), Some(text));
        }
    }
}
