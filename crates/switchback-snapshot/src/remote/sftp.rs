//! A folder on a server that speaks SFTP (version 3, draft-ietf-secsh-filexfer-02), through the program `ssh`: its
//! configuration, keys, agent and known hosts are the user's, and it never asks a question.

use std::collections::BTreeMap;
use std::io::SeekFrom;
use std::pin::pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use futures::StreamExt;
use openssh_sftp_client::error::SftpErrorKind;
use openssh_sftp_client::file::File;
use openssh_sftp_client::metadata::Permissions;
use openssh_sftp_client::{Error, Sftp, SftpOptions};
use switchback_core::plan::SftpAddress;
use switchback_core::port::{Parts, PortError};
use switchback_core::world::{Clock, Surroundings};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::process::{Child, ChildStderr, Command};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::shelf::{FILE_BYTES_MAX, PartShelf, Shelf, unread};
use crate::durable::UNFINISHED;
use crate::trouble::Trouble;

/// The program that makes the connection, with words of its own where it takes some: `ssh -F FILE`.
const COMMAND_VARIABLE: &str = "SWITCHBACK_SSH_COMMAND";
/// What it is asked before its host: no questions, and an end when the server is gone.
const WITHOUT_QUESTIONS: [&str; 3] =
    ["-oBatchMode=yes", "-oServerAliveInterval=15", "-oServerAliveCountMax=4"];
/// How long one answer may take.
const SILENCE_MAX: Duration = Duration::from_mins(1);
/// A slow disk takes so much a second: what is synced may have been in memory alone until then.
const SYNCED_BYTES_A_SECOND: u64 = 50_000_000;
/// How long `ssh` may take to end once nothing is asked any more.
const END_MAX: Duration = Duration::from_secs(2);
/// So much is read or written within [`SILENCE_MAX`]; the server may take it in smaller parts.
const PART_BYTES_MAX: u32 = 256 * 1024;
/// How often something is asked for when the connection breaks.
const TRIES_MAX: u32 = 3;
/// The pause before the second try; it doubles with each.
const PAUSE: Duration = Duration::from_millis(500);
/// The last of what `ssh` says is kept.
const WORDS_BYTES_MAX: usize = 2_048;

/// A folder on a server.
pub(crate) struct Server {
    address: SftpAddress,
    /// As the user wrote it.
    shown: String,
    command: String,
    /// Whether others than the user may read what is written.
    is_for_others: bool,
    session: Mutex<Option<Session>>,
    runtime: Runtime,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Server({})", self.shown)
    }
}

/// A connection.
struct Session {
    sftp: Sftp,
    ssh: Ssh,
}

/// The program that holds it, which ends with it.
struct Ssh {
    child: Child,
    said: JoinHandle<String>,
}

/// Why something that was asked for did not come.
enum Failure {
    /// There is no file of that name.
    Missing,
    /// The server says no, and would say so again.
    Refused(Trouble),
    /// The connection broke, or never was.
    Broken(Trouble),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::SftpError(SftpErrorKind::NoSuchFile, _) => Self::Missing,
            Error::SftpError(_, words) => {
                Self::Refused(Trouble::new(format!("the server says: {}", words.get().0)))
            }
            error => Self::Broken(Trouble::new(error.to_string())),
        }
    }
}

/// What comes in time.
async fn timed<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    timed_within(SILENCE_MAX, answer).await
}

/// How long a server may take to bring so many bytes to its disk.
fn sync_time_max(bytes: u64) -> Duration {
    SILENCE_MAX.max(Duration::from_secs(bytes / SYNCED_BYTES_A_SECOND))
}

async fn timed_within<T>(
    time_max: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(time_max, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Broken(Trouble::new("there was no answer in time"))),
    }
}

impl Server {
    /// The folder at an address. Nothing is connected before something is asked for.
    pub(crate) fn new(
        address: &str,
        surroundings: &dyn Surroundings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Trouble> {
        let hint = "e.g. `sftp:backup@store:/srv/shop`, or `sftp://backup@store:2222//srv/shop`";
        let parsed = SftpAddress::parse(address).map_err(|why| Trouble::new(why).hinted(hint))?;
        let command = surroundings.variable(COMMAND_VARIABLE).filter(|command| !command.trim().is_empty());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Trouble::new(format!("no connection can be held: {error}")))?;
        Ok(Self {
            address: parsed,
            shown: address.to_owned(),
            command: command.unwrap_or_else(|| "ssh".to_owned()),
            is_for_others: false,
            session: Mutex::default(),
            runtime,
            clock,
        })
    }

