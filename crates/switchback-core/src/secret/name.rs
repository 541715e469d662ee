//! Names under which secrets stand, and values that only refer to one.

use super::chance::is_example;

/// A value under such a name is a secret, whatever it looks like.
const CERTAIN: &[&str] = &["password", "passwd", "passphrase", "passcode", "pwd", "pass", "pin", "pw"];
/// A value under such a name is a secret when it looks like a value and not like a word.
const LIKELY: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "credential",
    "cookie",
    "dsn",
    "webhook",
    "bearer",
    "authorization",
    "pat",
    "privatekey",
    "secretkey",
    "accesskey",
    "jwt",
    "salt",
    "signature",
];
/// Before `key`, these make a secret of it; `primary key` and `sort key` are none.
const KEYS: &[&str] = &[
    "api",
    "access",
    "private",
    "secret",
    "signing",
    "encryption",
    "client",
    "account",
    "shared",
    "master",
    "auth",
    "ssh",
    "service",
    "session",
    "license",
    "deploy",
    "hmac",
    "aes",
    "rsa",
    "fernet",
    "jwt",
    "app",
    "storage",
    "integration",
];
/// Behind the word that counts, these say nothing: `password_prod`, `token_value`.
const SUFFIXES: &[&str] = &[
    "value",
    "text",
    "prod",
    "production",
    "staging",
    "dev",
    "development",
    "test",
    "primary",
    "secondary",
    "current",
    "old",
    "new",
    "default",
    "base64",
    "b64",
    "hex",
    "encoded",
    "raw",
    "plain",
    "hash",
];
/// Under a key of this name, what is text is a secret, unless it says who or where.
const PARENTS: &[&str] =
    &["secrets", "credentials", "passwords", "tokens", "apikeys", "credential", "secret"];
const WHO_OR_WHERE: &[&str] = &[
    "user",
    "username",
    "name",
    "id",
    "host",
    "hostname",
    "url",
    "uri",
    "path",
    "file",
    "type",
    "kind",
    "env",
    "variable",
    "provider",
    "backend",
    "region",
    "scope",
    "scopes",
    "issuer",
    "audience",
    "email",
    "login",
    "account",
    "database",
    "port",
    "method",
    "format",
    "description",
    "version",
    "enabled",
    "mode",
    "source",
    "location",
    "store",
    "vault",
    "field",
];
/// Hashes and identifiers are random, and no secrets.
const IDENTITIES: &[&str] = &[
    "id",
    "ids",
    "uuid",
    "guid",
    "hash",
    "sha",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "checksum",
    "digest",
    "fingerprint",
    "integrity",
    "etag",
    "commit",
    "revision",
    "ref",
    "image",
    "arn",
    "url",
    "uri",
    "path",
    "file",
    "query",
    "sql",
    "regex",
    "pattern",
    "public",
];

/// The words of a name, in lower case: `clientSecret`, `client-secret` and `CLIENT_SECRET` have the same.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())
            });
        if !letter.is_alphanumeric() || begins {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|rest| rest.len() > 3 && !rest.ends_with('s')).unwrap_or(word)
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    None,
    Likely,
    Certain,
}

fn strength(name: &str) -> Strength {
    let mut words = words(name);
    while words.len() > 1
        && words.last().is_some_and(|last| {
            SUFFIXES.contains(&last.as_str()) || last.bytes().all(|byte| byte.is_ascii_digit())
        })
    {
        words.pop();
    }
    let Some(last) = words.last().map(|last| singular(last)) else { return Strength::None };
    let before = words.len().checked_sub(2).map(|at| words[at].as_str());
    let ends =
        |known: &[&str]| known.iter().any(|known| last == *known || known.len() > 4 && last.ends_with(known));
    let is_pass = last.ends_with("pass") && !matches!(last, "bypass" | "compass" | "trespass");
    if ends(CERTAIN) || is_pass || before == Some("pass") && last == "phrase" {
        return Strength::Certain;
    }
    let is_key = last == "key" && before.is_some_and(|before| KEYS.contains(&before) || before == "access");
    let is_string = last == "string" && before == Some("connection");
    let is_webhook = last == "url" && before == Some("webhook");
    if ends(LIKELY) || is_key || is_string || is_webhook { Strength::Likely } else { Strength::None }
}

