//! A PostgreSQL server that a test may kill.

use std::{
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The user that may own a server when the test is run by root, which may not.
const NOBODY: u32 = 65_534;

/// A server with a cluster and a port of its own.
pub(crate) struct OwnServer {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl OwnServer {
    pub(crate) async fn start() -> Self {
        let folder = place_for_cluster();
        let made = program("initdb", &folder)
            .args(["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", "cluster"])
            .stdout(Stdio::null())
            .status();
        assert!(made.expect("initdb").success());
        Self::serve(folder).await
    }

    /// A standby that follows this server synchronously: it has everything that is committed here.
    pub(crate) async fn standby(&self) -> Self {
        let folder = place_for_cluster();
        let copied = program("pg_basebackup", &folder)
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", "-D", "cluster"])
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
            .status();
        assert!(copied.expect("pg_basebackup").success());
        let standby = Self::serve(folder).await;
        self.run("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.run("SELECT pg_reload_conf()");
        standby
    }

    /// Promotes a standby to the writable server.
    pub(crate) fn promote(&self) {
        self.run("SELECT pg_promote()");
    }

    async fn serve(folder: tempfile::TempDir) -> Self {
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let process = spawn(&folder, port);
        let server = Self { folder, port, process };
        server.is_ready().await;
        server
    }

    fn run(&self, sql: &str) {
        let done = program("psql", &self.folder).args(["-q", "-o", "/dev/null", &self.url(), "-c", sql]).status();
        assert!(done.expect("psql").success(), "{sql}");
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Immediate shutdown: connections are cut, and the next start recovers.
    pub(crate) async fn kill(&mut self) {
        let sent = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        assert!(sent.expect("a signal").success());
        self.process.wait().expect("an end");
    }

    pub(crate) async fn restart(&mut self) {
        self.process = spawn(&self.folder, self.port);
        self.is_ready().await;
    }

    async fn is_ready(&self) {
        let ready = || {
            program("pg_isready", &self.folder).args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]).status()
        };
        while !ready().expect("pg_isready").success() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
            let _ = self.process.wait();
        }
    }
}

/// A folder with an empty one in it, `cluster`, which the server owns.
fn place_for_cluster() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = folder.path().join("cluster");
    std::fs::create_dir(&cluster).expect("a folder");
    for (path, mode) in [(folder.path(), 0o755), (&cluster, 0o700)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
    }
    if is_root() {
        std::os::unix::fs::chown(&cluster, Some(NOBODY), Some(NOBODY)).expect("an owner");
    }
    folder
}

fn spawn(folder: &tempfile::TempDir, port: u16) -> Child {
    program("postgres", folder)
        .arg("-D")
        .arg(folder.path().join("cluster"))
        .args(["-p", &port.to_string(), "-k", "", "-c", "listen_addresses=127.0.0.1"])
        // A process is killed here, not the machine: what is written need not reach the disk.
        .args(["-c", "fsync=off", "-c", "max_connections=200"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a server")
}

fn program(name: &str, folder: &tempfile::TempDir) -> Command {
    let bin = std::env::var("TEST_POSTGRES_BIN");
    let bin = bin.expect("TEST_POSTGRES_BIN, a server's programs; scripts/test fetches them and sets it");
    let mut command = Command::new(PathBuf::from(bin).join(name));
    command.current_dir(folder.path());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
