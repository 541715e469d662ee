//! Functions whose signature changed with their move: callers of the old name go on calling them as they did.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use switchback_core::mapping::Call;
use switchback_core::plan::Scalar;

use super::forms;
use super::mapping::Mapping;
use super::shim::read;
use crate::index::{Index, join, leaf_of, parent_of};
use crate::syntax::{Kind, Parameter, ParameterKind, surface};

/// How the old name of a function is called, seen from the new one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signature {
    /// The old name of the function, dotted.
    pub of: String,
    /// The new name, where the rules do not say it.
    #[serde(default)]
    pub by: Option<String>,
    /// The old parameters that could be given by position, in order.
    #[serde(default)]
    pub parameters: Vec<String>,
    /// Old keywords and what they are called now.
    #[serde(default)]
    pub keywords: BTreeMap<String, String>,
    /// Old keywords that mean nothing any more.
    #[serde(default)]
    pub dropped: Vec<String>,
    /// New keywords that old callers do not know, and what they are given.
    #[serde(default)]
    pub added: BTreeMap<String, Literal>,
    /// What old callers get back.
    #[serde(default)]
    pub result: Option<Shape>,
    /// The call of a mapping file that it was made of: what arguments and the result are made of.
    #[serde(skip)]
    pub call: Option<Call>,
}

/// A value that can be written down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Literal {
    /// `true` or `false`.
    Truth(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// Another number, as it is written.
    #[serde(skip)]
    Written(String),
}

/// What old callers get back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Shape {
    /// The same mapping, object, or list of these, with old names for new ones.
    Names(BTreeMap<String, String>),
    /// A tuple of what the new names hold.
    Tuple(Vec<String>),
    /// What one new name holds.
    One(String),
}

/// A signature that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The old module is no shim and does not become one.
    #[error("`{of}` cannot be wrapped: `{module}` is no shim, and `--shims` makes none of it")]
    NoShim {
        /// The function.
        of: String,
        /// Its old module.
        module: String,
    },
    /// The new name is no function of the new tree.
    #[error("`{of}` cannot be wrapped: there is no function `{by}` in the new tree")]
    NoFunction {
        /// The old name.
        of: String,
        /// The new one.
        by: String,
    },
    /// The new function does not take what it would be given.
    #[error("`{of}` cannot be wrapped: `{by}` has no parameter `{parameter}`; change the function first")]
    NoParameter {
        /// The old name.
        of: String,
        /// The new one.
        by: String,
        /// The parameter.
        parameter: String,
    },
}

/// The signatures of one old module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wrapped {
    /// Each with its new name, as module and function.
    pub(super) functions: Vec<(Signature, String, String)>,
}

/// Every signature of the rules by the old module that it belongs to, checked against the new tree.
pub(super) fn by_module(
    old: &Index<'_>,
    new: &Index<'_>,
    mapping: &Mapping,
    signatures: &[Signature],
    shims: &BTreeSet<String>,
) -> Result<BTreeMap<String, Wrapped>, SignatureError> {
    let mut found: BTreeMap<String, Wrapped> = BTreeMap::new();
    for signature in signatures {
        let (module, name) = (parent_of(&signature.of), leaf_of(&signature.of));
        if !shims.contains(module) {
            return Err(SignatureError::NoShim { of: signature.of.clone(), module: module.to_owned() });
        }
        let by = match &signature.by {
            Some(by) => by.clone(),
            None => match mapping.symbol(module, name) {
                Some(by) => by.to_owned(),
                None => join(&standing(old, module).unwrap_or_else(|| mapping.module(module)), name),
            },
        };
        check(new, signature, &by)?;
        let wrapped = found.entry(module.to_owned()).or_default();
        wrapped.functions.push((signature.clone(), parent_of(&by).to_owned(), leaf_of(&by).to_owned()));
    }
    Ok(found)
}

/// The new name of a module whose shim stands already.
pub(super) fn standing(index: &Index<'_>, module: &str) -> Option<String> {
    let file = index.tree.file(index.file_of(module)?)?;
    Some(read(&index.tree.content(file).ok()?)?.new)
}

fn check(new: &Index<'_>, signature: &Signature, by: &str) -> Result<(), SignatureError> {
    let missing = || SignatureError::NoFunction { of: signature.of.clone(), by: by.to_owned() };
    let file = new.file_of(parent_of(by)).and_then(|at| new.tree.file(at)).ok_or_else(missing)?;
    let bytes = new.tree.content(file).map_err(|_| missing())?;
    let parameters: Vec<Vec<Parameter>> = surface(&bytes)
        .into_iter()
        .filter(|member| member.name == leaf_of(by))
        .filter_map(|member| match member.kind {
            Kind::Function { parameters, .. } => Some(parameters),
            _ => None,
        })
        .collect();
    if parameters.is_empty() {
        return Err(missing());
    }
    let taken = signature.call.as_ref().map(forms::taken).unwrap_or_default();
    let old_names = signature.parameters.iter().filter(|name| {
        !signature.dropped.contains(name)
            && !signature.keywords.contains_key(*name)
            && !taken.contains(&name.as_str())
    });
    let made = signature.call.iter().flat_map(|call| call.arguments.iter().map(|(new, _)| new));
    let renamed = signature.keywords.values().chain(signature.added.keys());
    for wanted in renamed.chain(made).chain(old_names) {
        let takes = |parameters: &Vec<Parameter>| {
            parameters.iter().any(|parameter| match parameter.kind {
                ParameterKind::Keywords => true,
                ParameterKind::Either | ParameterKind::KeywordOnly => parameter.name == *wanted,
                ParameterKind::PositionOnly | ParameterKind::Positions => false,
            })
        };
        if !parameters.iter().any(takes) {
            return Err(SignatureError::NoParameter {
                of: signature.of.clone(),
                by: by.to_owned(),
                parameter: wanted.clone(),
            });
        }
    }
    Ok(())
}