    /// The same folder, for files that others are to read.
    pub(crate) fn for_others(self) -> Self {
        Self { is_for_others: true, ..self }
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.address.folder)
    }

    /// Asks until there is an answer. What the server refuses is not asked for again; a broken connection is made anew.
    fn asked<T>(
        &self,
        name: &str,
        ask: &impl AsyncFn(&Sftp) -> Result<T, Failure>,
    ) -> Result<Option<T>, Trouble> {
        let mut open = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut pause, mut tries) = (PAUSE, 1);
        loop {
            let answer = self.runtime.block_on(async {
                let session = match open.take() {
                    Some(session) => session,
                    None => self.connect().await?,
                };
                match ask(&session.sftp).await {
                    Err(Failure::Broken(trouble)) => {
                        Err(Failure::Broken(self.unreachable(trouble, session.ssh.ended().await)))
                    }
                    answer => {
                        *open = Some(session);
                        answer
                    }
                }
            });
            match answer {
                Ok(found) => return Ok(Some(found)),
                Err(Failure::Missing) => return Ok(None),
                Err(Failure::Refused(trouble)) => return Err(trouble.under(format!("`{name}`"))),
                Err(Failure::Broken(trouble)) if tries == TRIES_MAX => return Err(trouble),
                Err(Failure::Broken(_)) => {}
            }
            self.clock.sleep(pause);
            (pause, tries) = (pause * 2, tries + 1);
        }
    }

    async fn connect(&self) -> Result<Session, Failure> {
        let SftpAddress { user, host, port, .. } = &self.address;
        let mut ssh = Command::new("sh");
        // The words of the variable are the shell's to split; those of the address stay what they are.
        ssh.args(["-c", &format!("exec {} \"$@\"", self.command), "sh"]).args(WITHOUT_QUESTIONS);
        if let Some(port) = port {
            ssh.args(["-p", &port.to_string()]);
        }
        if let Some(user) = user {
            ssh.args(["-l", user]);
        }
        ssh.args(["-s", host, "sftp"]);
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let broken = |why: String| Failure::Broken(Trouble::new(why));
        let mut child =
            ssh.spawn().map_err(|error| broken(format!("`ssh` could not be started: {error}")))?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(broken("`ssh` has no pipes".to_owned()));
        };
        let ssh = Ssh { child, said: tokio::spawn(last_words(stderr)) };
        match timed(Sftp::new(stdin, stdout, SftpOptions::new())).await {
            Ok(sftp) => Ok(Session { sftp, ssh }),
            Err(Failure::Broken(trouble)) => {
                Err(Failure::Broken(self.unreachable(trouble, ssh.ended().await)))
            }
            Err(failure) => Err(failure),
        }
    }

    /// What `ssh` said tells more than that its pipe was closed.
    fn unreachable(&self, trouble: Trouble, said: String) -> Trouble {
        let trouble = if said.is_empty() { trouble } else { Trouble::new(said) };
        let host = &self.address.host;
        trouble.under(format!("`{host}` cannot be reached")).hinted(format!(
            "see that `ssh {host}` works without a question; `{COMMAND_VARIABLE}` names another program or configuration"
        ))
    }
}

impl Ssh {
    /// Waits a moment for its end; what it said.
    async fn ended(mut self) -> String {
        if tokio::time::timeout(END_MAX, self.child.wait()).await.is_err() {
            // It is killed when it is dropped; that it cannot be is no further reason.
            drop(self.child.start_kill());
        }
        let said = tokio::time::timeout(END_MAX, self.said).await;
        said.ok().and_then(Result::ok).unwrap_or_default()
    }
}

