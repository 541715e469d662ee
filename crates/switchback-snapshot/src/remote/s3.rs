//! A folder of a bucket of S3, or of a store that speaks its protocol.
//!
//! Who asks, and where, is taken from the variables that Amazon's own tools read: `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`.

mod parts;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};
use rusty_s3::actions::{DeleteObject, GetObject, ListObjectsV2, PutObject};
use rusty_s3::{Bucket as Address, Credentials, S3Action, UrlStyle};
use switchback_core::world::{Clock, Surroundings};
use ureq::Body;
use ureq::http::{Response, StatusCode};

use super::listing::Page;
use super::shelf::{FILE_BYTES_MAX, Shelf};
use crate::trouble::Trouble;

/// How long a request may be signed for; each is made at once.
const SIGNED: Duration = Duration::from_mins(15);
/// How long the server may be silent.
const SILENCE_MAX: Duration = Duration::from_mins(1);
/// How often a request is made that the network or the server did not answer.
const TRIES_MAX: u32 = 4;
/// The pause before the second try; it doubles with each.
const PAUSE: Duration = Duration::from_millis(500);
/// The most that is read of the server's own words about a failure, and of one page of a listing.
const WORDS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A folder of a bucket.
pub(crate) struct Bucket {
    address: Address,
    credentials: Option<Credentials>,
    /// The bucket and what every key begins with, as a user says it.
    shown: String,
    /// Ends with `/`, unless it is empty.
    prefix: String,
    agent: ureq::Agent,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Credentials are nobody's to read.
        write!(formatter, "Bucket({})", self.shown)
    }
}

/// What came of one request.
enum Answer {
    Yes(Response<Body>),
    NotThere,
}

