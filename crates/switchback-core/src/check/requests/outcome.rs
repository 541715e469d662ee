//! What came of all requests: the verdict, its words, the routes that nothing asked for, and no secret in any of it.

use serde_json::{Value, json};

use super::answer::{Judged, NAMED_MAX};
use super::recorded::Recorded;
use super::{Early, touched, unknown};
use crate::check::Looked;
use crate::code::RoutesFound;
use crate::plan::shown;
use crate::port::PortError;
use crate::quantity::counted;
use crate::secret::{MASK, clean_text};
use crate::verdict::Verdict;

/// So many requests a person sees at once.
const TABLE_ROWS_MAX: usize = 20;
/// So many routes a summary names.
const ROUTES_TOLD_MAX: usize = 3;
/// What stands before a credential, and is none.
const SCHEMES: &[&str] = &["bearer", "digest", "negotiate"];
/// Shorter values would blank ordinary words.
const SECRET_LETTERS_MIN: usize = 6;

/// The routes of the old code, and what the requests ask of them.
#[derive(Debug)]
pub(super) struct Coverage {
    /// How many there are to be asked for.
    listed: usize,
    /// As a person names them.
    untouched: Vec<String>,
    /// Places that could not be read.
    undecided: u64,
    /// Why nothing, or not all of it, is known.
    why: Option<String>,
}

impl Coverage {
    pub(super) fn of(
        found: Result<RoutesFound, PortError>,
        left_out: &[String],
        requests: &[Recorded],
    ) -> Self {
        let nothing = |why: String| Self { listed: 0, untouched: Vec::new(), undecided: 0, why: Some(why) };
        let found = match found {
            Ok(found) => found,
            Err(error) => return nothing(error.told()),
        };
        let undecided = found.undecided;
        let mut routes = touched::askable(found.routes);
        if routes.is_empty() {
            return nothing("no route was found in the old tree".to_owned());
        }
        let stranger =
            left_out.iter().find(|name| !routes.iter().any(|route| touched::named(route) == **name));
        let mut why = stranger
            .map(|name| format!("`{}` of `routes_left_out` is no route of the old tree", shown(name)));
        if undecided > 0 && why.is_none() {
            let places = counted(undecided, "place");
            why = Some(format!("{places} of the old tree that may define routes could not be read"));
        }
        routes.retain(|route| !left_out.contains(&touched::named(route)));
        let asked: Vec<(&str, &str)> =
            requests.iter().map(|request| (request.method.as_str(), request.route_path())).collect();
        let untouched = touched::untouched(&routes, &asked).into_iter().map(touched::named).collect();
        Self { listed: routes.len(), untouched, undecided, why }
    }

    /// In a few words; nothing where no route is known.
    fn told(&self) -> String {
        let all = counted(self.listed as u64, "route");
        match self.untouched.as_slice() {
            [] if self.listed == 0 => String::new(),
            [] => format!("; {all} of the old tree, none without a request"),
            untouched => {
                let named: Vec<String> =
                    untouched.iter().take(ROUTES_TOLD_MAX).map(|name| format!("`{}`", shown(name))).collect();
                let more = untouched.len() - named.len();
                let more = if more == 0 { String::new() } else { format!(" and {more} more") };
                let (count, named) = (untouched.len(), named.join(", "));
                format!("; {count} of {all} of the old tree without a request: {named}{more}")
            }
        }
    }

    /// What speaks against *yes* where every route is to be asked for.
    fn lacking(&self) -> Option<Early> {
        match (&self.why, self.untouched.len()) {
            (Some(why), _) => Some(unknown(format!("not every route is known to be asked for: {why}"))),
            (None, 0) => None,
            (None, _) => Some(unknown("not every route is asked for".to_owned())),
        }
    }

    fn evidence(&self) -> Value {
        json!({
            "listed": self.listed,
            "without_request": self.untouched.iter().take(NAMED_MAX).collect::<Vec<_>>(),
            "undecided": self.undecided,
            "why": self.why,
        })
    }
}

/// What came of all requests.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    /// Of each request that was sent, in order.
    pub(super) judged: Vec<Judged>,
    pub(super) requests: Vec<Recorded>,
    /// What speaks against the whole, beside the answers.
    pub(super) stopped: Vec<Early>,
    pub(super) coverage: Coverage,
    pub(super) every_route: bool,
    /// Members of JSON that do not count.
    pub(super) excluded: &'a [String],
}

