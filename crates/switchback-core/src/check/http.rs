//! `http`: a service answers with the right status and body, and fast enough.

use std::time::Duration;

use serde_json::json;

use super::{Check, Kind, Looked, Scene};
use crate::plan::{Fields, Key, Shape, shown};
use crate::verdict::Verdict;
use crate::world::{HttpRequest, NetworkError};

const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;
const REQUESTS_FOR_P95: u64 = 20;
const REQUESTS_MAX: u64 = 10_000;

/// The kind `http`.
pub(super) static KIND: Kind = Kind {
    word: "http",
    doc: "a service answers: status, body, and the 95th percentile of its answer times",
    keys: &[
        Key::required("url", Shape::Text, "the address, `http://…` or `https://…`"),
        Key::optional(
            "method",
            Shape::Word(&["GET", "HEAD"]),
            "`GET` when left out; a check never changes anything",
        ),
        Key::optional("status", Shape::Whole, "the status that it must answer with; 200 when left out"),
        Key::optional("contains", Shape::Text, "a text that the body must contain"),
        Key::optional(
            "p95_ms",
            Shape::Number,
            "19 of 20 requests must be answered within so many milliseconds",
        ),
        Key::optional(
            "requests",
            Shape::Whole,
            "how many requests are sent; 1 when left out, 20 with `p95_ms`",
        ),
        Key::optional(
            "request_timeout_ms",
            Shape::Whole,
            "how long one request may take; 10000 when left out",
        ),
    ],
    read,
};

#[derive(Debug)]
struct HttpCheck {
    url: String,
    method: String,
    status: u64,
    contains: Option<String>,
    p95_ms: Option<f64>,
    requests: u64,
    timeout: Duration,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let url = fields.http_address("url")?;
    let p95_ms = fields.number("p95_ms");
    let requests = fields.whole("requests").unwrap_or(if p95_ms.is_some() { REQUESTS_FOR_P95 } else { 1 });
    if requests == 0 || requests > REQUESTS_MAX {
        fields.find("requests", format!("`requests` must be 1 to {REQUESTS_MAX}"), "correct the number");
    }
    if p95_ms.is_some() && requests < REQUESTS_FOR_P95 {
        fields.find(
            "requests",
            format!("{requests} requests have no 95th percentile"),
            format!("send at least {REQUESTS_FOR_P95}, or take `p95_ms` out"),
        );
    }
    Some(Box::new(HttpCheck {
        url,
        method: fields.word("method").unwrap_or_else(|| "GET".to_owned()),
        status: fields.whole("status").unwrap_or(200),
        contains: fields.text("contains"),
        p95_ms,
        requests,
        timeout: Duration::from_millis(fields.whole("request_timeout_ms").unwrap_or(10_000)),
    }))
}

impl Check for HttpCheck {
    fn counts_samples(&self) -> bool {
        true
    }

    fn asks_a_service(&self) -> bool {
        true
    }

    fn look(&self, scene: &Scene<'_>) -> Looked {
        let request = HttpRequest {
            url: self.url.clone(),
            method: self.method.clone(),
            headers: Vec::new(),
            body: None,
            timeout: self.timeout,
            body_bytes_max: BODY_BYTES_MAX,
            is_direct: false,
        };
        let started = scene.world.clock.monotonic();
        let mut times_ms = Vec::new();
        for sent in 1..=self.requests {
            let answer = match scene.world.network.ask(&request) {
                Ok(answer) => answer,
                Err(NetworkError::Silent(why)) => {
                    let details = json!({"url": self.url, "request": sent, "why": why});
                    return Looked::new(Verdict::No, format!("request {sent}: no answer: {why}"), details);
                }
                Err(error @ NetworkError::NotAsked(_)) => {
                    return Looked::unknown(error.to_string(), json!({"url": self.url}));
                }
            };
            times_ms.push(answer.elapsed.as_secs_f64() * 1_000.0);
            if let Some(wrong) = self.wrong_with(answer.status, &answer.body) {
                let details = json!({"url": self.url, "request": sent, "status": answer.status});
                return Looked::new(Verdict::No, wrong, details);
            }
            if scene.world.clock.monotonic().saturating_sub(started) > scene.timeout {
                let why = format!("only {sent} of {} requests were sent in the time", self.requests);
                return Looked::unknown(why, json!({"url": self.url}));
            }
        }
        self.judge_times(times_ms)
    }
}

impl HttpCheck {
    fn wrong_with(&self, status: u16, body: &[u8]) -> Option<String> {
        if u64::from(status) != self.status {
            return Some(format!("status {status}, not {}", self.status));
        }
        let wanted = self.contains.as_ref()?;
        let found = String::from_utf8_lossy(body).contains(wanted.as_str());
        (!found).then(|| format!("the body does not contain `{}`", shown(wanted)))
    }

    fn judge_times(&self, mut times_ms: Vec<f64>) -> Looked {
        times_ms.sort_by(f64::total_cmp);
        // Nearest rank: the smallest time that at least 95 % of the requests did not exceed.
        let rank = (times_ms.len() * 95).div_ceil(100).clamp(1, times_ms.len());
        let p95_ms = times_ms[rank - 1];
        let details =
            json!({"url": self.url, "requests": times_ms.len(), "p95_ms": p95_ms, "times_ms": times_ms});
        let summary = format!("status {}, p95 {p95_ms:.1} ms of {} requests", self.status, times_ms.len());
        match self.p95_ms {
            Some(allowed) if p95_ms > allowed => {
                Looked::new(Verdict::No, format!("{summary}, more than {allowed} ms"), details)
            }
            _ => Looked::new(Verdict::Yes, summary, details),
        }
        .measured(p95_ms)
        .of_samples(self.requests)
    }
}
