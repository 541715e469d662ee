//! Mail: a [`Mail`] of the core → a message (RFC 5322) → a server of SMTP (RFC 5321), with TLS where its address says so.

use std::time::Duration;

use lettre::address::AddressError;
use lettre::message::{Mailbox, header};
use lettre::transport::smtp;
use lettre::{Message, SmtpTransport, Transport};
use switchback_core::notify::{Mail, MailFailure, Mailer, Refusal};

/// How long one answer of a server may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends mail through a server of SMTP.
#[derive(Debug, Clone, Copy, Default)]
pub struct Smtp;

impl Mailer for Smtp {
    fn send(&self, server: &str, mail: &Mail) -> Result<(), MailFailure> {
        let message = message(mail).map_err(MailFailure::of_us)?;
        let transport = transport(server).map_err(MailFailure::of_us)?;
        // What fails before anything was sent cannot have arrived.
        match transport.test_connection() {
            Ok(true) => {}
            Ok(false) => return Err(failure("the server answers, and takes no commands".to_owned(), false)),
            Err(error) => return Err(refused(&error, false)),
        }
        transport.send(&message).map(drop).map_err(|error| refused(&error, true))
    }
}

fn failure(why: String, may_have_arrived: bool) -> MailFailure {
    MailFailure { why, refusal: Refusal::Passing, may_have_arrived }
}

/// What a server that says no means by it.
fn refused(error: &smtp::Error, was_sent: bool) -> MailFailure {
    let mut why = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let next_why = next.to_string();
        if !why.contains(&next_why) {
            why = format!("{why}: {next_why}");
        }
        cause = next.source();
    }
    // An answer says that it was not taken; without one nobody knows.
    let has_answer = error.status().is_some();
    let refusal = match error.status() {
        _ if !error.is_permanent() => Refusal::Passing,
        Some(code) if was_sent && is_of_message(&code.to_string(), &why) => Refusal::OfMessage,
        _ => Refusal::OfReceiver,
    };
    MailFailure { why, refusal, may_have_arrived: was_sent && !has_answer }
}

/// Whether a final answer is about the message alone: it is too large (552, RFC 1870, 6.1; 5.2.3 and 5.3.4, RFC 3463, 3.3 and 3.4), or
/// its content is refused (5.6.x, RFC 3463, 3.7). A mailbox that is full has 552, too, with 5.2.2. What may be about either is not.
fn is_of_message(code: &str, why: &str) -> bool {
    let is_enhanced = |word: &&str| {
        let mut parts = word.split('.');
        let is_number = |part: &str| part.len() <= 3 && part.parse::<u16>().is_ok();
        parts.next() == Some("5") && word.matches('.').count() == 2 && parts.all(is_number)
    };
    match why.split_whitespace().find(is_enhanced) {
        Some(enhanced) => matches!(enhanced, "5.2.3" | "5.3.4") || enhanced.starts_with("5.6."),
        None => code == "552",
    }
}

/// The connection that an address says: `smtps://user:password@host:465`, `smtp://host:587?tls=required`, `smtp://localhost`.
fn transport(server: &str) -> Result<SmtpTransport, String> {
    let unusable = "the address of the mail server has to be `smtps://user:password@host`, or `smtp://host?tls=required`";
    let (scheme, rest) = server.split_once("://").ok_or(unusable)?;
    let is_private = scheme == "smtps" || rest.ends_with("?tls=required");
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (credentials, host) =
        authority.rsplit_once('@').map_or((None, authority), |(who, host)| (Some(who), host));
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if credentials.is_some() && !is_private && !is_here {
        return Err(
            "the password would go through the network for all to read: use `smtps://`, or `?tls=required`"
                .to_owned(),
        );
    }
    // What the library says of an address that it cannot read quotes the address.
    let builder = SmtpTransport::from_url(server).map_err(|_| unusable.to_owned())?;
    Ok(builder.timeout(Some(TIMEOUT)).build())
}

fn message(mail: &Mail) -> Result<Message, String> {
    let mailbox = |text: &str| {
        text.parse::<Mailbox>()
            .map_err(|error: AddressError| format!("`{text}` is no address of mail: {error}"))
    };
    let mut builder = Message::builder()
        .from(mailbox(&mail.from)?)
        .subject(&mail.subject)
        // A message that is sent again has the same name, so that a server or a reader may drop the second one.
        .message_id(Some(format!("<{}>", mail.id)))
        .header(header::ContentType::TEXT_PLAIN)
        .date(mail.time);
    for to in &mail.to {
        builder = builder.to(mailbox(to)?);
    }
    builder.body(mail.body.clone()).map_err(|error| format!("the message cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn mail() -> Mail {
        Mail {
            from: "Switchback <switchback@shop.example>".to_owned(),
            to: vec!["risk@shop.example".to_owned(), "Ana <ana@shop.example>".to_owned()],
            subject: "[critical] shop: zurück\r\nBcc: all@shop.example".to_owned(),
            body: "one\n.\ntwo ü\n".to_owned(),
            id: "31.0a1b@switchback.invalid".to_owned(),
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        }
    }

    #[test]
    fn a_message_has_what_it_needs_and_no_header_that_its_subject_brings() {
        let text = String::from_utf8(message(&mail()).unwrap().formatted()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Message-ID: <31.0a1b@switchback.invalid>"), "{head}");
        assert!(head.contains("Date: Tue, 14 Nov 2023 22:13:20 +0000"), "{head}");
        assert!(head.contains("To: risk@shop.example, Ana <ana@shop.example>"), "{head}");
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        // `one\r\n.\r\ntwo ü\r\n`: a line of a single dot would end a message that is sent as it is.
        assert!(head.contains("Content-Transfer-Encoding: base64"), "{head}");
        assert_eq!(body.trim_end(), "b25lDQouDQp0d28gw7wNCg==");
        let wrong = Mail { to: vec!["nobody".to_owned()], ..mail() };
        assert!(message(&wrong).unwrap_err().starts_with("`nobody` is no address of mail"));
    }

    #[test]
    fn only_an_answer_about_size_or_content_is_about_the_message() {
        for (code, why, is_so) in [
            ("552", "permanent error (552): 5.3.4 Message size exceeds fixed limit", true),
            ("552", "permanent error (552): message too large", true),
            ("552", "permanent error (552): 5.2.2 Mailbox full", false),
            ("554", "permanent error (554): 5.6.0 Message content rejected", true),
            ("554", "permanent error (554): 5.7.1 <ana@shop.example>: Relay access denied", false),
            ("550", "permanent error (550): No such user here", false),
        ] {
            assert_eq!(is_of_message(code, why), is_so, "{why}");
        }
    }

    #[test]
    fn a_password_goes_through_no_open_network() {
        for (server, is_refused) in [
            ("smtp://jo:hunter2@mail.example:587", true),
            ("smtp://jo:hunter2@mail.example?tls=opportunistic", true),
            ("smtp://jo:hunter2@mail.example:587?tls=required", false),
            ("smtps://jo:hunter2@mail.example", false),
            ("smtp://jo:hunter2@127.0.0.1:2525", false),
            ("smtp://mail.example", false),
            ("mail.example", true),
            ("http://jo:hunter2@localhost", true),
        ] {
            let found = transport(server);
            assert_eq!(found.is_err(), is_refused, "{server}");
            assert!(!found.err().unwrap_or_default().contains("hunter2"), "{server}");
        }
    }
}