impl Bucket {
    /// The folder that `rest` names: `bucket` or `bucket/folder`.
    pub(crate) fn new(
        rest: &str,
        surroundings: &dyn Surroundings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Trouble> {
        let set = |names: &[&str]| {
            names.iter().find_map(|name| surroundings.variable(name).filter(|value| !value.is_empty()))
        };
        let (name, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let folder = folder.trim_matches('/');
        let region = set(&["AWS_REGION", "AWS_DEFAULT_REGION"]).unwrap_or_else(|| "us-east-1".to_owned());
        let endpoint = set(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        // A certificate of Amazon's covers one label before its domain.
        let style =
            if endpoint.is_some() || name.contains('.') { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let refused = |reason: String| {
            Trouble::new(reason).hinted("correct `AWS_ENDPOINT_URL`, or the bucket's name in `remote`")
        };
        let endpoint =
            endpoint.parse().map_err(|error| refused(format!("the endpoint is no URL: {error}")))?;
        let address = Address::new(endpoint, style, name.to_owned(), region);
        let address = address.map_err(|error| refused(error.to_string()))?;
        let credentials = match (set(&["AWS_ACCESS_KEY_ID"]), set(&["AWS_SECRET_ACCESS_KEY"])) {
            (Some(id), Some(secret)) => Some(match set(&["AWS_SESSION_TOKEN"]) {
                Some(token) => Credentials::new_with_token(id, secret, token),
                None => Credentials::new(id, secret),
            }),
            _ => None,
        };
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(SILENCE_MAX))
            .timeout_recv_response(Some(SILENCE_MAX))
            .build()
            .new_agent();
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Ok(Self { address, credentials, shown: format!("s3://{rest}"), prefix, agent, clock })
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Makes a request until it is answered. What the server refuses is not asked for again; that it is busy or broken is.
    fn answered(
        &self,
        name: &str,
        request: &dyn Fn() -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Answer, Trouble> {
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let trouble = match request() {
                Ok(response) if response.status().is_success() => return Ok(Answer::Yes(response)),
                Ok(response) if response.status() == StatusCode::NOT_FOUND => {
                    let trouble = self.refused(name, response);
                    let is_bucket = trouble.causes.iter().any(|cause| cause.contains("NoSuchBucket"));
                    return if is_bucket { Err(trouble) } else { Ok(Answer::NotThere) };
                }
                Ok(response) => {
                    let status = response.status();
                    let trouble = self.refused(name, response);
                    if !(status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS) {
                        return Err(trouble);
                    }
                    trouble
                }
                Err(error) => self.unreachable(&error),
            };
            if tries == TRIES_MAX {
                return Err(trouble);
            }
            self.clock.sleep(pause);
            (pause, tries) = (pause * 2, tries + 1);
        }
    }

    /// A URL is signed, so that it is a secret: errors that name it are not passed on.
    fn unreachable(&self, error: &ureq::Error) -> Trouble {
        let host = self.address.base_url().host_str().unwrap_or_default().to_owned();
        let reason = match error {
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::HostNotFound => "the host is not known".to_owned(),
            ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
            ureq::Error::Timeout(_) => "there was no answer in time".to_owned(),
            ureq::Error::Tls(reason) => (*reason).to_owned(),
            _ => "the request failed".to_owned(),
        };
        Trouble { causes: vec![format!("`{host}` cannot be reached"), reason], hint: None }
            .hinted("check the network, and `AWS_ENDPOINT_URL` where the store is not Amazon's")
    }

    /// What the server says against it: its status, and the code in its own words.
    fn refused(&self, name: &str, mut response: Response<Body>) -> Trouble {
        let status = response.status();
        let words = response.body_mut().with_config().limit(WORDS_BYTES_MAX).read_to_string();
        let words = words.unwrap_or_default();
        let code = words.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        let mut causes = vec![format!("`{name}`: the store answers {status}")];
        causes.extend(code.map(|(code, _)| code.to_owned()));
        let hint = match status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED if self.credentials.is_none() => {
                "it was asked without a name: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"
            }
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                "check `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and that they may list, read and write there"
            }
            StatusCode::NOT_FOUND => "make the bucket, or correct its name in `remote`",
            _ => "try again; what was copied already stays",
        };
        Trouble { causes, hint: None }.hinted(hint)
    }

    fn body(&self, name: &str, mut response: Response<Body>) -> Result<Vec<u8>, Trouble> {
        let read = response.body_mut().with_config().limit(FILE_BYTES_MAX).read_to_vec();
        read.map_err(|error| {
            Trouble { causes: vec![format!("`{name}`: the transfer broke off")], hint: None }
                .under(self.unreachable(&error).line())
        })
    }
}

impl Shelf for Bucket {
    fn address(&self) -> String {
        self.shown.clone()
    }

    fn list(&self, folder: &str) -> Result<BTreeMap<String, u64>, Trouble> {
        let mut found = BTreeMap::new();
        let mut next: Option<String> = None;
        loop {
            let ask = || {
                let mut action = ListObjectsV2::new(&self.address, self.credentials.as_ref());
                action.with_prefix(self.key(&format!("{folder}/")));
                if let Some(token) = &next {
                    action.with_continuation_token(token.clone());
                }
                self.agent.get(action.sign(SIGNED).as_str()).call()
            };
            let Answer::Yes(mut response) = self.answered(folder, &ask)? else { return Ok(found) };
            let words = response.body_mut().with_config().limit(WORDS_BYTES_MAX).read_to_string();
            let words = words.map_err(|error| self.unreachable(&error))?;
            let page = Page::read(&words)
                .map_err(|why| Trouble::new(format!("its listing of `{folder}` cannot be read: {why}")))?;
            let named = |(key, size): (String, u64)| Some((key.strip_prefix(&self.prefix)?.to_owned(), size));
            found.extend(page.objects.into_iter().filter_map(named));
            match page.next {
                Some(token) => next = Some(token),
                None => return Ok(found),
            }
        }
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let key = self.key(name);
        let ask = || {
            let url = GetObject::new(&self.address, self.credentials.as_ref(), &key).sign(SIGNED);
            self.agent.get(url.as_str()).header("accept-encoding", "identity").call()
        };
        match self.answered(name, &ask)? {
            Answer::NotThere => Ok(None),
            Answer::Yes(response) => self.body(name, response).map(Some),
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Trouble> {
        let key = self.key(name);
        let ask = || {
            let url = PutObject::new(&self.address, self.credentials.as_ref(), &key).sign(SIGNED);
            self.agent.put(url.as_str()).send(content)
        };
        let Answer::Yes(response) = self.answered(name, &ask)? else {
            return Err(Trouble::new(format!("`{name}` was not taken")));
        };
        taken_over(name, content, &response)
    }

    fn remove(&self, name: &str) -> Result<(), Trouble> {
        let key = self.key(name);
        let ask = || {
            let url = DeleteObject::new(&self.address, self.credentials.as_ref(), &key).sign(SIGNED);
            self.agent.delete(url.as_str()).call()
        };
        self.answered(name, &ask).map(|_| ())
    }
}

/// Whether the store has kept what was sent, as far as its answer tells.
fn taken_over(name: &str, content: &[u8], response: &Response<Body>) -> Result<(), Trouble> {
    let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    let tag = tag.trim_matches('"').to_ascii_lowercase();
    // Under a key of the server's own the tag is another hash (Amazon S3, "Object"); then the length is compared.
    let is_hash = tag.len() == 32
        && tag.bytes().all(|digit| digit.is_ascii_hexdigit())
        && response.headers().get("x-amz-server-side-encryption").is_none_or(|kind| kind == "AES256");
    let mut found = String::new();
    for byte in Md5::digest(content) {
        // Writing to a string cannot fail.
        let _ = write!(found, "{byte:02x}");
    }
    if is_hash && tag != found {
        return Err(Trouble::new(format!("`{name}`: the store has kept something else than was sent"))
            .hinted("try again; what is wrong there is written again"));
    }
    Ok(())
}
