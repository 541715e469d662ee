//! Whether the code of a module warns that something is deprecated: told from calls, not from words.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_python_parser::{Mode, ParseOptions};

use super::names::last;
use super::{depth, encoding};

/// The end of the names of the classes that say so: Python's own, and what others derive from it.
const CLASS: &str = "DeprecationWarning";
/// What warns.
const WARN: &[&str] = &["warn", "warn_explicit"];
/// The decorator that warns whoever uses what stands under it (PEP 702); its class is [`CLASS`] where it names no other.
const DECORATOR: &str = "deprecated";

/// Whether a module gives a warning of deprecation: it calls `warn` with the class, raises it, or decorates with `deprecated`. Nothing
/// when the module does not parse. Whether the place is ever reached is not known.
pub fn warns_of_deprecation(bytes: &[u8]) -> Option<bool> {
    let source = encoding::read(bytes).text;
    depth::walk(&source, ParseOptions::from(Mode::Module), |parsed| {
        let ast::Mod::Module(module) = parsed.syntax() else { return None };
        if !parsed.errors().is_empty() {
            return None;
        }
        let mut names = Names::default();
        names.visit_body(&module.body);
        let mut look = Look { names, is_found: false };
        look.visit_body(&module.body);
        Some(look.is_found)
    })
    .flatten()
}

/// Other names for the same things.
#[derive(Default)]
struct Names {
    classes: Vec<String>,
    functions: Vec<String>,
}

impl Names {
    /// Whether an expression is the class, or one of its kind.
    fn is_class(&self, expression: &Expr) -> bool {
        let expression = match expression {
            Expr::Call(call) => call.func.as_ref(),
            other => other,
        };
        last(expression)
            .is_some_and(|name| name.ends_with(CLASS) || self.classes.iter().any(|one| one == name))
    }

    fn is_warn(&self, expression: &Expr) -> bool {
        last(expression)
            .is_some_and(|name| WARN.contains(&name) || self.functions.iter().any(|one| one == name))
    }
}

impl<'a> Visitor<'a> for Names {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Assign(assign) => {
                let targets: Vec<String> =
                    assign.targets.iter().filter_map(last).map(str::to_owned).collect();
                if self.is_class(&assign.value) {
                    self.classes.extend(targets);
                } else if self.is_warn(&assign.value) {
                    self.functions.extend(targets);
                }
            }
            Stmt::ClassDef(class) if class.bases().iter().any(|base| self.is_class(base)) => {
                self.classes.push(class.name.as_str().to_owned());
            }
            Stmt::ImportFrom(import) => {
                for name in &import.names {
                    let Some(own) = &name.asname else { continue };
                    if name.name.as_str().ends_with(CLASS) {
                        self.classes.push(own.as_str().to_owned());
                    } else if WARN.contains(&name.name.as_str()) {
                        self.functions.push(own.as_str().to_owned());
                    }
                }
            }
            _ => {}
        }
        visitor::walk_stmt(self, statement);
    }
}

struct Look {
    names: Names,
    is_found: bool,
}

impl<'a> Visitor<'a> for Look {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::Raise(raised) = statement
            && raised.exc.as_deref().is_some_and(|raised| self.names.is_class(raised))
        {
            self.is_found = true;
        }
        visitor::walk_stmt(self, statement);
    }

    fn visit_decorator(&mut self, decorator: &'a ast::Decorator) {
        let (name, category) = match &decorator.expression {
            Expr::Call(call) => (last(&call.func), call.arguments.find_keyword("category")),
            other => (last(other), None),
        };
        if name == Some(DECORATOR) && category.is_none_or(|given| self.names.is_class(&given.value)) {
            self.is_found = true;
        }
        visitor::walk_decorator(self, decorator);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Call(call) = expression
            && self.names.is_warn(&call.func)
        {
            let given =
                call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|one| &one.value));
            self.is_found |= given.into_iter().any(|given| self.names.is_class(given));
        }
        visitor::walk_expr(self, expression);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_warns_and_a_word_does_not() {
        for warns in [
            "import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\n",
            "import warnings\nwarnings.warn('old',\n    category=DeprecationWarning,\n)\n",
            "from warnings import warn as tell\ndef __getattr__(name):\n    tell(DeprecationWarning('old'))\n",
            "import warnings as w\nclass Gone(DeprecationWarning): ...\nw.warn('old', Gone)\n",
            "KIND = PendingDeprecationWarning\nwarnings.warn_explicit('old', KIND, 'a.py', 1)\n",
            "from typing_extensions import deprecated\n@deprecated('old')\ndef add(): ...\n",
            "raise DeprecationWarning\n",
        ] {
            assert_eq!(warns_of_deprecation(warns.as_bytes()), Some(true), "{warns}");
        }
        for silent in [
            "",
            "# warnings.warn('old', DeprecationWarning)\n",
            "'''DeprecationWarning: gives one.\n'''\n",
            "TEXT = \"warnings.warn('old', DeprecationWarning)\"\n",
            "import warnings\nwarnings.filterwarnings('ignore', category=DeprecationWarning)\n",
            "import warnings\nwarnings.simplefilter('ignore', DeprecationWarning)\n",
            "import warnings\nwarnings.warn('old')\n",
            "try:\n    import other\nexcept DeprecationWarning:\n    pass\n",
            "@deprecated('old', category=None)\ndef add(): ...\n",
        ] {
            assert_eq!(warns_of_deprecation(silent.as_bytes()), Some(false), "{silent}");
        }
        assert_eq!(warns_of_deprecation(b"def add(:\n"), None);
    }
}