impl Outcome<'_> {
    pub(super) fn looked(mut self, mut evidence: Value) -> Looked {
        if !self.judged.iter().any(|judged| judged.is_met) && self.stopped.is_empty() {
            let why = "every request was refused: that both refuse them proves little; say the `status` that is meant";
            self.stopped.push(unknown(why));
        }
        if self.every_route {
            self.stopped.extend(self.coverage.lacking());
        }
        let verdict = Verdict::all(
            self.judged.iter().map(|judged| judged.verdict).chain(self.stopped.iter().map(|(one, _)| *one)),
        );
        evidence["sent"] = json!(self.judged.len());
        evidence["alike"] = json!(self.count(Verdict::Yes));
        evidence["answers"] = self.answers();
        evidence["routes"] = self.coverage.evidence();
        evidence["excluded"] = json!(self.excluded);
        let summary = self.summary(verdict);
        let samples = self.judged.len() as u64;
        Looked::new(verdict, summary, evidence).shown(self.table()).of_samples(samples)
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.judged.iter().filter(|judged| judged.verdict == verdict).count()
    }

    /// What came of each request; where there are too many of them, of those first that are not answered alike.
    fn answers(&self) -> Value {
        if self.judged.len() <= NAMED_MAX {
            return self.judged.iter().map(|judged| judged.evidence.clone()).collect();
        }
        let apart = self.judged.iter().filter(|judged| judged.verdict != Verdict::Yes);
        apart.take(NAMED_MAX).map(|judged| judged.evidence.clone()).collect()
    }

    fn summary(&self, verdict: Verdict) -> String {
        let all = counted(self.requests.len() as u64, "request");
        let excluded = match self.excluded {
            [] => String::new(),
            excluded => {
                let named: Vec<String> = excluded.iter().map(|name| format!("`{}`", shown(name))).collect();
                format!("; left out: {}", named.join(", "))
            }
        };
        let routes = self.coverage.told();
        if verdict == Verdict::Yes {
            return format!("{all}, all answered alike{excluded}{routes}");
        }
        let mut told = Vec::new();
        let count = self.count(verdict);
        let first = self.judged.iter().zip(&self.requests).find(|(judged, _)| judged.verdict == verdict);
        if let Some((judged, request)) = first {
            let what = if verdict == Verdict::No { "answered otherwise" } else { "not compared" };
            let (number, request) = (request.number, request.told());
            told.push(format!("{count} of {all} {what}; first request {number} ({request}): {}", judged.why));
        }
        let deciding = self.stopped.iter().filter(|(one, _)| *one == verdict);
        told.extend(deciding.map(|(_, why)| why.clone()));
        format!("{}{excluded}{routes}", told.join("; "))
    }

    /// The requests that are not answered alike.
    fn table(&self) -> Vec<Vec<String>> {
        let apart =
            self.judged.iter().zip(&self.requests).filter(|(judged, _)| judged.verdict != Verdict::Yes);
        let rows: Vec<Vec<String>> = apart
            .take(TABLE_ROWS_MAX)
            .map(|(judged, request)| {
                let what = format!("{} {}", request.method, shown(request.route_path()));
                vec![request.number.to_string(), what, judged.verdict.spoken().to_owned(), judged.why.clone()]
            })
            .collect();
        if rows.len() < 2 {
            return Vec::new();
        }
        let heading = ["request", "what", "verdict", "what was seen"].map(str::to_owned).to_vec();
        std::iter::once(heading).chain(rows).collect()
    }
}

/// What was sent and nobody may read.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    values: Vec<String>,
}

impl Secrets {
    /// Keeps the value of a header in mind, and each word of it: an answer may quote either.
    pub(super) fn know(&mut self, value: &str) {
        let words = value.split([' ', ';', ',']).map(str::trim);
        let behind = words.clone().filter_map(|word| word.split_once('=').map(|(_, value)| value));
        for word in std::iter::once(value).chain(words).chain(behind) {
            let is_scheme = SCHEMES.contains(&word.to_ascii_lowercase().as_str());
            if word.len() >= SECRET_LETTERS_MIN
                && !is_scheme
                && !self.values.iter().any(|known| known == word)
            {
                self.values.push(word.to_owned());
            }
        }
        // A longer one may contain a shorter one; it must go first.
        self.values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    }

    fn clean(&self, text: &str) -> String {
        clean_text(
            &self.values.iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), MASK)),
        )
    }

    fn clean_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.clean(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.clean_value(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// What was found, without any of them.
    pub(super) fn blanked(&self, mut looked: Looked) -> Looked {
        looked.summary = self.clean(&looked.summary);
        self.clean_value(&mut looked.details);
        looked.table.iter_mut().flatten().for_each(|cell| *cell = self.clean(cell));
        looked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_in_secret_is_in_no_word() {
        let mut secrets = Secrets::default();
        secrets.know("Bearer tiger-lily-7");
        let details = json!({"a": ["it said tiger-lily-7", 7], "b": {"c": "Bearer tiger-lily-7"}});
        let looked = Looked::new(Verdict::No, "was `tiger-lily-7`", details);
        let looked = secrets.blanked(looked.shown(vec![vec!["tiger-lily-7".to_owned()]]));
        assert!(!format!("{looked:?}").contains("tiger"), "{looked:?}");
        assert!(looked.summary.contains(MASK));
        secrets.know("session=abcdef123; theme=dark");
        assert_eq!(secrets.clean("a session abcdef123 of a Bearer, dark"), "a session *** of a Bearer, dark");
    }
}
