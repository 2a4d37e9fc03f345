//! pip, as a separate program. It runs in a folder of this program, with a chosen environment, and is never looked for
//! in the working directory: files there may belong to others, and Python would run them (`pip/`, `sitecustomize.py`).

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::process::Command;

/// How pip may be called, the usual way first. `-I`: no module comes from the working directory or from `PYTHON…`.
const PIPS: [(&str, &[&str]); 3] = [("python3", &["-I", "-m", "pip"]), ("python", &["-I", "-m", "pip"]), ("pip", &[])];

/// What pip needs to know of this machine: the user's folders, proxies, trusted certificates, and where packages come
/// from. Nothing else is passed on: no keys, no tokens.
const PASSED_ON: &[&str] = &[
    "HOME",
    "LANG",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_CONFIG_HOME",
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TRUSTED_HOST",
    // Windows: programs do not start without these.
    "APPDATA",
    "COMSPEC",
    "LOCALAPPDATA",
    "PATHEXT",
    "PROGRAMDATA",
    "SYSTEMROOT",
    "USERPROFILE",
];

/// Why pip brought nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum PipError {
    #[error("pip is not installed")]
    NotInstalled,
    #[error("pip failed: {0}")]
    Failed(String),
    #[error("pip was stopped: the package is larger than {} MB, and cannot be the one that is expected", .0 / 1_000_000)]
    TooLarge(u64),
    #[error("pip cannot be started: {0}")]
    Io(#[from] io::Error),
}

/// How often the size of what pip has written is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Downloads the wheel of `requirement` into `folder`, a new and empty folder; refuses more than `most` bytes, because
/// an index may answer anything.
pub(super) async fn download(requirement: &str, folder: &Path, most: u64) -> Result<(), PipError> {
    let path = trusted_path();
    for (program, first) in PIPS {
        let Some(program) = find(program, &path) else { continue };
        let mut pip = command(&program, &path, folder);
        pip.args(first)
            .args(["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--dest"])
            .arg(folder)
            .arg(requirement);
        let output = run_within(pip, folder, most).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok(());
        }
        if !said.contains("No module named pip") {
            return Err(PipError::Failed(last_line(&said)));
        }
    }
    Err(PipError::NotInstalled)
}

/// Runs it to its end, or kills it when the folder contains more than `most` bytes.
async fn run_within(mut pip: Command, folder: &Path, most: u64) -> Result<Output, PipError> {
    let running = pip.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?.wait_with_output();
    tokio::pin!(running);
    loop {
        tokio::select! {
            output = &mut running => return Ok(output?),
            () = tokio::time::sleep(CHECK_INTERVAL) => {
                if folder_size(folder) > most {
                    return Err(PipError::TooLarge(most));
                }
            }
        }
    }
}

/// The size of all files in a folder and below. *Units:* bytes.
fn folder_size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let size = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => folder_size(&entry.path()),
        Ok(_) => entry.metadata().map_or(0, |metadata| metadata.len()),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

fn command(program: &Path, path: &[PathBuf], folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(PASSED_ON.iter().filter_map(|name| Some((name, env::var_os(name)?))));
    command.env("PATH", env::join_paths(path).unwrap_or_else(|_| OsString::new()));
    for temporary in ["TMPDIR", "TEMP", "TMP"] {
        command.env(temporary, folder);
    }
    command.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// The folders of `PATH`, without relative ones (`.`, ``, `bin`), which depend on the working directory.
fn trusted_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

fn find(program: &str, path: &[PathBuf]) -> Option<PathBuf> {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    path.iter().map(|folder| folder.join(&name)).find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given").trim().to_owned()
}