/// The last lines of what a program says, in one line.
async fn last_words(mut stderr: ChildStderr) -> String {
    let (mut kept, mut part) = (Vec::new(), [0; 512]);
    while let Ok(length @ 1..) = stderr.read(&mut part).await {
        kept.extend_from_slice(&part[..length]);
        let beyond = kept.len().saturating_sub(WORDS_BYTES_MAX);
        kept.drain(..beyond);
    }
    let text = String::from_utf8_lossy(&kept).into_owned();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Every file below a folder, with its size.
async fn listed(sftp: &Sftp, root: &str, folder: &str) -> Result<BTreeMap<String, u64>, Failure> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(name) = waiting.pop() {
        let directory = match timed(sftp.fs().open_dir(format!("{root}/{name}"))).await {
            Err(Failure::Missing) => continue,
            directory => directory?,
        };
        let mut entries = pin!(directory.read_dir());
        while let Some(entry) = timed(async { entries.next().await.transpose() }).await? {
            let Some(child) = entry.filename().to_str().filter(|child| !matches!(*child, "." | "..")) else {
                continue;
            };
            let child = format!("{name}/{child}");
            let about = entry.metadata();
            let kind = entry.file_type();
            if kind.is_some_and(|kind| kind.is_dir()) {
                waiting.push(child);
            } else if kind.is_some_and(|kind| kind.is_file())
                && !child.ends_with(UNFINISHED)
                && let Some(bytes) = about.len()
            {
                found.insert(child, bytes);
            }
        }
    }
    Ok(found)
}

/// So many bytes of a file from `at` on.
async fn content_from(sftp: &Sftp, path: &str, at: u64, bytes: u64) -> Result<Vec<u8>, Failure> {
    let mut file = timed(sftp.open(path)).await?;
    let content = read_from(&mut file, at, bytes).await?;
    timed(file.close()).await?;
    Ok(content)
}

async fn read_from(file: &mut File, first: u64, bytes: u64) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    while (content.len() as u64) < bytes {
        let done = content.len() as u64;
        // The server may give less than it is asked for, so each part says where it begins.
        file.seek(SeekFrom::Start(first + done))
            .await
            .map_err(|error| Failure::Broken(Trouble::new(error.to_string())))?;
        let asked = u32::try_from(bytes - done).unwrap_or(u32::MAX).min(PART_BYTES_MAX);
        match timed(file.read(asked, BytesMut::new())).await? {
            Some(part) if !part.is_empty() => content.extend_from_slice(&part),
            _ => return Err(Failure::Broken(Trouble::new("the file became shorter while it was read"))),
        }
    }
    Ok(content)
}

/// A whole file.
async fn content(sftp: &Sftp, path: &str) -> Result<Vec<u8>, Failure> {
    let mut file = timed(sftp.open(path)).await?;
    let bytes = timed(file.metadata()).await?.len().unwrap_or_default();
    if bytes > FILE_BYTES_MAX {
        return Err(Failure::Refused(Trouble::new(format!(
            "it has {bytes} bytes, which no file of a repository has"
        ))));
    }
    let content = read_from(&mut file, 0, bytes).await?;
    timed(file.close()).await?;
    Ok(content)
}

/// Who may do what with a file that is written.
fn mode(is_for_others: bool) -> Permissions {
    let mut mode = Permissions::new();
    // Restic removes the right to write from every file it has finished.
    mode.set_read_by_owner(true);
    if is_for_others {
        mode.set_write_by_owner(true).set_read_by_group(true).set_read_by_other(true);
    }
    mode
}

/// Writes a file beside its place, syncs it where the server can, and puts it in place.
async fn kept(sftp: &Sftp, path: &str, content: &dyn Parts, mode: Permissions) -> Result<(), Failure> {
    let unfinished = format!("{path}{UNFINISHED}");
    let file = match begun(sftp, &unfinished).await {
        Err(Failure::Missing) => {
            make_folders(sftp, path).await?;
            begun(sftp, &unfinished).await
        }
        begun => begun,
    };
    let mut file = file.map_err(|failure| match failure {
        Failure::Missing => Failure::Refused(Trouble::new("its folder cannot be made")),
        failure => failure,
    })?;
    let (mut at, all) = (0, content.bytes());
    while at < all {
        let bytes = (all - at).min(u64::from(PART_BYTES_MAX));
        let part = content.part(at, bytes).map_err(|error| Failure::Refused(unread(error)))?;
        timed(file.write_all(&part)).await?;
        at += bytes;
    }
    timed(file.set_permissions(mode)).await?;
    if sftp.support_fsync() {
        timed_within(sync_time_max(all), file.sync_all()).await?;
    }
    timed(file.close()).await?;
    let bytes = timed(sftp.fs().metadata(&unfinished)).await?.len();
    if bytes != Some(all) {
        let (there, sent) = (bytes.unwrap_or_default(), all);
        return Err(Failure::Refused(Trouble::new(format!(
            "of {sent} bytes that were sent, {there} are there"
        ))));
    }
    if !sftp.support_posix_rename() {
        // Without that extension, a name that is taken is refused.
        match timed(sftp.fs().remove_file(path)).await {
            Ok(()) | Err(Failure::Missing) => {}
            Err(failure) => return Err(failure),
        }
    }
    timed(sftp.fs().rename(&unfinished, path)).await
}

