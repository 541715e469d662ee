//! Two documents, value by value: the order of members does not matter, that of items does.

use std::collections::BTreeMap;

use switchback_core::rule::Rule;
use switchback_core::verdict::Verdict;
use switchback_core::world::Disk;

use crate::bytes::same_bytes;
use crate::compare::Setting;
use crate::error::CompareError;
use crate::format::Applied;
use crate::known::{Known, covering};
use crate::pictures::{self, Found};
use crate::plan::Pair;
use crate::report::{Detail, Difference, DocumentDetail, Item, Kind, Proof, Relation};
use crate::shaped::shaped;
use crate::source::Format;
use crate::source::allowance::Allowance;
use crate::source::document::read;
use crate::source::notebook;
use crate::value::{Closeness, Terms, Value, find};

/// Compares two documents under a rule.
///
/// `exclude` and `column_tolerance` name members, wherever they are, or places by a JSON pointer, in which `*` is any one step.
pub(crate) fn compare(
    pair: &Pair,
    formats: (Format, Format),
    setting: &Setting<'_>,
    disk: &dyn Disk,
) -> Result<Item, CompareError> {
    if setting.alone && !(setting.rule.columns.is_empty() && setting.rule.rename.is_empty()) {
        let reason = format!("columns are chosen or renamed, and `{}` has none", pair.name);
        return Err(CompareError::Rule { reason });
    }
    let allowance = Allowance::of(setting.rule);
    // Also one of two equal files is read: what cannot be read is no result.
    let old = read(disk, &pair.old, formats.0, allowance)?;
    let call = setting.mapping.map(|tracing| tracing.call_of(&pair.name).map(|call| call.zip(Some(tracing))));
    let call = call.transpose()?.flatten();
    let same = call.is_none() && formats.0 == formats.1 && same_bytes(disk, &pair.old, &pair.new)?;
    let mut new = if same { old.clone() } else { read(disk, &pair.new, formats.1, allowance)? };
    let mut mapping = Vec::new();
    if let Some((call, tracing)) = call {
        new = shaped(call, &new).map_err(|reason| tracing.refuse_line(call.line, reason))?;
        let result = call.result.iter().map(|(old, form)| (old.clone(), form.to_string())).collect();
        mapping.push(Applied::Call { of: call.of.clone(), result });
    }
    let is_notebook = formats.0 == Format::Notebook && formats.1 == Format::Notebook;
    let mut walk = Walk {
        rule: setting.rule,
        is_notebook,
        closeness: Closeness::Bitwise,
        detail: DocumentDetail { mapping, ..DocumentDetail::default() },
        known: Known::of(&pair.name, setting.rule),
        open: false,
    };
    if is_notebook {
        walk.detail.not_compared.push(notebook::LEFT_OUT.to_owned());
    }
    walk.values(&mut Pointer::default(), &old, &new, &setting.terms);
    let (closeness, detail, open) = (walk.closeness, walk.detail, walk.open);
    let relation = if same { Relation::Bytes } else { closeness.into() };
    let no_cells = is_notebook && notebook::cells(&old) + notebook::cells(&new) == 0;
    let nothing = no_cells || detail.values_compared == 0;
    let (verdict, relation) = match () {
        () if open => (Verdict::No, Some(Relation::Different)),
        () if nothing && !setting.rule.allow_empty => (Verdict::Unknown, None),
        () => (Verdict::Yes, Some(relation)),
    };
    let proof = if same && setting.terms.is_reflexive() { Proof::Bytes } else { Proof::Document };
    let detail = Detail::Document(detail);
    Ok(Item { name: pair.name.clone(), kind: Kind::Document, verdict, proof, relation, detail })
}

/// Where in a document: a JSON pointer (RFC 6901).
#[derive(Debug, Default)]
struct Pointer(String);

impl Pointer {
    fn within<T>(&mut self, step: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.0.len();
        self.0.push('/');
        self.0.push_str(&step.replace('~', "~0").replace('/', "~1"));
        let result = act(self);
        self.0.truncate(length);
        result
    }
}

/// Whether a JSON pointer, in which `*` is any one step, leads to this place.
fn leads_to(pointer: &str, place: &str) -> bool {
    if !pointer.contains('*') {
        return pointer == place;
    }
    let (mut steps, mut there) = (pointer.split('/'), place.split('/'));
    loop {
        match (steps.next(), there.next()) {
            (None, None) => return true,
            (Some(step), Some(one)) if step == "*" || step == one => {}
            _ => return false,
        }
    }
}

struct Walk<'r> {
    rule: &'r Rule,
    is_notebook: bool,
    closeness: Closeness,
    detail: DocumentDetail,
    known: Known<'r>,
    /// There is a difference that no known one covers.
    open: bool,
}

