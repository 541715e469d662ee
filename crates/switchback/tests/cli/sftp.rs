//! A server of OpenSSH that a test starts for itself, with keys of its own, and that ends with it.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::s3::{START_SECONDS_MAX, free_port};

/// A server that speaks SFTP on the loopback and nothing else.
pub(crate) struct Server {
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for key in ["host", "user", "stranger"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"])
                .arg(at(key))
                .status();
            assert!(made.unwrap().success(), "{key}");
        }
        std::fs::copy(at("user.pub"), at("authorized")).unwrap();
        std::fs::create_dir(at("files")).unwrap();
        let port = free_port();
        let settings = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nPidFile none\nAuthorizedKeysFile {keys}\nStrictModes no\n\
             UsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             Subsystem sftp internal-sftp\n",
            host = at("host").display(),
            keys = at("authorized").display(),
        );
        std::fs::write(at("settings"), settings).unwrap();
        // Where the server parts with its rights; the package's own start makes it, and here nobody called that.
        drop(std::fs::create_dir("/run/sshd"));
        drop(std::fs::set_permissions("/run/sshd", std::fs::Permissions::from_mode(0o755)));
        let program =
            ["/usr/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|path| PathBuf::from(path).exists());
        let log = std::fs::File::create(at("log")).unwrap();
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", program.unwrap(), "-D", "-e", "-f"])
            .arg(at("settings"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let said = || std::fs::read_to_string(at("log")).unwrap();
            assert!(child.try_wait().unwrap().is_none(), "it ended: {}", said());
            assert!(
                started.elapsed() < Duration::from_secs(START_SECONDS_MAX),
                "it does not start: {}",
                said()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, port, directory }
    }

    /// A folder on it, as a plan names it.
    pub(crate) fn address(&self, folder: &str) -> String {
        format!("sftp://127.0.0.1:{}/{}", self.port, self.folder(folder).display())
    }

    /// The same folder, as this machine sees it.
    pub(crate) fn folder(&self, folder: &str) -> PathBuf {
        self.directory.path().join("files").join(folder)
    }

    /// How the server is reached.
    pub(crate) fn ssh(&self) -> String {
        self.ssh_with("user")
    }

    /// The same with a key that the server does not know.
    pub(crate) fn ssh_of_a_stranger(&self) -> String {
        self.ssh_with("stranger")
    }

    fn ssh_with(&self, key: &str) -> String {
        let at = |name: &str| self.directory.path().join(name).display().to_string();
        format!(
            "ssh -F none -oIdentitiesOnly=yes -oIdentityAgent=none -oStrictHostKeyChecking=accept-new -oUserKnownHostsFile={} -i {}",
            at("known"),
            at(key)
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