/// Whether a key of a configuration names a secret.
pub fn is_secret_name(name: &str) -> bool {
    strength(name) > Strength::None
}

/// Whether an environment variable of that name holds a secret. Stricter than for keys: a variable cannot be looked at before it is
/// used.
pub fn is_secret_variable(name: &str) -> bool {
    const ENDS: &[&str] =
        &["secret", "token", "password", "passwd", "passphrase", "credential", "webhook", "apikey", "cookie"];
    let words = words(name);
    let is_one = |word: &String| {
        let word = singular(word);
        ENDS.iter().any(|end| word.ends_with(end))
            || matches!(
                word,
                "key" | "dsn" | "auth" | "jwt" | "pat" | "pass" | "pin" | "pw" | "passcode" | "creds"
            )
    };
    let is_directory =
        words.len() == 1 && words[0] == "pwd" || words == ["old", "pwd"] || words == ["oldpwd"];
    words.iter().any(is_one)
        || words.iter().any(|word| word == "pwd") && !is_directory
        || words.windows(2).any(|pair| pair[0] == "database" && pair[1] == "url")
}

/// Whether a value under such a name is a secret whatever it looks like.
pub(super) fn is_certain(name: &str) -> bool {
    strength(name) == Strength::Certain
}

pub(super) fn is_secret_value(name: &str, value: &str) -> bool {
    let is_example = is_example(value.trim());
    let is_none = || is_example || is_setting(value) || is_of_code(name, value);
    match strength(name) {
        Strength::None => false,
        Strength::Certain => !value.trim().is_empty() && !is_none(),
        Strength::Likely => is_value(value) && !is_none(),
    }
}

