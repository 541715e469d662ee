//! An object of S3, fetched whole into a temporary file.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use md5::{Digest, Md5};
use rusty_s3::actions::GetObject;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use switchback_compare::address::Address;
use switchback_compare::store::{Object, StoreError};
use switchback_core::world::Surroundings;
use tempfile::NamedTempFile;
use ureq::http::{HeaderMap, Response, StatusCode};

use crate::failure::failed;
use crate::hexadecimal;

/// How long a request may be signed for; each is made at once.
const SIGNED_SECONDS: u64 = 900;

/// How often a transfer that broke off is gone on with.
const TRIES_MAX: usize = 4;

/// How long the server may be silent, in seconds.
const SILENCE_SECONDS_MAX: u64 = 60;

/// How much is read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// The most that is read of the server's own words about a failure.
const WORDS_BYTES_MAX: u64 = 4096;

const ROOM: &str = "make room in the folder for temporary files, or name another one in `TMPDIR`";
const CONNECT: &str = "check the network, and `AWS_ENDPOINT_URL` where the store is not Amazon's";
const AGAIN: &str = "compare again";

/// An object in a file, which is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Fetched {
    file: NamedTempFile,
}

impl Object for Fetched {
    fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Fetched {
    /// Fetches the object that an address names.
    pub(crate) fn from(address: &Address, surroundings: &dyn Surroundings) -> Result<Self, StoreError> {
        let source = Source::of(address, surroundings)?;
        let unwritten = |error: std::io::Error| failed(address, [error.to_string()], ROOM);
        let mut file = NamedTempFile::new().map_err(unwritten)?;
        let mut transfer = Transfer::default();
        let mut broken = String::new();
        for _ in 0..TRIES_MAX {
            let Some(mut body) = source.ask(&mut transfer)? else { return Err(source.changed()) };
            let mut chunk = vec![0; CHUNK_BYTES];
            broken = loop {
                if transfer.done >= transfer.length {
                    break String::new();
                }
                match body.read(&mut chunk) {
                    Ok(0) => break "the transfer ended early".to_owned(),
                    Ok(bytes) => {
                        let bytes = chunk.get(..bytes).unwrap_or_default();
                        file.write_all(bytes).map_err(unwritten)?;
                        transfer.hash.update(bytes);
                        transfer.done += bytes.len() as u64;
                    }
                    Err(error) => break error.to_string(),
                }
            };
            if broken.is_empty() {
                break;
            }
        }
        if !broken.is_empty() {
            let got = format!("{} of {} bytes came", transfer.done, transfer.length);
            return Err(failed(address, [broken, got], AGAIN));
        }
        transfer.check(address)?;
        file.flush().map_err(unwritten)?;
        Ok(Self { file })
    }
}

/// How far an object has come.
#[derive(Default)]
struct Transfer {
    /// In bytes, as the server said at first.
    length: u64,
    done: u64,
    /// What names this very content.
    tag: Option<String>,
    /// The tag is the MD5 of the content.
    is_hashed: bool,
    hash: Md5,
}

impl Transfer {
    fn begin(&mut self, headers: &HeaderMap) -> Result<(), String> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let length = header("content-length").and_then(|length| length.parse().ok());
        self.length = length.ok_or("the server does not say how long it is")?;
        self.tag = header("etag").map(str::to_owned);
        // Of an object in several parts, or under a key of its own, the tag is another hash (Amazon S3, *Object*).
        let plain = header("x-amz-server-side-encryption").is_none_or(|kind| kind == "AES256")
            && header("x-amz-server-side-encryption-customer-algorithm").is_none();
        let tag = self.tag.as_deref().unwrap_or_default().trim_matches('"');
        self.is_hashed = plain && tag.len() == 32 && tag.bytes().all(|digit| digit.is_ascii_hexdigit());
        Ok(())
    }

    fn check(self, address: &Address) -> Result<(), StoreError> {
        let found = hexadecimal(self.hash.finalize());
        let tag = self.tag.unwrap_or_default().trim_matches('"').to_ascii_lowercase();
        if !self.is_hashed || tag == found {
            return Ok(());
        }
        let reason = format!("what came is not what the store has: its hash is {found}, and {tag} was said");
        Err(failed(address, [reason], AGAIN))
    }
}

/// Where an object is, and who asks for it.
struct Source<'a> {
    address: &'a Address,
    bucket: Bucket,
    credentials: Option<Credentials>,
    key: String,
    agent: ureq::Agent,
}

