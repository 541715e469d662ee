//! Files of a bucket part by part: read by ranges, and written as a multipart upload, which the store puts together only when all of it is
//! there (Amazon S3 User Guide, "Uploading and copying objects using multipart upload").

use std::cell::Cell;

use rusty_s3::S3Action;
use rusty_s3::actions::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, GetObject, HeadObject, UploadPart,
};
use switchback_core::port::Parts;

use super::{Answer, Bucket, SIGNED, WORDS_BYTES_MAX, taken_over};
use crate::remote::shelf::{PartShelf, Shelf, unread};
use crate::trouble::Trouble;

/// A part, where the file has not too many of them. The store takes no smaller ones than 5 MiB, the last apart.
const PART_BYTES: u64 = 8 << 20;
/// The store takes no more parts of one file.
const PARTS_MAX: u64 = 10_000;

/// What an element holds. Stores do not agree on the namespace of their answers, so that it is not asked for; and what is asked for
/// here has no letters that XML would write in another way.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (held, _) = rest.split_once(&format!("</{name}>"))?;
    (!held.is_empty()).then_some(held)
}

/// How large the parts of a file are.
fn part_bytes(bytes: u64) -> u64 {
    bytes.div_ceil(PARTS_MAX).max(PART_BYTES)
}

impl PartShelf for Bucket {
    fn size(&self, name: &str) -> Result<Option<u64>, Trouble> {
        let key = self.key(name);
        let ask = || {
            let url = HeadObject::new(&self.address, self.credentials.as_ref(), &key).sign(SIGNED);
            self.agent.head(url.as_str()).header("accept-encoding", "identity").call()
        };
        let Answer::Yes(response) = self.answered(name, &ask)? else { return Ok(None) };
        let length = response.headers().get("content-length").and_then(|length| length.to_str().ok());
        let length = length.and_then(|length| length.parse().ok());
        length
            .map(Some)
            .ok_or_else(|| Trouble::new(format!("`{name}`: the store does not say how long it is")))
    }

    fn read_part(&self, name: &str, at: u64, bytes: u64) -> Result<Vec<u8>, Trouble> {
        if bytes == 0 {
            return Ok(Vec::new());
        }
        let key = self.key(name);
        let range = format!("bytes={at}-{}", at + bytes - 1);
        let ask = || {
            let url = GetObject::new(&self.address, self.credentials.as_ref(), &key).sign(SIGNED);
            let request = self.agent.get(url.as_str()).header("accept-encoding", "identity");
            request.header("range", &range).call()
        };
        let Answer::Yes(mut response) = self.answered(name, &ask)? else {
            return Err(Trouble::new(format!("`{name}` is not there any more")));
        };
        // A store that passes over the range gives more than was asked for.
        let read = response.body_mut().with_config().limit(bytes + 1).read_to_vec();
        let part = read
            .map_err(|error| self.unreachable(&error).under(format!("`{name}`: the transfer broke off")))?;
        if part.len() as u64 == bytes {
            return Ok(part);
        }
        Err(Trouble::new(format!(
            "`{name}`: the store gave {} bytes where {bytes} were asked for",
            part.len()
        )))
    }

    fn write_parts(&self, name: &str, content: &dyn Parts) -> Result<(), Trouble> {
        let bytes = content.bytes();
        if bytes <= PART_BYTES {
            return self.write(name, &content.part(0, bytes).map_err(unread)?);
        }
        let key = self.key(name);
        let ask = || {
            let url = CreateMultipartUpload::new(&self.address, self.credentials.as_ref(), &key).sign(SIGNED);
            self.agent.post(url.as_str()).send_empty()
        };
        let begun = self.words(name, &ask)?;
        let upload = element(&begun, "UploadId").ok_or_else(|| {
            Trouble::new(format!("`{name}`: the store does not say how the upload is called"))
        })?;
        self.uploaded(name, &key, upload, content).inspect_err(|_| {
            let ask = || {
                let credentials = self.credentials.as_ref();
                let url = AbortMultipartUpload::new(&self.address, credentials, &key, upload).sign(SIGNED);
                self.agent.delete(url.as_str()).call()
            };
            // What was sent is of no use; that it cannot be removed is not what the person must hear of.
            drop(self.answered(name, &ask));
        })
    }
}

impl Bucket {
    /// Sends all parts, and lets the store put them together.
    fn uploaded(&self, name: &str, key: &str, upload: &str, content: &dyn Parts) -> Result<(), Trouble> {
        let (bytes, credentials) = (content.bytes(), self.credentials.as_ref());
        let size = part_bytes(bytes);
        let mut tags: Vec<String> = Vec::new();
        for (number, at) in (1_u16..).zip((0..bytes).step_by(usize::try_from(size).unwrap_or(usize::MAX))) {
            let part = content.part(at, size.min(bytes - at)).map_err(unread)?;
            let ask = || {
                let url = UploadPart::new(&self.address, credentials, key, number, upload).sign(SIGNED);
                self.agent.put(url.as_str()).send(&part[..])
            };
            let Answer::Yes(response) = self.answered(name, &ask)? else {
                return Err(Trouble::new(format!("`{name}`: the store does not know its upload any more")));
            };
            taken_over(name, &part, &response)?;
            let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok());
            tags.push(
                tag.ok_or_else(|| Trouble::new(format!("`{name}`: part {number} was not taken")))?.to_owned(),
            );
        }
        let whole = || {
            let tags = tags.iter().map(String::as_str);
            CompleteMultipartUpload::new(&self.address, credentials, key, upload, tags)
        };
        let (body, asked) = (whole().body(), Cell::new(0_u32));
        let ask = || {
            asked.set(asked.get() + 1);
            self.agent.post(whole().sign(SIGNED).as_str()).send(body.as_str())
        };
        let Answer::Yes(response) = self.answered(name, &ask)? else {
            // An upload that was put together is not known any more. Where that answer got lost, what is there tells of it; the same bytes
            // it has only when it is read back, which whoever sent it does.
            if asked.get() > 1 && self.size(name)? == Some(bytes) {
                return Ok(());
            }
            return Err(Trouble::new(format!("`{name}`: the store does not know its upload any more")));
        };
        let said = self.said(response)?;
        // It may answer that all is well before it knows, and say otherwise in what follows.
        if said.contains("<CompleteMultipartUploadResult") && element(&said, "ETag").is_some() {
            return Ok(());
        }
        let code = element(&said, "Code").unwrap_or("it does not say why");
        Err(Trouble::new(format!("`{name}`: the store did not put its parts together: {code}")))
    }

    /// What the store says to a request.
    fn words(
        &self,
        name: &str,
        request: &dyn Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<String, Trouble> {
        let Answer::Yes(response) = self.answered(name, request)? else {
            return Err(Trouble::new(format!("`{name}` was not taken")));
        };
        self.said(response)
    }

    fn said(&self, mut response: ureq::http::Response<ureq::Body>) -> Result<String, Trouble> {
        let words = response.body_mut().with_config().limit(WORDS_BYTES_MAX).read_to_string();
        words.map_err(|error| self.unreachable(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_as_many_parts_as_the_store_takes() {
        assert_eq!(part_bytes(PART_BYTES + 1), PART_BYTES);
        for bytes in [PART_BYTES * PARTS_MAX, PART_BYTES * PARTS_MAX + 1, 1 << 40] {
            assert!(bytes.div_ceil(part_bytes(bytes)) <= PARTS_MAX, "{bytes}");
        }
    }
}