impl From<&Call> for Signature {
    fn from(call: &Call) -> Self {
        let added = call.added.iter().map(|(name, value)| (name.clone(), Literal::from(value))).collect();
        Self {
            of: call.of.clone(),
            by: call.by.clone(),
            parameters: call.parameters.clone(),
            keywords: call.keywords.iter().cloned().collect(),
            dropped: call.dropped.clone(),
            added,
            result: None,
            call: Some(call.clone()),
        }
    }
}

impl From<&Scalar> for Literal {
    fn from(value: &Scalar) -> Self {
        match value {
            Scalar::Text(text) => Self::Text(text.clone()),
            Scalar::Truth(truth) => Self::Truth(*truth),
            Scalar::Number(number) => Self::Written(number.trim_start_matches('+').to_owned()),
        }
    }
}

impl Literal {
    /// As Python writes it.
    pub(super) fn python(&self) -> String {
        match self {
            Self::Truth(true) => "True".to_owned(),
            Self::Truth(false) => "False".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Written(number) => number.clone(),
            Self::Text(text) => quoted(text),
        }
    }
}

impl Wrapped {
    /// The old names of the functions, for the first line of the shim.
    pub(super) fn names(&self) -> Vec<&str> {
        self.functions.iter().map(|(signature, _, _)| leaf_of(&signature.of)).collect()
    }

    /// The code that stands for `sys.modules[__name__] = _new` in a shim. `children` are modules right below it that are
    /// not the new ones.
    pub(super) fn code(&self, children: &[String], until: &str) -> String {
        let entries: String = self.functions.iter().map(entry).collect();
        let calls = self.functions.iter().filter_map(|(signature, _, _)| signature.call.as_ref());
        let forms: String = calls.map(forms::functions).collect();
        let modules: BTreeSet<&str> = self.functions.iter().map(|(_, module, _)| module.as_str()).collect();
        let imports = modules.iter().map(|module| format!("import {module}\n")).collect::<Vec<_>>().concat();
        let children =
            children.iter().map(|child| format!("{}, ", quoted(child))).collect::<Vec<_>>().concat();
        format!(
            "import datetime, functools, importlib, inspect, types\n{imports}\n{forms}_SIGNATURES = {{\n{entries}}}\n\
             _CHILDREN = ({children})\n_UNTIL = {}\n{CODE}",
            quoted(until)
        )
    }
}

fn entry((signature, module, function): &(Signature, String, String)) -> String {
    let names = |map: &BTreeMap<String, String>| {
        let pairs: Vec<String> =
            map.iter().map(|(old, new)| format!("{}: {}", quoted(old), quoted(new))).collect();
        format!("{{{}}}", pairs.join(", "))
    };
    let list =
        |all: &[String]| all.iter().map(|one| format!("{}, ", quoted(one))).collect::<Vec<_>>().concat();
    let added: Vec<String> =
        signature.added.iter().map(|(name, value)| format!("{}: {}", quoted(name), value.python())).collect();
    let result = match &signature.result {
        None => "None".to_owned(),
        Some(Shape::Names(map)) => names(map),
        Some(Shape::Tuple(all)) => format!("({})", list(all)),
        Some(Shape::One(name)) => quoted(name),
    };
    let (result, made) = match &signature.call {
        Some(call) => (forms::result_name(call).unwrap_or(result), forms::entry(call)),
        None => (result, String::new()),
    };
    format!(
        "    {}: {{\n        \"new\": ({}, {}),\n        \"parameters\": [{}],\n        \"keywords\": {},\n        \
         \"dropped\": [{}],\n        \"added\": {{{}}},\n        \"result\": {result},\n{made}    }},\n",
        quoted(leaf_of(&signature.of)),
        quoted(module),
        quoted(function),
        list(&signature.parameters).trim_end_matches(", "),
        names(&signature.keywords),
        list(&signature.dropped).trim_end_matches(", "),
        added.join(", "),
    )
}

/// A text as Python writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(letter);
            }
            letter if letter.is_control() => quoted = format!("{quoted}\\U{:08x}", u32::from(letter)),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// The part of a shim that wraps functions. Everything but these is the new module's, and is set there too.
const CODE: &str = r#"_told = set()


