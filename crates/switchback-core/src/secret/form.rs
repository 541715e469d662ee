//! Forms that only secrets have: what issuers print before or around them, so that they can be found.
//!
//! Prefixes are those that the issuers document, e.g. GitHub (<https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github>),
//! AWS (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>), Slack (<https://api.slack.com/authentication/token-types>).

use std::sync::{LazyLock, OnceLock};

use regex::Regex;

use super::chance::is_example;

/// The name of a form; what a text has in it, in lower case, that could have the form; and what it looks like. What is to be blanked is
/// the group `secret`, or the whole.
const FORMS: &[(&str, &[&str], &str)] = &[
    (
        "a private key",
        &["private key"],
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|\z)",
    ),
    (
        "an address with a password",
        &["://"],
        r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@"'<>]*:(?P<secret>[^\s/?#"'<>$][^\s/?#"'<>]*|\$\{[A-Za-z0-9_]+:?-[^}\s]+\})@[^\s/@"'<>]"#,
    ),
    ("an access key of AWS", &["akia", "asia"], r"\b(AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("a token of GitHub", &["gh"], r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})\b"),
    ("a token of GitLab", &["gl"], r"\bgl(pat|ptt|dt|rt|cbt|soat)-[A-Za-z0-9_-]{20,}"),
    (
        "a token of Slack",
        &["xox", "xapp-"],
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[0-9]-[A-Za-z0-9-]{10,}",
    ),
    (
        "a webhook of Slack",
        &["hooks.slack"],
        r"hooks\.slack\.com/(services|workflows|triggers)/(?P<secret>[A-Za-z0-9_]+/[A-Za-z0-9_]+/[A-Za-z0-9_/]+)",
    ),
    (
        "a webhook of Discord",
        &["api/webhooks"],
        r"discord(app)?\.com/api/webhooks/(?P<secret>[0-9]{15,}/[A-Za-z0-9_-]{40,})",
    ),
    (
        "a key of Stripe",
        &["k_live_", "k_test_", "whsec_"],
        r"\b[rs]k_(live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9+/=]{16,}",
    ),
    (
        "a key of Google",
        &["aiza", "gocspx-", "ya29."],
        r"\bAIza[A-Za-z0-9_-]{35}|\bGOCSPX-[A-Za-z0-9_-]{20,}|\bya29\.[A-Za-z0-9_-]{20,}",
    ),
    ("a token of npm", &["npm_"], r"\bnpm_[A-Za-z0-9]{36}"),
    ("a token of PyPI", &["pypi-"], r"\bpypi-[A-Za-z0-9_-]{50,}"),
    ("a key of SendGrid", &["sg."], r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("a key of OpenAI or Anthropic", &["sk-"], r"\bsk-(proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,}"),
    ("a token of Hugging Face", &["hf_"], r"\bhf_[A-Za-z0-9]{30,}"),
    ("a token of DigitalOcean", &["_v1_"], r"\bdo[opr]_v1_[a-f0-9]{64}"),
    ("a token of Databricks", &["dapi"], r"\bdapi[a-f0-9]{32}\b"),
    ("a key of Age", &["age-secret"], r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    ("a token of HashiCorp Vault", &["hvs.", "hvb.", "hvr."], r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}"),
    (
        "a key of an Azure account",
        &["accountkey", "sharedaccess"],
        r"(?i)\b(AccountKey|SharedAccessKey|SharedAccessSignature)=(?P<secret>[A-Za-z0-9+/=%&-]{20,})",
    ),
    ("a signature of Azure", &["sig="], r"[?&]sig=(?P<secret>[A-Za-z0-9%+/=]{20,})"),
    ("a JSON web token", &["eyj"], r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    (
        "a header of authorization",
        &["bearer", "basic"],
        r"(?i)\b(bearer|basic)\s+(?P<secret>[A-Za-z0-9+/_.~-]*[0-9][A-Za-z0-9+/_.~-]{7,}=*|[A-Za-z0-9+/_.~-]{16,}=*)",
    ),
    (
        "a key without its frame",
        &["mii", "mig", "mhccaqee", "mc4caqaw", "b3blbnnzac1rzxktdje"],
        // What keys begin with: a sequence of ASN.1, and the magic word of OpenSSH. Whole lines, and what is left for the last one.
        r"\b(MI[IG][A-Za-z0-9+/]|MHcCAQEE|MC4CAQAw|b3BlbnNzaC1rZXktdjE)[A-Za-z0-9+/]{28,}={0,2}((\r?\n|\\n)[ \t]*[A-Za-z0-9+/]{40,76}={0,2})*((\r?\n|\\n)[ \t]*[A-Za-z0-9+/]{1,75}={0,2}(\b|$))?",
    ),
    (
        "a password of MySQL's programs",
        &["mysql", "mariadb"],
        r#"\b(mysql|mariadb)[a-z_-]*\b[^\n|;&]*?\s-p(?P<secret>'[^'\n]+'|"[^"\n$][^"\n]*"|[^\s'"|;&$][^\s'"|;&]*)"#,
    ),
    (
        "a password of a command",
        &["sshpass", "login", "mongo", "twine", "7z"],
        r#"\b(sshpass|(docker|podman|az|helm registry|oc|npm) login|mongo[a-z]*|twine upload|7z[a-z]?)\b[^\n|;&]*?\s-p\s*(?P<secret>'[^'\n]+'|"[^"\n$][^"\n]*"|[^\s'"|;&$-][^\s'"|;&]*)"#,
    ),
    (
        "a password of a command",
        &["sqlcmd", "bcp", "mosquitto", "redis-cli", "ldap"],
        r#"\b((sqlcmd|bcp|mosquitto_[a-z]+)\b[^\n|;&]*?\s-P|redis-cli\b[^\n|;&]*?\s-a|ldap[a-z]+\b[^\n|;&]*?\s-w)\s*(?P<secret>'[^'\n]+'|"[^"\n$][^"\n]*"|[^\s'"|;&$-][^\s'"|;&]*)"#,
    ),
    (
        "a user with a password",
        &["curl", "wget", "http"],
        r#"\b(curl|wget|lftp|https?)\s([^\n|;]*?\s)?(-[A-Za-z]{0,3}u\s*|-a\s+|(--user|--proxy-user|--auth)[=\s]\s*)['"]?[^\s:'"$]+:(?P<secret>[^\s'"$][^\s'"]*)"#,
    ),
    (
        "a user with a password",
        &["smbclient"],
        r#"\bsmbclient\b[^\n|;]*?\s-U\s*['"]?[^\s%'"]+%(?P<secret>[^\s'"$]+)"#,
    ),
    (
        "a user with a password",
        &["sqlplus"],
        r#"\bsqlplus\b[^\n|;]*?\s['"]?[A-Za-z][A-Za-z0-9_]*/(?P<secret>[^\s'"@/$][^\s'"@]*)@"#,
    ),
    ("a password of OpenSSL", &["pass:"], r#"\s-pass(in|out)?\s+['"]?pass:(?P<secret>[^\s'"$]+)"#),
    (
        "a password of a connection",
        &["password=", "pwd="],
        r#"(?i)\b(password|pwd)=(?P<secret>[^\s;"'&]{3,})"#,
    ),
];

/// Compiled when a text could have them: a command that says a few words compiles none.
static COMPILED: LazyLock<Vec<OnceLock<Option<Regex>>>> =
    LazyLock::new(|| FORMS.iter().map(|_| OnceLock::new()).collect());

fn possible(lower: &str) -> impl Iterator<Item = (&'static str, &'static Regex)> {
    FORMS.iter().zip(COMPILED.iter()).filter_map(move |((name, hints, form), compiled)| {
        if !hints.iter().any(|hint| lower.contains(hint)) {
            return None;
        }
        // A form that cannot be compiled is found by the test of this module.
        compiled.get_or_init(|| Regex::new(form).ok()).as_ref().map(|form| (*name, form))
    })
}

/// The form of a secret in a text.
pub(super) fn find(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    possible(&lower).find(|(_, form)| form.is_match(text)).map(|(name, _)| name)
}

/// The text with every secret of a known form blanked; `lower` is the text in lower case.
pub(super) fn blank(text: &str, lower: &str) -> String {
    let mut text = text.to_owned();
    for (_, form) in possible(lower) {
        if !form.is_match(&text) {
            continue;
        }
        text = form
            .replace_all(&text, |found: &regex::Captures<'_>| {
                let whole = &found[0];
                // The ids of example keys end without the last word.
                if whole.ends_with("EXAMPLE") || is_example(whole) {
                    return whole.to_owned();
                }
                match (found.name("secret"), found.get(0)) {
                    (Some(secret), _) if is_blanked(secret.as_str()) => whole.to_owned(),
                    (Some(secret), Some(all)) => {
                        let (from, to) = (secret.start() - all.start(), secret.end() - all.start());
                        format!("{}{}{}", &whole[..from], super::MASK, &whole[to..])
                    }
                    _ => super::MASK.to_owned(),
                }
            })
            .into_owned();
    }
    text
}

/// What stands where a secret was: `[password]`, `[DB_PASSWORD]`.
fn is_blanked(secret: &str) -> bool {
    let inner = secret.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|name| {
        let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        name == "password" || name.bytes().all(is_name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_compiles() {
        for (name, _, form) in FORMS {
            assert!(Regex::new(form).is_ok(), "{name}");
        }
    }
}