impl Walk<'_> {
    fn values(&mut self, at: &mut Pointer, old: &Value<'_>, new: &Value<'_>, terms: &Terms) {
        match (old, new) {
            (Value::Object(one), Value::Object(two)) => self.members(at, one, two, terms),
            (Value::List(one), Value::List(two)) => {
                for index in 0..one.len().max(two.len()) {
                    at.within(&index.to_string(), |at| {
                        self.maybe(at, one.get(index), two.get(index), terms);
                    });
                }
            }
            // An empty YAML file is no value.
            (Value::Null, Value::Null) if at.0.is_empty() => {}
            _ => {
                let finding = find(old, new, terms);
                self.detail.values_compared += 1;
                self.closeness = self.closeness.max(finding.closeness);
                self.detail.not_identical += u64::from(finding.closeness > Closeness::Identical);
                self.detail.distance.include(&finding.distance);
                if finding.closeness == Closeness::Different {
                    self.differ(at, Some(old), Some(new));
                }
            }
        }
    }

    fn members<'v>(
        &mut self,
        at: &mut Pointer,
        old: &'v [(std::borrow::Cow<'_, str>, Value<'_>)],
        new: &'v [(std::borrow::Cow<'_, str>, Value<'_>)],
        terms: &Terms,
    ) {
        // Sorted by name: the order of a report does not depend on which side is which.
        let mut names: BTreeMap<&'v str, (Option<&'v Value<'_>>, Option<&'v Value<'_>>)> = BTreeMap::new();
        for (name, value) in old {
            names.entry(name).or_default().0 = Some(value);
        }
        for (name, value) in new {
            names.entry(name).or_default().1 = Some(value);
        }
        for (name, (one, two)) in names {
            at.within(name, |at| {
                let is_named = |other: &str| other == name || leads_to(other, &at.0);
                if self.rule.exclude.iter().any(|other| is_named(other)) {
                    self.leave_out(at);
                    return;
                }
                let own = self.rule.column_tolerance.iter().find(|(other, _)| is_named(other));
                let mut own = own.map(|(_, own)| terms.with(*own));
                if let Some(tells) = self.tells_numbers(at, name) {
                    own = Some(own.as_ref().unwrap_or(terms).telling_numbers(tells));
                }
                if let (Some(Value::Text(one)), Some(Value::Text(two))) = (one, two)
                    && let Some(format) = self.picture(at, name)
                    && one != two
                    && self.pictures(at, (one, two), format)
                {
                    return;
                }
                self.maybe(at, one, two, own.as_ref().unwrap_or(terms));
            });
        }
    }

    /// Whether text from here on tells numbers, where that changes: the outputs of a notebook do, but not pictures.
    fn tells_numbers(&self, at: &Pointer, name: &str) -> Option<bool> {
        match name {
            _ if !self.is_notebook || !at.0.starts_with("/cells/") => None,
            "outputs" => Some(true),
            kind if kind.contains('/') => Some(kind.starts_with("text/") || kind == "image/svg+xml"),
            _ => None,
        }
    }

    /// The format of a picture in the outputs of a notebook.
    fn picture(&self, at: &Pointer, name: &str) -> Option<image::ImageFormat> {
        let is_output = self.is_notebook && !self.rule.bitwise && at.0.contains("/outputs/");
        if is_output { pictures::format_of(name) } else { None }
    }

    /// Compares two pictures that are not the same text. `false`: one cannot be read, which is said, and they must be
    /// compared as text.
    fn pictures(&mut self, at: &Pointer, (old, new): (&str, &str), format: image::ImageFormat) -> bool {
        let size = |(width, height)| Value::Text(format!("a picture of {width} × {height} pixels").into());
        match pictures::compare(old, new, format, self.rule.image) {
            Found::Unread(why) => {
                if self.detail.not_compared.len() < self.rule.sample_max.max(2) {
                    let said = format!("the pixels at `{}`: {why}; compared as text", at.0);
                    self.detail.not_compared.push(said);
                }
                return false;
            }
            Found::Sizes(old, new) => {
                self.detail.values_compared += 1;
                self.differ(at, Some(&size(old)), Some(&size(new)));
            }
            Found::Pixels(closeness, pixels) => {
                self.detail.values_compared += 1;
                self.closeness = self.closeness.max(closeness);
                if closeness == Closeness::Different {
                    let both = size((pixels.width, pixels.height));
                    let kept = self.detail.differences.len();
                    self.differ(at, Some(&both), Some(&both));
                    if let Some(difference) = self.detail.differences.get_mut(kept) {
                        difference.pixels = Some(pixels);
                    }
                }
            }
        }
        true
    }

    fn maybe(&mut self, at: &mut Pointer, old: Option<&Value<'_>>, new: Option<&Value<'_>>, terms: &Terms) {
        match (old, new) {
            (Some(old), Some(new)) => self.values(at, old, new, terms),
            (old, new) => self.differ(at, old, new),
        }
    }

    fn differ(&mut self, at: &Pointer, old: Option<&Value<'_>>, new: Option<&Value<'_>>) {
        self.closeness = Closeness::Different;
        self.detail.differences_total += 1;
        let last = at.0.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        let known = self.known.of_cells(|name| name == at.0 || name == last);
        match covering(&known, &[]) {
            Some(exception) => *self.detail.covered.entry(exception).or_default() += 1,
            None => self.open = true,
        }
        // One is always kept, so that a *no* has a place.
        if self.detail.differences.len() < self.rule.sample_max.max(1) {
            self.detail.differences.push(Difference {
                path: at.0.clone(),
                old: old.map(Value::to_json),
                new: new.map(Value::to_json),
                pixels: None,
            });
        }
    }

    fn leave_out(&mut self, at: &Pointer) {
        if self.detail.not_compared.len() < self.rule.sample_max {
            self.detail.not_compared.push(format!("`{}` is excluded", at.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_one_step_of_a_pointer() {
        for (pointer, place, wanted) in [
            ("/items/*/id", "/items/0/id", true),
            ("/items/*/id", "/items/0/parts/id", false),
            ("/items/*/id", "/items/0", false),
            ("/items/*", "/items/0/id", false),
            ("/*/id", "/a~1b/id", true),
            ("/a", "/a", true),
            ("/a", "/a/b", false),
            ("*", "/a", false),
        ] {
            assert_eq!(leads_to(pointer, place), wanted, "{pointer} {place}");
        }
    }
}
