//! HTTP: one request, its answer and how long it took.

use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// What to ask.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// The address, `http://…` or `https://…`.
    pub url: String,
    /// `GET`, `HEAD`, `POST` …
    pub method: String,
    /// Headers, in order.
    pub headers: Vec<(String, String)>,
    /// What is sent with it.
    pub body: Option<Vec<u8>>,
    /// The whole exchange may take this long.
    pub timeout: Duration,
    /// At most this many bytes of the body are read.
    pub body_bytes_max: u64,
    /// Whether nothing stands between: no redirect is followed, and no proxy of the environment is asked.
    pub is_direct: bool,
}

impl HttpRequest {
    /// Redirects are followed by what only asks. A request that brings something would be followed by one that does not: after
    /// 301, 302 and 303 clients go on with a `GET` without the body (RFC 9110, 15.4), and what answers that has heard nothing.
    fn follows_redirects(&self) -> bool {
        !self.is_direct && self.body.is_none() && matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

/// What came back. Any status is an answer, 500 included.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Its headers in the order in which they came: names in lower case, and what is no UTF-8 in a value replaced.
    pub headers: Vec<(String, String)>,
    /// The body, cut off at `body_bytes_max`.
    pub body: Vec<u8>,
    /// From the start of the request to the end of the body.
    pub elapsed: Duration,
}

impl HttpAnswer {
    /// The host that a redirect points to, with its port where it names one; `None` where it points to the same host, or to nothing
    /// that could be shown. The rest of such an address may hold a secret.
    pub fn points_to(&self) -> Option<&str> {
        let (_, location) = self.headers.iter().find(|(name, _)| name == "location")?;
        let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let rest = match location.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => rest,
            _ => location.strip_prefix("//")?,
        };
        let authority = rest.split(['/', '?', '#', '\\']).next()?;
        let host = authority.rsplit('@').next()?;
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        (!host.is_empty() && host.len() <= HOST_BYTES_MAX && host.bytes().all(is_host)).then_some(host)
    }
}

/// A name of a host has at most 253 bytes (RFC 1035, 2.3.4), and a port six.
const HOST_BYTES_MAX: usize = 259;

/// Nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The other side is there and does not answer: it refused the connection, closed it, or took too long.
    #[error("no answer: {0}")]
    Silent(String),
    /// The question could not be put: no such host, no valid address, no trusted certificate.
    #[error("it could not be asked: {0}")]
    NotAsked(String),
}

impl From<ureq::Error> for NetworkError {
    fn from(error: ureq::Error) -> Self {
        use std::io::ErrorKind as Io;
        let why = error.to_string();
        match error {
            ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed => Self::Silent(why),
            ureq::Error::Io(io)
                if matches!(
                    io.kind(),
                    Io::ConnectionRefused
                        | Io::ConnectionReset
                        | Io::ConnectionAborted
                        | Io::UnexpectedEof
                        | Io::BrokenPipe
                        | Io::TimedOut
                ) =>
            {
                Self::Silent(why)
            }
            _ => Self::NotAsked(why),
        }
    }
}

/// The network.
pub trait Network: Debug + Send + Sync {
    /// Sends one request and reads the answer.
    ///
    /// # Errors
    ///
    /// When there is no complete answer within the timeout.
    fn ask(&self, request: &HttpRequest) -> Result<HttpAnswer, NetworkError>;

    /// A port of this machine (127.0.0.1) that nobody listens on now.
    ///
    /// # Errors
    ///
    /// When the system has none to give.
    fn free_port(&self) -> std::io::Result<u16>;

    /// Whether somebody listens on a port of this machine (127.0.0.1).
    fn is_open(&self, port: u16) -> bool;
}

/// How long a port of this machine may take to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// So many redirects are followed.
const REDIRECTS_MAX: u32 = 5;

/// The network as it is.
#[derive(Debug)]
pub struct RealNetwork;

impl Network for RealNetwork {
    fn ask(&self, request: &HttpRequest) -> Result<HttpAnswer, NetworkError> {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(request.timeout))
            .http_status_as_error(false)
            .max_redirects(if request.follows_redirects() { REDIRECTS_MAX } else { 0 });
        let config = if request.is_direct { config.proxy(None) } else { config };
        let agent: ureq::Agent = config.build().into();
        let started = Instant::now();
        let mut asked =
            ureq::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
        for (name, value) in &request.headers {
            asked = asked.header(name.as_str(), value.as_str());
        }
        let not_asked = |error: ureq::http::Error| NetworkError::NotAsked(error.to_string());
        let mut answer = match &request.body {
            None => agent.run(asked.body(()).map_err(not_asked)?)?,
            Some(body) => agent.run(asked.body(body.as_slice()).map_err(not_asked)?)?,
        };
        let status = answer.status().as_u16();
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut body = Vec::new();
        let reader = answer.body_mut().as_reader();
        std::io::Read::read_to_end(&mut std::io::Read::take(reader, request.body_bytes_max), &mut body)
            .map_err(|error| NetworkError::Silent(error.to_string()))?;
        Ok(HttpAnswer { status, headers, body, elapsed: started.elapsed() })
    }

    fn free_port(&self) -> std::io::Result<u16> {
        Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
    }

    fn is_open(&self, port: u16) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpStream::connect_timeout(&address, CONNECT_MAX).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_redirect_its_host_alone_is_named() {
        for (location, host) in [
            ("https://login.example/start?next=geheim", Some("login.example")),
            ("http://jo:geheim@login.example:8080#geheim", Some("login.example:8080")),
            ("//login.example/geheim", Some("login.example")),
            ("https://[::1]:80/geheim", Some("[::1]:80")),
            ("/login?next=https://geheim.example/", None),
            ("login", None),
            ("https://", None),
            ("https://geheim geheim/", None),
            ("", None),
        ] {
            let headers = vec![("location".to_owned(), location.to_owned())];
            let answer = HttpAnswer { status: 302, headers, body: Vec::new(), elapsed: Duration::ZERO };
            assert_eq!(answer.points_to(), host, "{location}");
        }
    }
}
