//! jq programs: compiled once, run on one value, and held to one result.
//!
//! What a program would take from elsewhere than its document is not there: the environment, the clock, the local time
//! zone, other files. So it makes the same of the same document each time. Messages of a failure are told without the
//! document's values.
//!
//! The interpreter, and whatever drops or prints a value, goes down into what is nested. So a program runs on a stack of its own,
//! which is large, and what it yields is looked at without going down before anybody else gets hold of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::Val;

use crate::value::DEPTH_MAX;

/// What reaches out of a document, or ends the process.
const LEFT_OUT: &[&str] = &[
    "debug",
    "debug_empty",
    "env",
    "halt",
    "halt_error",
    "localtime",
    "now",
    "stderr",
    "stderr_empty",
    "strflocaltime",
];
/// The stack that a program runs on. Only what is used of it takes memory.
const STACK_BYTES: usize = 1 << 30;
/// More values than that are no document that would be read again: parts that are shared count each time that they are met.
const VALUES_MAX: usize = 32 << 20;
/// A longer message of a program is not shown, in characters.
const MESSAGE_MAX: usize = 200;

/// A program that can be run.
pub(crate) struct Program {
    name: String,
    code: String,
    filter: Filter<JustLut<Val>>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Program").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A program that cannot be run, or did not give one value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProgramError {
    #[error("{name}, line {line}, column {column}: {message}")]
    Syntax { name: String, line: usize, column: usize, message: String },
    #[error("{name} failed: {message}")]
    Failed { name: String, message: String },
    #[error("{name} yields no result, and has to yield one")]
    None { name: String },
    #[error("{name} yields several results, and has to yield one")]
    Several { name: String },
    #[error("{name} yields what nests deeper than {DEPTH_MAX} levels, and no document may")]
    Deep { name: String },
    #[error("{name} yields more than {VALUES_MAX} values, and no document has so many")]
    Large { name: String },
}

impl Program {
    /// Compiles a program; `name` is what it is called in messages.
    pub(crate) fn compile(name: &str, code: &str) -> Result<Self, ProgramError> {
        let is_kept = |name: &str| !LEFT_OUT.contains(&name);
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let loader = Loader::new(defs.filter(|def| is_kept(def.name)));
        let refused = |part: &str, message: String| {
            // What is not of this text is of the library's own: that would be no fault of the program.
            let place = (part.as_ptr() as usize).saturating_sub(code.as_ptr() as usize);
            let before = code.get(..place).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            ProgramError::Syntax { name: name.to_owned(), line, column, message }
        };
        let modules = loader.load(&arena, File { code, path: () }).map_err(|errors| {
            use jaq_core::load::Error;
            let found = errors.into_iter().find_map(|(_, error)| match error {
                Error::Io(all) => {
                    all.into_iter().next().map(|(part, _)| refused(part, "a program is one file".to_owned()))
                }
                Error::Lex(all) => all
                    .into_iter()
                    .next()
                    .map(|(wanted, part)| refused(part, format!("expected {}", wanted.as_str()))),
                Error::Parse(all) => all
                    .into_iter()
                    .next()
                    .map(|(wanted, part)| refused(part, format!("expected {}", wanted.as_str()))),
            });
            found.unwrap_or_else(|| refused(code, "it is no jq program".to_owned()))
        })?;
        let compiler = Compiler::default().with_funs(funs.filter(|fun| is_kept(fun.0)));
        let filter = compiler.compile(modules).map_err(|errors| {
            let found = errors.into_iter().flat_map(|(_, errors)| errors).next();
            match found {
                Some((part, undefined)) => {
                    let why = if is_kept(part) { "" } else { ", because it is about more than the document" };
                    refused(part, format!("there is no {} `{part}`{why}", undefined.as_str()))
                }
                None => refused(code, "it is no jq program".to_owned()),
            }
        })?;
        Ok(Self { name: name.to_owned(), code: code.to_owned(), filter })
    }

    /// The one result of the program on `input`.
    pub(crate) fn run(&self, input: &Val) -> Result<Val, ProgramError> {
        let failed = |message: String| ProgramError::Failed { name: self.name.clone(), message };
        // A defect of the library is a failure of this program on this document, and nothing more.
        catch_unwind(AssertUnwindSafe(|| stacker::grow(STACK_BYTES, || self.run_here(input))))
            .unwrap_or_else(|_| Err(failed("the interpreter broke off".to_owned())))
    }

    /// Runs on the stack that there is; what is nested too deeply for others is dropped here.
    fn run_here(&self, input: &Val) -> Result<Val, ProgramError> {
        let name = || self.name.clone();
        let context = Ctx::<JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        let mut outputs = self.filter.id.run((context, input.clone())).map(unwrap_valr);
        let mut next = || {
            outputs.next().transpose().map_err(|error| {
                let message = told(&error.to_string(), &self.code);
                ProgramError::Failed { name: name(), message }
            })
        };
        match (next()?, next()?) {
            (Some(one), None) => self.bounded(one),
            (None, _) => Err(ProgramError::None { name: name() }),
            (Some(_), Some(_)) => Err(ProgramError::Several { name: name() }),
        }
    }

