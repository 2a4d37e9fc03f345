//! A server that is a process of its own, on a database and a port of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

/// A test that waits for something is stuck if nothing happens for this long.
pub(crate) const STUCK: Duration = Duration::from_secs(60);

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    address: String,
    log: mpsc::Receiver<String>,
    folder: tempfile::TempDir,
    client: Client,
}

impl Server {
    /// A server with the scripted provider and these settings.
    pub(crate) fn start(settings: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), settings)
    }

    /// The same on the folder of an earlier one.
    pub(crate) fn start_in(folder: tempfile::TempDir, settings: &[&str]) -> Self {
        Self::started(serve(folder.path(), settings), folder)
    }

    /// The server that `command` starts in `folder`.
    pub(crate) fn started(mut command: Command, folder: tempfile::TempDir) -> Self {
        let mut child = command.spawn().expect("a process");
        let (sender, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Read to the end, or the server would wait for a reader.
                let _ = sender.send(line);
            }
        });
        let address = loop {
            let line = log.recv_timeout(STUCK).expect("a server that opens");
            if let Some((_, rest)) = line.split_once("listening on http://") {
                break rest.split(' ').next().expect("an address").to_owned();
            }
        };
        // The client needs a provider even without encryption.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { child, address, log, folder, client: Client::new() }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path).json(body).send().await.expect("an answer")
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response.json().await.expect("JSON")
    }

    /// Creates an article and returns it as stored.
    pub(crate) async fn create(&self, title: &str, body: &str) -> Value {
        let response = self.post("/api/articles", &serde_json::json!({ "title": title, "body": body })).await;
        assert_eq!(response.status(), 201);
        response.json().await.expect("JSON")
    }

    /// Waits until an article's embedding has this status, by following announcements instead of a timer.
    pub(crate) async fn until_embedding(&self, slug: &str, status: &str) -> Value {
        let waiting = async {
            let mut events = self.get("/api/events").await;
            loop {
                let article = self.json(&format!("/api/articles/{slug}")).await;
                if article["embedding"]["status"] == status {
                    return article;
                }
                events.chunk().await.expect("events").expect("a server that goes on");
            }
        };
        tokio::time::timeout(STUCK, waiting).await.unwrap_or_else(|_| panic!("{slug} is never {status}"))
    }

    /// Runs a command beside the server, on the same database; returns its output.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let mut command = program(self.folder.path());
        let output = command.args(arguments).output().expect("a program that runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// The same of a command that fails; returns its exit code and what it says of it.
    pub(crate) fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = program(self.folder.path()).args(arguments).output().expect("a program that runs");
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill").success());
    }

    /// Waits for the end; returns the exit status and the server's folder.
    pub(crate) fn ended(mut self) -> (ExitStatus, tempfile::TempDir) {
        let status = self.child.wait().expect("an end");
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        (status, folder)
    }

    /// Everything that is logged until the server ends.
    pub(crate) fn rest_of_the_log(&self) -> Vec<String> {
        std::iter::from_fn(|| self.log.recv_timeout(STUCK).ok()).collect()
    }

    /// Waits for a line of the log.
    pub(crate) fn until_logged(&self, part: &str) {
        while !self.log.recv_timeout(STUCK).unwrap_or_else(|_| panic!("{part:?} is never logged")).contains(part) {}
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server's command, not yet started.
pub(crate) fn serve(folder: &std::path::Path, settings: &[&str]) -> Command {
    let mut command = program(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.args(["serve", "--bind", "127.0.0.1:0"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
}

/// The program on a database in `folder`.
pub(crate) fn program(folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_afterword"));
    command
        .current_dir(folder)
        .env("AFTERWORD_DATABASE__URL", format!("sqlite://{}", folder.join("server.db").display()))
        .env("AFTERWORD_EMBEDDING__PROVIDER", "scripted");
    let settings = folder.join("config.toml");
    if settings.exists() {
        command.env("AFTERWORD_CONFIG", settings);
    }
    command
}