impl<'a> Source<'a> {
    fn of(address: &'a Address, surroundings: &dyn Surroundings) -> Result<Self, StoreError> {
        let set = |names: &[&str]| {
            names.iter().find_map(|name| surroundings.variable(name).filter(|value| !value.is_empty()))
        };
        let rest = address.place().split_once("://").map(|(_, rest)| rest);
        let (name, key) = rest.and_then(|rest| rest.split_once('/')).unwrap_or_default();
        let region = set(&["AWS_REGION", "AWS_DEFAULT_REGION"]).unwrap_or_else(|| "us-east-1".to_owned());
        let endpoint = set(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
        // A certificate of Amazon's covers one label before its domain.
        let style =
            if endpoint.is_some() || name.contains('.') { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let refused =
            |reason: String| failed(address, [reason], "correct `AWS_ENDPOINT_URL` or the bucket's name");
        let endpoint =
            endpoint.parse().map_err(|error| refused(format!("the endpoint is no URL: {error}")))?;
        let bucket = Bucket::new(endpoint, style, name.to_owned(), region);
        let bucket = bucket.map_err(|error| refused(error.to_string()))?;
        let credentials = match (set(&["AWS_ACCESS_KEY_ID"]), set(&["AWS_SECRET_ACCESS_KEY"])) {
            (Some(id), Some(secret)) => Some(match set(&["AWS_SESSION_TOKEN"]) {
                Some(token) => Credentials::new_with_token(id, secret, token),
                None => Credentials::new(id, secret),
            }),
            _ => None,
        };
        let silence = Some(Duration::from_secs(SILENCE_SECONDS_MAX));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(silence)
            .timeout_recv_response(silence)
            .build()
            .new_agent();
        Ok(Self { address, bucket, credentials, key: key.to_owned(), agent })
    }

    /// Asks for what has not come yet; `None` when the object is another by now.
    fn ask(&self, transfer: &mut Transfer) -> Result<Option<impl Read + use<>>, StoreError> {
        let url = GetObject::new(&self.bucket, self.credentials.as_ref(), &self.key)
            .sign(Duration::from_secs(SIGNED_SECONDS));
        // The URL is signed, so that it is a secret: errors that name it are not passed on.
        let mut request = self.agent.get(url.as_str()).header("accept-encoding", "identity");
        if transfer.done > 0 {
            request = request.header("range", format!("bytes={}-", transfer.done));
            request = transfer.tag.iter().fold(request, |request, tag| request.header("if-match", tag));
        }
        let mut response = request.call().map_err(|error| self.unreachable(&error))?;
        match response.status() {
            StatusCode::OK if transfer.done == 0 => {
                let begun = transfer.begin(response.headers());
                begun.map_err(|reason| failed(self.address, [reason], AGAIN))?;
            }
            StatusCode::PARTIAL_CONTENT if transfer.done > 0 => {}
            StatusCode::PRECONDITION_FAILED | StatusCode::OK if transfer.done > 0 => return Ok(None),
            _ => return Err(self.refused(&mut response)),
        }
        Ok(Some(response.into_body().into_reader()))
    }

    fn changed(&self) -> StoreError {
        failed(self.address, ["it was changed while it was fetched"], AGAIN)
    }

    fn unreachable(&self, error: &ureq::Error) -> StoreError {
        let host = self.bucket.base_url().host_str().unwrap_or_default().to_owned();
        let reason = match error {
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::HostNotFound => "the host is not known".to_owned(),
            ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
            ureq::Error::Timeout(_) => "there was no answer in time".to_owned(),
            ureq::Error::Tls(reason) => (*reason).to_owned(),
            ureq::Error::Rustls(error) => error.to_string(),
            _ => "the request failed".to_owned(),
        };
        failed(self.address, [format!("`{host}` cannot be reached"), reason], CONNECT)
    }

    /// What the server says against it, in its own words where they are short and its own.
    fn refused(&self, response: &mut Response<ureq::Body>) -> StoreError {
        let status = response.status();
        let region = response.headers().get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
        let region = region.map(|region| format!("the bucket is in the region `{region}`"));
        let words =
            response.body_mut().with_config().limit(WORDS_BYTES_MAX).read_to_string().unwrap_or_default();
        let code = words.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        let mut reasons = vec![format!("the store answers {status}")];
        reasons.extend(code.map(|(code, _)| code.to_owned()));
        let hint = match status {
            StatusCode::NOT_FOUND => "check bucket and key: the address is `s3://BUCKET/KEY`",
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED if self.credentials.is_none() => {
                "it was asked for without a name: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"
            }
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                "check `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and that they may read the object"
            }
            _ if region.is_some() => "set `AWS_REGION` to the bucket's region",
            _ => AGAIN,
        };
        reasons.extend(region);
        failed(self.address, reasons, hint)
    }
}