class _Renamed:
    """An object whose attributes and items have their old names too."""

    def __init__(self, value, names):
        object.__setattr__(self, "_value", value)
        object.__setattr__(self, "_names", names)

    __class__ = property(lambda self: type(object.__getattribute__(self, "_value")))

    def __getattr__(self, name):
        names = object.__getattribute__(self, "_names")
        return getattr(object.__getattribute__(self, "_value"), names.get(name, name))

    def __setattr__(self, name, value):
        names = object.__getattribute__(self, "_names")
        setattr(object.__getattribute__(self, "_value"), names.get(name, name), value)

    def __getitem__(self, key):
        names = object.__getattribute__(self, "_names")
        return object.__getattribute__(self, "_value")[names.get(key, key)]


def _held(value, name):
    if isinstance(value, dict):
        return value[name] if name in value else value[str(name)]
    return value[name] if isinstance(name, int) else getattr(value, name)


def _difference(later, earlier):
    if isinstance(later, str) and isinstance(earlier, str):
        later, earlier = (datetime.datetime.fromisoformat(one) for one in (later, earlier))
    gap = later - earlier
    return gap.total_seconds() if isinstance(gap, datetime.timedelta) else gap


def _given(function, named, *needed):
    """Whether old parameters were given that something new is made of: all of them, or none."""
    missing = [name for name in needed if name not in named]
    if missing and len(missing) < len(needed):
        raise TypeError(f"{function}() missing argument: {missing[0]!r}")
    return not missing


def _result(value, shape):
    if shape is None or value is None:
        return value
    if callable(shape):
        return shape(value)
    if isinstance(shape, str):
        return _held(value, shape)
    if isinstance(shape, tuple):
        return tuple(_held(value, name) for name in shape)
    if isinstance(value, dict):
        names = {new: old for old, new in shape.items()}
        return {names.get(key, key): held for key, held in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_result(one, shape) for one in value)
    return _Renamed(value, shape)


def _tell_dropped(name, keyword):
    if (name, keyword) not in _told:
        _told.add((name, keyword))
        message = f"{keyword} of {_OLD}.{name} means nothing any more{_UNTIL}"
        warnings.warn(message, DeprecationWarning, stacklevel=4)


def _arguments(name, given, named):
    signature = _SIGNATURES[name]
    parameters = signature["parameters"]
    if parameters:
        if len(given) > len(parameters):
            raise TypeError(f"{name}() takes {len(parameters)} positional arguments but {len(given)} were given")
        for parameter, value in zip(parameters, given):
            if parameter in named:
                raise TypeError(f"{name}() got multiple values for argument {parameter!r}")
            named[parameter] = value
        given = ()
    for keyword, value in signature.get("defaults", {}).items():
        named.setdefault(keyword, value)
    passed = signature["arguments"](named) if "arguments" in signature else {}
    for keyword, value in named.items():
        if keyword in signature["dropped"]:
            _tell_dropped(name, keyword)
            continue
        if keyword in signature.get("taken", ()):
            continue
        new = signature["keywords"].get(keyword, keyword)
        if new in passed:
            raise TypeError(f"{name}() got multiple values for argument {new!r}")
        passed[new] = value
    for keyword, value in signature["added"].items():
        passed.setdefault(keyword, value)
    return given, passed


def _wrapped(name):
    signature = _SIGNATURES[name]
    module, function = signature["new"]

    def found():
        if name not in _told:
            _told.add(name)
            message = f"{_OLD}.{name} is {module}.{function} now, with another signature{_UNTIL}"
            warnings.warn(message, DeprecationWarning, stacklevel=3)
        return getattr(sys.modules[module], function)

    new = getattr(sys.modules[module], function)
    if inspect.iscoroutinefunction(new):

        @functools.wraps(new)
        async def wrapper(*given, **named):
            given, named = _arguments(name, given, named)
            return _result(await found()(*given, **named), signature["result"])

    else:

        @functools.wraps(new)
        def wrapper(*given, **named):
            given, named = _arguments(name, given, named)
            return _result(found()(*given, **named), signature["result"])

    del wrapper.__wrapped__
    return wrapper


class _Old(types.ModuleType):
    """The new module, but for the functions whose signature changed."""

    def __getattribute__(self, name):
        if name in _wrappers:
            return _wrappers[name]
        if name in _CHILDREN:
            return importlib.import_module(f"{_OLD}.{name}")
        if name == "__dict__":
            return {**vars(_new), **_wrappers}
        if name == "__class__":
            return _Old
        return getattr(_new, name)

    def __setattr__(self, name, value):
        if name in _SIGNATURES or name in _CHILDREN:
            _wrappers[name] = value
        else:
            setattr(_new, name, value)

    def __delattr__(self, name):
        if name in _SIGNATURES or name in _CHILDREN:
            _wrappers.pop(name, None)
        else:
            delattr(_new, name)

    def __dir__(self):
        return sorted({*dir(_new), *_wrappers})


_OLD = __name__
_wrappers = {name: _wrapped(name) for name in _SIGNATURES}
sys.modules[__name__] = _Old(__name__)
"#;
