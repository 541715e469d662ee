//! How a connection comes about: from the address and the surroundings, encrypted where that is asked for.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::{Client, Config, NoTls};
use switchback_compare::address::Address;
use switchback_compare::store::StoreError;
use switchback_core::world::Surroundings;

use super::tls::Tls;
use super::why;
use crate::failure::{chain, failed};

/// How long one host is tried, in seconds, unless the address says it (`connect_timeout`).
const CONNECT_SECONDS_MAX: u64 = 10;

/// Parameters of TLS as they stand in an address.
#[derive(Debug, Default, PartialEq, Eq)]
struct TlsParameters {
    roots: Option<PathBuf>,
}

/// Connects to the server.
pub(crate) fn connect(address: &Address, surroundings: &dyn Surroundings) -> Result<Client, StoreError> {
    let (url, tls) = split(address.place());
    let mut config = Config::from_str(&url).map_err(|error| {
        let hint = "write it as `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, with `%23` for `#`, `%40` for `@` \
                    and `%2F` for `/` in a password";
        failed(address, chain(&error), hint)
    })?;
    if config.get_password().is_none()
        && let Some(password) = surroundings.variable("PGPASSWORD")
    {
        config.password(password);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX));
    }
    config.application_name("switchback");
    if config.get_ssl_mode() == SslMode::Disable {
        return config.connect(NoTls).map_err(|error| why(address, &error));
    }
    let connector = Tls::new(tls.roots.as_deref()).map_err(|reason| {
        failed(address, [reason], "name a file of PEM certificates with `sslrootcert`, or leave it out")
    })?;
    let first = config.connect(connector);
    match first {
        // `prefer` (the default): what TLS does not reach is tried without, as PostgreSQL's own programs do.
        Err(error) if config.get_ssl_mode() == SslMode::Prefer && is_tls(&error) => {
            config.ssl_mode(SslMode::Disable);
            config.connect(NoTls).map_err(|error| why(address, &error))
        }
        other => other.map_err(|error| why(address, &error)),
    }
}

/// Whether it was the handshake that failed.
fn is_tls(error: &postgres::Error) -> bool {
    error.to_string().contains("TLS")
}

/// Takes out of a URL what the library does not know: where roots are, and that they are looked at (they always are).
fn split(url: &str) -> (String, TlsParameters) {
    let mut tls = TlsParameters::default();
    let Some((place, parameters)) = url.split_once('?') else { return (url.to_owned(), tls) };
    let mut kept: Vec<&str> = Vec::new();
    for parameter in parameters.split('&') {
        match parameter.split_once('=') {
            Some(("sslrootcert", "system")) => {}
            Some(("sslrootcert", path)) => {
                let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
                tls.roots = Some(PathBuf::from(path));
            }
            Some(("sslmode", "verify-full" | "verify-ca")) => kept.push("sslmode=require"),
            _ => kept.push(parameter),
        }
    }
    let url = if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) };
    (url, tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_tls_are_ours() {
        let (url, tls) =
            split("postgresql://h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&connect_timeout=3");
        assert_eq!(url, "postgresql://h/d?sslmode=require&connect_timeout=3");
        assert_eq!(tls.roots, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(split("postgresql://h/d?sslrootcert=system").0, "postgresql://h/d");
    }
}
