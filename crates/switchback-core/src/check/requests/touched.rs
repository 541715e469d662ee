//! Which of the routes that the old code defines no request asks for.

use std::collections::BTreeSet;

use crate::code::RouteFound;

/// A route as a person names it: `GET /items/{id}`.
pub(super) fn named(route: &RouteFound) -> String {
    format!("{} {}", route.method, route.path)
}

/// The routes that can be asked for: not those that the framework adds by itself, nor those of something outside of the tree. A
/// document that describes a service counts only where there is no code: it tells of the same routes once more.
pub(super) fn askable(routes: Vec<RouteFound>) -> Vec<RouteFound> {
    let has_code = routes.iter().any(|route| route.is_code);
    let mut seen = BTreeSet::new();
    let mut kept = routes;
    kept.retain(|route| {
        let counts = !route.is_implied && !route.is_outside && (route.is_code || !has_code);
        counts && seen.insert((route.method.clone(), key(route).to_owned()))
    });
    kept
}

/// The routes that none of the requests asks for, each of which is a method and a path without its query.
pub(super) fn untouched<'r>(routes: &'r [RouteFound], asked: &[(&str, &str)]) -> Vec<&'r RouteFound> {
    let mut touched = BTreeSet::new();
    for (method, path) in asked {
        let answers = |route: &RouteFound| route.method == "*" || route.method == *method;
        let fitting = routes.iter().enumerate().filter(|(_, route)| answers(route));
        let fitting: Vec<(usize, usize)> = fitting
            .filter_map(|(at, route)| {
                let template = route.normal.as_ref()?;
                fits(&parts(template), path).then(|| (at, literal_letters(template)))
            })
            .collect();
        // `/items/new` asks for the route of that name, and not for `/items/{id}`, which would fit as well.
        let most = fitting.iter().map(|(_, letters)| *letters).max();
        touched.extend(fitting.iter().filter(|(_, letters)| Some(*letters) == most).map(|(at, _)| *at));
    }
    routes.iter().enumerate().filter(|(at, _)| !touched.contains(at)).map(|(_, route)| route).collect()
}

fn key(route: &RouteFound) -> &str {
    route.normal.as_deref().unwrap_or(&route.path)
}

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'t> {
    Literal(&'t str),
    /// At least one letter, and no slash.
    Within,
    /// Anything, with slashes or without.
    Anything,
}

fn parts(template: &str) -> Vec<Part<'_>> {
    let (template, is_open) = match template.strip_suffix("**") {
        Some(rest) => (rest, true),
        None => (template, false),
    };
    let (mut parts, mut rest) = (Vec::new(), template);
    while let Some((before, inner, behind)) = parameter(rest) {
        parts.push(Part::Literal(before));
        // Whatever is not known to stop at a slash may hold one.
        parts.push(if inner.contains(':') { Part::Anything } else { Part::Within });
        rest = behind;
    }
    parts.push(Part::Literal(rest));
    if is_open {
        parts.push(Part::Anything);
    }
    parts
}

/// The first parameter of a template: what is before it, what is in its braces, what is behind.
fn parameter(template: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = template.split_once('{')?;
    let (inner, behind) = after.split_once('}')?;
    Some((before, inner, behind))
}

fn literal_letters(template: &str) -> usize {
    let literal = |part: Part<'_>| if let Part::Literal(text) = part { text.len() } else { 0 };
    parts(template).into_iter().map(literal).sum()
}

fn fits(parts: &[Part<'_>], path: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else { return path.is_empty() };
    let is_end_of =
        |end: usize| path.is_char_boundary(end) && fits(rest, path.get(end..).unwrap_or_default());
    match first {
        Part::Literal(text) => path.strip_prefix(text).is_some_and(|path| fits(rest, path)),
        Part::Within => (1..=path.find('/').unwrap_or(path.len())).any(is_end_of),
        Part::Anything => (0..=path.len()).any(is_end_of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> RouteFound {
        let (method, path) = (method.to_owned(), path.to_owned());
        RouteFound { method, normal: Some(path.clone()), path, is_code: true, ..RouteFound::default() }
    }

    #[test]
    fn a_template_fits_the_paths_that_it_answers_and_no_others() {
        for (template, path, wanted) in [
            ("/", "/", true),
            ("/", "", false),
            ("/items", "/items", true),
            ("/items", "/items/", false),
            ("/items", "/itemsx", false),
            ("/items/{id}", "/items/7", true),
            ("/items/{id}", "/items/", false),
            ("/items/{id}", "/items/7/parts", false),
            ("/items/{id}/parts/{part}", "/items/7/parts/a-b", true),
            ("/items/{id}/parts/{part}", "/items/7/parts", false),
            ("/files/{name}.json", "/files/a.b.json", true),
            ("/files/{name}.json", "/files/.json", false),
            ("/files/{path:path}", "/files/a/b/c", true),
            ("/files/{path:path}/raw", "/files/a/b/raw", true),
            ("/files/{path:path}/raw", "/files/a/b/rawx", false),
            ("/{code:mine}", "/a/b", true),
            ("/static/**", "/static/x/y.css", true),
            ("/static/**", "/statics", false),
            ("/{a}-{b}", "/x-y-z", true),
            ("/größe/{n}", "/größe/ä", true),
            ("/open{brace", "/open{brace", true),
        ] {
            assert_eq!(fits(&parts(template), path), wanted, "{template} {path}");
        }
    }

    #[test]
    fn a_request_touches_the_route_that_says_most_of_its_path() {
        let routes = [
            route("GET", "/items"),
            route("GET", "/items/{id}"),
            route("GET", "/items/new"),
            route("DELETE", "/items/{id}"),
            route("*", "/any/{x}"),
            route("WEBSOCKET", "/live"),
        ];
        let left =
            |asked: &[(&str, &str)]| untouched(&routes, asked).into_iter().map(named).collect::<Vec<_>>();
        assert_eq!(left(&[]).len(), 6);
        assert_eq!(
            left(&[("GET", "/items/new"), ("GET", "/items"), ("POST", "/any/1")]),
            ["GET /items/{id}", "DELETE /items/{id}", "WEBSOCKET /live"]
        );
        assert_eq!(left(&[("GET", "/items/7")]).len(), 5);
        assert_eq!(left(&[("POST", "/items"), ("GET", "/live")]).len(), 6);
    }

    #[test]
    fn what_is_not_asked_for_is_left_out_and_nothing_counts_twice() {
        let implied = RouteFound { is_implied: true, ..route("GET", "/docs") };
        let outside = RouteFound { is_outside: true, ..route("*", "/admin/**") };
        let described = RouteFound { is_code: false, ..route("GET", "/api/items") };
        let all = vec![implied, outside, described.clone(), route("GET", "/items"), route("GET", "/items")];
        assert_eq!(askable(all).iter().map(named).collect::<Vec<_>>(), ["GET /items"]);
        assert_eq!(askable(vec![described]).len(), 1);
        // A pattern that cannot be held against a path is never touched.
        let pattern = RouteFound { normal: None, ..route("GET", "^a|b$") };
        assert_eq!(untouched(&[pattern], &[("GET", "/a")]).len(), 1);
    }
}
