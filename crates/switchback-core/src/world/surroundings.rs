//! What surrounds the program: environment variables, the user, the host, its own process id.

use std::fmt::Debug;

/// The surroundings of this process.
pub trait Surroundings: Debug + Send + Sync {
    /// The value of an environment variable, if it is set and is text.
    fn variable(&self, name: &str) -> Option<String>;
    /// All environment variables whose names and values are text.
    fn variables(&self) -> Vec<(String, String)>;
    /// Who acts: `user@host`.
    fn actor(&self) -> String;
    /// The id of this process.
    fn process_id(&self) -> u32;

    /// A text with the value of the environment variable in the place of each `${NAME}`.
    ///
    /// # Errors
    ///
    /// Why not: one is not set, or is empty; a `${` has no end.
    fn filled(&self, text: &str) -> Result<String, String> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) = after.split_once('}').ok_or("there is a `${` without an end")?;
            let value = self.variable(name).filter(|value| !value.is_empty());
            filled.push_str(before);
            filled.push_str(&value.ok_or_else(|| format!("the environment variable `{name}` is not set"))?);
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// The surroundings as they are.
#[derive(Debug)]
pub struct RealSurroundings;

impl Surroundings for RealSurroundings {
    #[expect(clippy::disallowed_methods, reason = "this is the door that the ban points to")]
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn variables(&self) -> Vec<(String, String)> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    fn actor(&self) -> String {
        let user = self
            .variable("USER")
            .or_else(|| self.variable("LOGNAME"))
            .filter(|user| !user.is_empty())
            .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
        let names = rustix::system::uname();
        format!("{user}@{}", names.nodename().to_string_lossy())
    }

    fn process_id(&self) -> u32 {
        std::process::id()
    }
}