async fn begun(sftp: &Sftp, path: &str) -> Result<File, Failure> {
    // What was left half done may not be written to any more.
    match timed(sftp.fs().remove_file(path)).await {
        Ok(()) | Err(Failure::Missing) => {}
        Err(failure) => return Err(failure),
    }
    timed(sftp.options().write(true).create(true).truncate(true).open(path)).await
}

/// Makes the folders above a path; those that are there refuse, and the next step says whether they are folders.
async fn make_folders(sftp: &Sftp, path: &str) -> Result<(), Failure> {
    for (at, _) in path.match_indices('/').filter(|(at, _)| *at > 0) {
        match timed(sftp.fs().create_dir(&path[..at])).await {
            Ok(()) | Err(Failure::Refused(_) | Failure::Missing) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

impl Shelf for Server {
    fn address(&self) -> String {
        self.shown.clone()
    }

    fn list(&self, folder: &str) -> Result<BTreeMap<String, u64>, Trouble> {
        let root = &self.address.folder;
        Ok(self.asked(folder, &async |sftp| listed(sftp, root, folder).await)?.unwrap_or_default())
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let path = self.path(name);
        self.asked(name, &async |sftp| content(sftp, &path).await)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Trouble> {
        self.write_parts(name, &InMemory(content))
    }

    fn remove(&self, name: &str) -> Result<(), Trouble> {
        let path = self.path(name);
        self.asked(name, &async |sftp| Ok(timed(sftp.fs().remove_file(&path)).await?)).map(|_| ())
    }
}

/// What is in memory already, and is sent in parts all the same.
#[derive(Debug)]
struct InMemory<'a>(&'a [u8]);

impl Parts for InMemory<'_> {
    fn bytes(&self) -> u64 {
        self.0.len() as u64
    }

    fn part(&self, at: u64, bytes: u64) -> Result<Vec<u8>, PortError> {
        let rest = usize::try_from(at).ok().and_then(|at| self.0.get(at..)).unwrap_or_default();
        let end = usize::try_from(bytes).unwrap_or(usize::MAX).min(rest.len());
        Ok(rest[..end].to_vec())
    }
}

impl PartShelf for Server {
    fn size(&self, name: &str) -> Result<Option<u64>, Trouble> {
        let path = self.path(name);
        let found = self.asked(name, &async |sftp| {
            let about = timed(sftp.fs().metadata(&path)).await?;
            about
                .len()
                .ok_or_else(|| Failure::Refused(Trouble::new("the server does not say how long it is")))
        })?;
        Ok(found)
    }

    fn read_part(&self, name: &str, at: u64, bytes: u64) -> Result<Vec<u8>, Trouble> {
        let path = self.path(name);
        let found = self.asked(name, &async |sftp| content_from(sftp, &path, at, bytes).await)?;
        found.ok_or_else(|| Trouble::new(format!("`{name}` is not there any more")))
    }

    fn write_parts(&self, name: &str, content: &dyn Parts) -> Result<(), Trouble> {
        let (path, mode) = (self.path(name), mode(self.is_for_others));
        let written = self.asked(name, &async |sftp| kept(sftp, &path, content, mode).await)?;
        written.ok_or_else(|| Trouble::new(format!("`{name}` was sent, and is not there")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_sync_a_large_file_may_take_longer() {
        assert_eq!(sync_time_max(0), SILENCE_MAX);
        assert_eq!(sync_time_max(3_000_000_000), SILENCE_MAX);
        assert_eq!(sync_time_max(1 << 40), Duration::from_secs(21_990));
    }
}
