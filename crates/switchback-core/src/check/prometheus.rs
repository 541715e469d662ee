//! `prometheus`: what a query of Prometheus answers, and what it may be (PC-9).

use std::time::Duration;

use serde_json::{Value, json};

use super::limits::{LEAST, Limits, MOST};
use super::{Check, Kind, Looked, Scene};
use crate::database::encoded;
use crate::plan::{Fields, Key, Shape, shown};
use crate::world::HttpRequest;

const BYTES_MAX: u64 = 16 << 20;
const REQUEST_TIMEOUT_MS: u64 = 30_000;

/// The kind `prometheus`.
pub(super) static KIND: Kind = Kind {
    word: "prometheus",
    doc: "the number that a query of Prometheus, or of what speaks its API, answers",
    keys: &[
        Key::required("url", Shape::Text, "the server, e.g. `http://prometheus:9090`"),
        Key::required("query", Shape::Text, "a query in PromQL that answers with one number"),
        Key::optional(
            "token",
            Shape::Text,
            "the name of the environment variable with the bearer token, where one is needed",
        ),
        LEAST,
        MOST,
    ],
    read,
};

#[derive(Debug)]
struct PrometheusCheck {
    url: String,
    query: String,
    token: Option<String>,
    limits: Limits,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let limits = Limits::read(fields);
    let (url, query) = (fields.http_address("url"), fields.filled_text("query"));
    let token = fields.filled_text("token");
    Some(Box::new(PrometheusCheck {
        url: url?.trim_end_matches('/').to_owned(),
        query: query?,
        token,
        limits,
    }))
}

impl Check for PrometheusCheck {
    fn asks_a_service(&self) -> bool {
        true
    }

    fn look(&self, scene: &Scene<'_>) -> Looked {
        let details = json!({"url": self.url, "query": self.query});
        let mut headers = Vec::new();
        if let Some(name) = &self.token {
            let Some(token) = scene.world.surroundings.variable(name).filter(|token| !token.is_empty())
            else {
                return Looked::unknown(format!("the environment variable `{name}` is not set"), details);
            };
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let request = HttpRequest {
            url: format!("{}/api/v1/query?query={}", self.url, encoded(&self.query)),
            method: "GET".to_owned(),
            headers,
            body: None,
            timeout: Duration::from_millis(REQUEST_TIMEOUT_MS).min(scene.timeout),
            body_bytes_max: BYTES_MAX,
            is_direct: false,
        };
        // A server that is down, or has nothing, says nothing about the program.
        let answer = match scene.world.network.ask(&request) {
            Ok(answer) => answer,
            Err(error) => return Looked::unknown(error.to_string(), details),
        };
        match number_of(answer.status, &answer.body) {
            Ok(number) => self.limits.judge(number, "what the query answers", details),
            Err(why) => Looked::unknown(why, details),
        }
    }
}

/// The one number of an answer of the HTTP API (Prometheus, "HTTP API", instant queries).
fn number_of(status: u16, body: &[u8]) -> Result<f64, String> {
    let answer: Value = serde_json::from_slice(body)
        .map_err(|error| format!("status {status}; its answer is no JSON: {error}"))?;
    if answer["status"] != "success" {
        let why = answer["error"].as_str().unwrap_or("no reason is given");
        return Err(format!("status {status}; the query failed: {}", shown(why)));
    }
    let data = &answer["data"];
    let sample = match data["resultType"].as_str() {
        Some("scalar") => &data["result"],
        Some("vector") => match data["result"].as_array().map(Vec::as_slice) {
            Some([only]) => &only["value"],
            Some([]) => return Err("the query answers with nothing: no series fits it now".to_owned()),
            Some(several) => {
                let count = several.len();
                return Err(format!(
                    "the query answers with {count} series, not with one: aggregate them, e.g. with `sum(…)`"
                ));
            }
            None => return Err("its answer has no result".to_owned()),
        },
        Some(other) => return Err(format!("the query answers with a {}, not with one number", shown(other))),
        None => return Err("its answer has no result".to_owned()),
    };
    let text = sample[1].as_str().ok_or("its answer has no value")?;
    text.parse().map_err(|_| format!("its value `{}` is no number", shown(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(result: &Value) -> Result<f64, String> {
        number_of(200, json!({"status": "success", "data": result}).to_string().as_bytes())
    }

    #[test]
    fn one_number_is_one_and_nothing_and_several_are_none() {
        let one = |value: &str| json!({"metric": {}, "value": [1.5, value]});
        assert_eq!(answered(&json!({"resultType": "vector", "result": [one("0.25")]})), Ok(0.25));
        assert_eq!(answered(&json!({"resultType": "scalar", "result": [1.5, "7"]})), Ok(7.0));
        assert!(answered(&json!({"resultType": "vector", "result": [one("NaN")]})).unwrap().is_nan());
        for (result, why) in [
            (json!({"resultType": "vector", "result": []}), "nothing"),
            (json!({"resultType": "vector", "result": [one("1"), one("2")]}), "2 series"),
            (json!({"resultType": "matrix", "result": []}), "matrix"),
            (json!({}), "no result"),
        ] {
            assert!(answered(&result).unwrap_err().contains(why), "{why}");
        }
        let failed = br#"{"status": "error", "errorType": "bad_data", "error": "parse error"}"#;
        assert!(number_of(400, failed).unwrap_err().contains("parse error"));
        assert!(number_of(502, b"<html>bad gateway").unwrap_err().contains("no JSON"));
    }

    #[test]
    fn a_query_is_one_part_of_its_address() {
        assert_eq!(
            encoded("sum(rate(x{a=\"b\"}[5m])) > 1&c"),
            "sum%28rate%28x%7Ba%3D%22b%22%7D%5B5m%5D%29%29%20%3E%201%26c"
        );
    }
}