    /// A result that may be walked, printed and dropped by whoever gets it.
    fn bounded(&self, result: Val) -> Result<Val, ProgramError> {
        let name = || self.name.clone();
        let (mut open, mut values) = (vec![(&result, 0_usize)], 0_usize);
        while let Some((value, depth)) = open.pop() {
            values += 1;
            if depth > DEPTH_MAX {
                return Err(ProgramError::Deep { name: name() });
            }
            if values > VALUES_MAX {
                return Err(ProgramError::Large { name: name() });
            }
            match value {
                Val::Arr(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
                Val::Obj(members) => {
                    open.extend(
                        members.iter().flat_map(|(key, member)| [(key, depth + 1), (member, depth + 1)]),
                    );
                }
                _ => {}
            }
        }
        Ok(result)
    }
}

/// A message without the values of the document, nor parts of them: what the program says in its own text, else what the
/// interpreter begins its messages with.
fn told(message: &str, code: &str) -> String {
    if message.chars().count() <= MESSAGE_MAX && !message.trim().is_empty() && code.contains(message.trim()) {
        return message.trim().to_owned();
    }
    let words: Vec<&str> = message.split_whitespace().take(2).collect();
    match words[..] {
        ["cannot", what] if what.bytes().all(|byte| byte.is_ascii_lowercase()) => {
            format!("it cannot {what} what is there; values are not shown")
        }
        _ => "it broke off; its message may hold values, and is not shown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;
    use crate::text::Layout;

    fn run(code: &str, input: &str) -> Result<String, String> {
        let program = Program::compile("the program", code).map_err(|error| error.to_string())?;
        let output =
            program.run(&text::read(input.as_bytes()).unwrap()).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(Layout::of(b"[1,2,{\"a\":1}]").write(&output)).unwrap())
    }

    #[test]
    fn a_program_changes_what_it_names_and_keeps_order_and_digits() {
        let input = r#"{"b": 9007199254740993, "a": 0.12345678901234567890, "old": [1, 2]}"#;
        assert_eq!(
            run("{version: 2, new: .old} + del(.old)", input).unwrap(),
            r#"{"version":2,"new":[1,2],"b":9007199254740993,"a":0.12345678901234567890}"#
        );
        assert_eq!(run(".b + 1", input).unwrap(), "9007199254740994");
        assert_eq!(run("def f: .old | map(. * 2) | add; f", input).unwrap(), "6");
        assert_eq!(run("\"2025-01-02T03:04:05Z\" | fromdate", input).unwrap(), "1735787045");
    }

    #[test]
    fn what_nests_deeply_is_an_error_and_never_the_end_of_the_process() {
        let deep = "the program yields what nests deeper than 127 levels, and no document may";
        for code in [
            "reduce range(100000) as $i (0; [.])",
            "reduce range(100000) as $i (0; {a: .})",
            "reduce range(128) as $i (0; [.])",
        ] {
            assert_eq!(run(code, "{}").unwrap_err(), deep, "{code}");
        }
        // What is nested on the way only, what fails with it, and what yields it twice.
        assert_eq!(run("reduce range(100000) as $i (0; [.]) | length", "{}").unwrap(), "1");
        for (code, wanted) in [
            ("reduce range(100000) as $i (0; [.]) | error", "it broke off"),
            ("reduce range(100000) as $i (0; [.]) | ., .", "several results"),
            ("reduce range(100000) as $i (0; [.]) | .a", "failed"),
            ("reduce range(60) as $i (0; [., .])", "yields more than 33554432 values"),
        ] {
            let error = run(code, "{}").unwrap_err();
            assert!(error.contains(wanted), "{code}: {error}");
        }
        // The innermost value counts as a level, as it does where documents are read.
        assert!(run("reduce range(127) as $i (0; [.])", "{}").is_ok());
    }

    #[test]
    fn none_and_several_results_and_failures_are_told_without_values() {
        assert_eq!(run("empty", "{}").unwrap_err(), "the program yields no result, and has to yield one");
        assert_eq!(
            run(".[]", "[1,2,3]").unwrap_err(),
            "the program yields several results, and has to yield one"
        );
        let secret = r#"{"password": "hunter2", "n": 4711, "list": ["hunter2 and more"]}"#;
        for code in
            [".password + 1", ".list.x", ".password | tonumber", "error(.password)", ".n | keys", ". - 1"]
        {
            let error = run(code, secret).unwrap_err();
            assert!(!error.contains("hunter2") && !error.contains("4711"), "{code}: {error}");
            assert!(error.contains(" failed: "), "{code}: {error}");
        }
        assert_eq!(run("error(\"no years\")", secret).unwrap_err(), "the program failed: \"no years\"");
    }

    #[test]
    fn what_is_no_program_is_told_with_its_place() {
        assert_eq!(
            run(".a |\n  foo(1)", "{}").unwrap_err(),
            "the program, line 2, column 3: there is no filter `foo`"
        );
        let error = run(".a | (", "{}").unwrap_err();
        assert!(error.starts_with("the program, line 1, column "), "{error}");
        assert!(run("include \"a\"; .", "{}").unwrap_err().contains("a program is one file"));
    }

    #[test]
    fn a_program_sees_its_document_alone() {
        for code in
            ["env", "$ENV", "now", "input", "inputs", "halt", "halt_error", "debug", "stderr", "localtime"]
        {
            let error = run(code, "{}").unwrap_err();
            assert!(error.contains("there is no "), "{code}: {error}");
        }
    }
}