/// What source code has behind such a name: a type (`credentials: Dict[str, str]`), the name itself (`PASS = "PASS"`), or in a list
/// of packages a version with its build (`asttokens=3.0.0=pyhd8ed1ab_1`).
fn is_of_code(name: &str, value: &str) -> bool {
    const TYPES: &[&str] = &[
        "annotated",
        "callable",
        "classvar",
        "dict",
        "final",
        "frozenset",
        "iterable",
        "iterator",
        "list",
        "literal",
        "mapping",
        "optional",
        "sequence",
        "set",
        "tuple",
        "type",
        "union",
    ];
    let value = value.trim();
    let is_type = value.split_once('[').is_some_and(|(outer, _)| {
        let outer = outer.rsplit('.').next().unwrap_or(outer);
        TYPES.contains(&outer.to_lowercase().as_str())
    });
    let is_pinned = value.split_once('=').is_some_and(|(version, _)| {
        version.contains('.')
            && version
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    is_type || is_pinned || value == name && !value.contains(char::is_lowercase)
}

/// Under a key such as `secrets`, and not saying who or where.
pub(super) fn is_within_secrets(parents: &[&str], name: &str, value: &str) -> bool {
    let is_parent = |parent: &&str| {
        let words = words(parent);
        words.last().is_some_and(|last| PARENTS.contains(&last.as_str()))
    };
    let words = words(name);
    let says_who = words.last().is_some_and(|last| WHO_OR_WHERE.contains(&last.as_str()));
    parents.iter().any(is_parent) && !says_who && !is_setting(value) && is_value(value)
}

pub(super) fn is_identity_name(name: &str) -> bool {
    words(name).iter().any(|word| IDENTITIES.contains(&word.as_str()))
}

/// Words that settings and outcomes have, and no secret.
pub(super) fn is_setting(value: &str) -> bool {
    const SETTINGS: &[&str] = &[
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "none",
        "null",
        "required",
        "optional",
        "disabled",
        "enabled",
        "bearer",
        "basic",
        "header",
        "cookie",
        "jwt",
        "env",
        "environment",
        "vault",
        "file",
        "prompt",
        "keyring",
        "default",
        "auto",
        "redacted",
        "hidden",
        "masked",
        "oauth2",
        "oauth",
        "anonymous",
        "random",
        "generated",
        "external",
        "internal",
        // How tests end: `"test_reset_password": "passed"`.
        "passed",
        "failed",
        "error",
        "skipped",
        "xfailed",
        "xpassed",
    ];
    let value = value.trim().to_lowercase();
    SETTINGS.contains(&value.as_str())
        || value.chars().all(|letter| matches!(letter, '*' | 'x' | '.' | '-' | '?'))
}

/// Eight characters at least, no sentence, and no word of a dictionary: a digit, a sign, or letters of both cases in one word.
pub(super) fn is_value(value: &str) -> bool {
    let value = value.trim();
    if value.chars().count() < 8 || value.contains(char::is_whitespace) {
        return false;
    }
    let has = |wanted: fn(char) -> bool| value.chars().any(wanted);
    let is_words =
        value.chars().all(|letter| letter.is_lowercase() || matches!(letter, '_' | '-' | '.' | '/'));
    !is_words
        && (has(|letter| letter.is_ascii_digit())
            || has(char::is_lowercase) && has(char::is_uppercase)
            || has(|letter| "!@#%&+=$".contains(letter)))
}

/// Whether a value only says where the secret is: a placeholder, the name of a variable, a path, an address in a vault. What a
/// placeholder falls back to is a value.
pub(super) fn is_reference(value: &str) -> bool {
    let value = value.trim();
    let within = |begin: &str, end: &str| value.strip_prefix(begin).and_then(|rest| rest.strip_suffix(end));
    let is_named = |name: &str| {
        !name.is_empty()
            && name.chars().all(|letter| letter.is_alphanumeric() || "_.:- ?!,'".contains(letter))
    };
    // A message says why it is missing; a default is what it is without the variable.
    let is_filled = within("${", "}").is_some_and(|inner| {
        let (name, message) = inner.split_once('?').unwrap_or((inner, ""));
        is_named(name.trim_end_matches(':'))
            && !name.contains(":-")
            && !name.contains('-')
            && !name.strip_prefix("env:").unwrap_or(name).trim_end_matches(':').contains(':')
            && !message.contains('$')
    });
    let is_template = [("{{", "}}"), ("<", ">"), ("%(", ")s"), ("{", "}"), ("[", "]")]
        .iter()
        .any(|(begin, end)| within(begin, end).is_some_and(is_named));
    let is_command = within("$(", ")").is_some();
    let is_address =
        ["vault:", "arn:", "op://", "secretsmanager:", "projects/", "ssm:", "keyring:", "env:", "file:"]
            .iter()
            .any(|scheme| value.starts_with(scheme));
    is_filled || is_template || is_command || is_address || is_variable_name(value) || is_path(value)
}

/// `SLACK_WEBHOOK_TOKEN`.
fn is_variable_name(value: &str) -> bool {
    let parts: Vec<&str> = value.split('_').collect();
    let is_part = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    value.starts_with(|letter: char| letter.is_ascii_uppercase())
        && parts.len() > 1
        && parts.iter().all(is_part)
        && parts.iter().all(|part| part.len() <= 20)
        && parts.iter().filter(|part| part.bytes().all(|byte| byte.is_ascii_uppercase())).count() * 2
            > parts.len()
}

/// `/run/secrets/db`, `./keys/deploy.pem`, `~/.ssh/id_ed25519`: parts that are names.
fn is_path(value: &str) -> bool {
    let begins = value.starts_with('/')
        || value.starts_with("./")
        || value.starts_with("../")
        || value.starts_with("~/");
    begins
        && value.split('/').all(|part| {
            part.len() <= 40
                && part.chars().all(|letter| letter.is_alphanumeric() || "._-~ ".contains(letter))
        })
        && !super::chance::is_random(&value.replace('/', ""))
}
