//! HTTP: one request, its answer and how long it took.

use std::fmt::Debug;
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
}

/// What came back. Any status is an answer, 500 included.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The body, cut off at `body_bytes_max`.
    pub body: Vec<u8>,
    /// From the start of the request to the end of the body.
    pub elapsed: Duration,
}

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
}

/// The network as it is.
#[derive(Debug)]
pub struct RealNetwork;

impl Network for RealNetwork {
    fn ask(&self, request: &HttpRequest) -> Result<HttpAnswer, NetworkError> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(request.timeout))
            .http_status_as_error(false)
            .max_redirects(5)
            .build()
            .into();
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
        let mut body = Vec::new();
        let reader = answer.body_mut().as_reader();
        std::io::Read::read_to_end(&mut std::io::Read::take(reader, request.body_bytes_max), &mut body)
            .map_err(|error| NetworkError::Silent(error.to_string()))?;
        Ok(HttpAnswer { status, body, elapsed: started.elapsed() })
    }
}
