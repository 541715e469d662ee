//! Addresses of what is no file here: a database, one of its tables, an object in a store.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::CompareError;

/// What stands in the place of a password.
const MASK: &str = "[password]";

/// Parameters of a connection that are secrets.
const SECRET_PARAMETERS: &[&str] = &["password", "sslpassword"];

/// What kind of thing an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `sqlite:FILE#TABLE`
    Sqlite,
    /// `duckdb:FILE#TABLE`
    Duckdb,
    /// `postgresql://…#TABLE`, also `postgres://…#TABLE`
    Postgres,
    /// `s3://bucket/key`
    S3,
}

const SCHEMES: &[(&str, Scheme)] = &[
    ("sqlite:", Scheme::Sqlite),
    ("duckdb:", Scheme::Duckdb),
    ("postgresql://", Scheme::Postgres),
    ("postgres://", Scheme::Postgres),
    ("s3://", Scheme::S3),
];

/// An address as it was given. What is shown of it (`Display`, `Debug`) has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    scheme: Scheme,
    place: String,
    table: Option<String>,
}

impl Address {
    /// The address that a person wrote where a path could stand; `None` when it is a path.
    ///
    /// # Errors
    ///
    /// An address that names nothing.
    pub fn of(path: &Path) -> Result<Option<Self>, CompareError> {
        let Some((text, prefix, scheme)) = recognised(path) else { return Ok(None) };
        let refuse =
            |reason: &str| Err(CompareError::Address { address: shown(path), reason: reason.to_owned() });
        // The last `#`: a file's name may have one, and a password that should have been written `%23`.
        let split = if scheme == Scheme::S3 { None } else { text.rsplit_once('#') };
        let (place, table) = split.map_or((text, None), |(place, table)| (place, Some(table.to_owned())));
        let rest = place.get(prefix.len()..).unwrap_or_default();
        let place = match scheme {
            Scheme::Sqlite | Scheme::Duckdb => rest,
            Scheme::Postgres | Scheme::S3 => place,
        };
        let no_key = || rest.split_once('/').is_none_or(|(bucket, key)| bucket.is_empty() || key.is_empty());
        match () {
            () if rest.is_empty() => refuse("nothing stands after the scheme"),
            () if table.as_ref().is_some_and(String::is_empty) => refuse("no table stands after `#`"),
            () if scheme == Scheme::S3 && no_key() => refuse("a bucket and the key of one object are needed"),
            () if scheme == Scheme::S3 && rest.ends_with('/') => refuse("it names a folder and no object"),
            () => Ok(Some(Self { scheme, place: place.to_owned(), table })),
        }
    }

    /// What kind of thing it names.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The file of a database, or the URL without the table. With the password, so never to be shown.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The table, when one is named; all tables otherwise.
    pub fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    /// What a report calls it: the database's or the object's own name, without where it is.
    pub(crate) fn name(&self) -> String {
        let place = self.place.split('?').next().unwrap_or_default();
        let last = match self.scheme {
            Scheme::Postgres => {
                let rest = place.split_once("://").map_or(place, |(_, rest)| rest);
                let database = rest.rsplit_once('/').map_or("", |(_, database)| database);
                if database.is_empty() { "postgresql" } else { database }
            }
            _ => self.place.rsplit('/').next().unwrap_or_default(),
        };
        let table = self.table.as_ref().map(|table| format!("#{table}"));
        format!("{last}{}", table.unwrap_or_default())
    }

    /// The same place with another table, as it is shown.
    pub(crate) fn shown_with(&self, table: &str) -> PathBuf {
        PathBuf::from(Self { table: Some(table.to_owned()), ..self.clone() }.to_string())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Scheme::Sqlite => write!(to, "sqlite:{}", self.place)?,
            Scheme::Duckdb => write!(to, "duckdb:{}", self.place)?,
            Scheme::Postgres | Scheme::S3 => to.write_str(&masked(&self.place))?,
        }
        self.table.as_ref().map_or(Ok(()), |table| write!(to, "#{table}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Address({self})")
    }
}

fn recognised(path: &Path) -> Option<(&str, &'static str, Scheme)> {
    let text = path.to_str()?;
    let (prefix, scheme) = SCHEMES.iter().find(|(prefix, _)| text.starts_with(prefix))?;
    Some((text, prefix, *scheme))
}

/// What may be shown of a path or an address: all of it but passwords.
pub fn shown(path: &Path) -> String {
    match recognised(path) {
        Some((text, _, Scheme::Postgres | Scheme::S3)) => masked(text),
        _ => path.to_string_lossy().into_owned(),
    }
}

/// Takes the passwords out of a URL: rather too much than too little of one that is malformed.
fn masked(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:{MASK}@{host}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((place, parameters)) = rest.split_once('?') else { return format!("{scheme}://{rest}") };
    let (parameters, table) = match parameters.rsplit_once('#') {
        Some((parameters, table)) => (parameters, format!("#{table}")),
        None => (parameters, String::new()),
    };
    let parameters: Vec<String> = parameters
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) => {
                format!("{name}={MASK}")
            }
            _ => parameter.to_owned(),
        })
        .collect();
    format!("{scheme}://{place}?{}{table}", parameters.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<Address> {
        Address::of(Path::new(text)).unwrap()
    }

    #[test]
    fn an_address_is_told_from_a_path() {
        for path in ["a.parquet", "./sqlite:a.db", "dir/postgresql://x", "sqlite", "S3://b/k"] {
            assert_eq!(address(path), None, "{path}");
        }
        let found = address("sqlite:data/a#b.db#main.orders").unwrap();
        assert_eq!((found.scheme(), found.place()), (Scheme::Sqlite, "data/a#b.db"));
        assert_eq!((found.table(), found.name().as_str()), (Some("main.orders"), "a#b.db#main.orders"));
        let found = address("postgres://u@h/shop?sslmode=require").unwrap();
        assert_eq!((found.scheme(), found.table(), found.name().as_str()), (Scheme::Postgres, None, "shop"));
        assert_eq!(address("s3://b/x/y#1.parquet").unwrap().name(), "y#1.parquet");
    }

    #[test]
    fn an_address_that_names_nothing_is_refused() {
        for text in
            ["sqlite:", "duckdb:a.db#", "s3://bucket", "s3:///key", "s3://bucket/folder/", "postgres://"]
        {
            assert!(Address::of(Path::new(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        for text in [
            "postgresql://u:geheim@h:5432/d#t",
            "postgresql://u:geheim@geheim@h/d",
            "postgresql://u:ge#heim@h/d#t",
            "postgresql://u:ge/heim?geheim@h/d",
            "postgresql://h/d?user=u&password=geheim#t",
            "postgresql://h/d?PassWord=ge#heim",
        ] {
            let path = Path::new(text);
            let mut told = vec![shown(path)];
            if let Some(address) = Address::of(path).unwrap() {
                told.extend([address.to_string(), format!("{address:?}"), address.name()]);
            }
            for text in told {
                assert!(!text.contains("geheim") && !text.contains("heim@"), "{text}");
            }
        }
        assert_eq!(shown(Path::new("postgresql://u:p@h/d#t")), "postgresql://u:[password]@h/d#t");
    }
}
