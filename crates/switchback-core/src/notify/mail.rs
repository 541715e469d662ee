//! Mail, as the core sees it: what is sent, and through which port.

use std::fmt::Debug;
use std::time::SystemTime;

/// A message to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who sends it: `name@host`, or `Name <name@host>`.
    pub from: String,
    /// Who gets it, each as `from`.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// What tells it from every other one: the same when it is sent again. `left@right`, without brackets.
    pub id: String,
    /// When what it is about happened.
    pub time: SystemTime,
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFailure {
    /// In a line, without the address of the server, which may hold a password.
    pub why: String,
    /// Trying again at once changes nothing.
    pub is_final: bool,
    /// Nobody knows that it did not arrive.
    pub may_have_arrived: bool,
}

impl MailFailure {
    /// What is wrong here, before anybody was asked.
    #[must_use]
    pub fn of_us(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_final: true, may_have_arrived: false }
    }
}

/// Sends mail.
pub trait Mailer: Debug + Send + Sync {
    /// Sends one message through the server at this address, to everybody or to nobody.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or refuses, or the message is none.
    fn send(&self, server: &str, mail: &Mail) -> Result<(), MailFailure>;
}
