//! The address of a folder on a server that is reached by SFTP, in the two forms that restic knows.

/// `sftp:user@host:folder`, or `sftp://user@host:port/folder`. A folder that begins with `/` is absolute, any other one is
/// relative to the user's own; in the second form that takes two slashes, or one (restic's manual, "Preparing a new repository").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SftpAddress {
    /// The user; whom the configuration of `ssh` names when left out.
    pub user: Option<String>,
    /// The host, or a name for it in the configuration of `ssh`.
    pub host: String,
    /// The port; what the configuration of `ssh` says when left out.
    pub port: Option<u16>,
    /// The folder, not empty.
    pub folder: String,
}

impl SftpAddress {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(rest) = text.strip_prefix("sftp:") else {
            return Err("it does not begin with `sftp:`");
        };
        let (place, port, folder) = if let Some(rest) = rest.strip_prefix("//") {
            let (place, folder) = rest.split_once('/').ok_or("it names no folder")?;
            let (host, port) = split_port(place)?;
            (host, port, folder)
        } else {
            let (place, folder) =
                rest.split_once(':').ok_or("it names no folder behind the host and a `:`")?;
            // `user:password@host:folder`, which would be taken for a host and a folder of a strange name.
            let behind = folder.split_once('@').map(|(word, behind)| (word, behind.split('/').next()));
            if !place.contains('@')
                && behind.is_some_and(|(word, host)| {
                    !word.contains('/') && host.is_some_and(|host| host.contains(':'))
                })
            {
                return Err("there is a password in it: `ssh` takes a key");
            }
            (place, None, folder)
        };
        let (user, host) = match place.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, place),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err("there is a password in it: `ssh` takes a key");
        }
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_plain = |word: &str| {
            !word.is_empty()
                && !word.starts_with('-')
                && word.chars().all(|letter| letter.is_alphanumeric() || "._-:%+$~\\".contains(letter))
        };
        if !is_plain(host) {
            return Err("it names no host");
        }
        if user.is_some_and(|user| !is_plain(user)) {
            return Err("its user has no name");
        }
        let folder = match folder.trim_end_matches('/') {
            "" if folder.is_empty() => return Err("it names no folder"),
            "" => return Err("the root of the server is no folder of its own for a repository"),
            folder => folder,
        };
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), port, folder: folder.to_owned() })
    }
}

/// `host:port`, where the host may be an address of IPv6 in brackets.
fn split_port(place: &str) -> Result<(&str, Option<u16>), &'static str> {
    let behind = place.rfind(']').map_or(0, |at| at + 1);
    match place.get(behind..).and_then(|rest| rest.rfind(':')) {
        None => Ok((place, None)),
        Some(at) => {
            let (host, port) = place.split_at(behind + at);
            // A `:` before the `@` is one of a password.
            if port.contains('@') {
                return Ok((place, None));
            }
            let port = port.trim_start_matches(':').parse();
            Ok((host, Some(port.map_err(|_| "its port is no number from 1 to 65535")?)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, String, Option<u16>, String) {
        let SftpAddress { user, host, port, folder } = SftpAddress::parse(text).unwrap();
        (user, host, port, folder)
    }

    #[test]
    fn both_forms_of_restic_are_read() {
        let user = || Some("backup".to_owned());
        let whole = |host: &str, port, folder: &str| (user(), host.to_owned(), port, folder.to_owned());
        assert_eq!(read("sftp:backup@store:/srv/shop/"), whole("store", None, "/srv/shop"));
        assert_eq!(read("sftp:backup@store:shop"), whole("store", None, "shop"));
        assert_eq!(read("sftp://backup@store:2222//srv/shop"), whole("store", Some(2222), "/srv/shop"));
        assert_eq!(read("sftp://backup@store/shop"), whole("store", None, "shop"));
        assert_eq!(read("sftp://backup@[::1]:2222/shop"), whole("::1", Some(2222), "shop"));
        assert_eq!(read("sftp://backup@[::1]/shop"), whole("::1", None, "shop"));
        assert_eq!(read("sftp:store:shop"), (None, "store".to_owned(), None, "shop".to_owned()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_for_its_reason() {
        for (text, why) in [
            ("s3://bucket", "does not begin"),
            ("sftp:store", "no folder"),
            ("sftp://store", "no folder"),
            ("sftp://store/", "no folder"),
            ("sftp:store:", "no folder"),
            ("sftp:store:/", "the root"),
            ("sftp::/srv", "no host"),
            ("sftp:-oProxyCommand=sh:/srv", "no host"),
            ("sftp:-l@store:/srv", "no name"),
            ("sftp:a b:/srv", "no host"),
            ("sftp://store:99999/srv", "port"),
            ("sftp://backup:hunter2@store/srv", "password"),
        ] {
            let said = SftpAddress::parse(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
