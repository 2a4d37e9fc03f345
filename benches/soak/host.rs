//! A host in a separate process, to be killed.

use std::process::{Child, Command, Stdio};

use afterword::{
    config::{LoadedSettings, Settings, Sources},
    host::Host,
};

const DATABASE: &str = "SOAK_DATABASE";
const PROVIDER: &str = "SOAK_PROVIDER";
const MODEL: &str = "SOAK_MODEL";

/// A running host.
pub(super) struct HostProcess(Child);

impl HostProcess {
    pub(super) fn start(database: &str, provider: &str, model: &str) -> Self {
        let own = std::env::current_exe().expect("this program");
        let mut command = Command::new(own);
        command.env(DATABASE, database).env(PROVIDER, provider).env(MODEL, model);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("a process"))
    }

    /// `kill -9`
    pub(super) fn kill(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("a death");
    }

    /// Resident memory.
    pub(super) fn memory_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default() / 1024.0
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether this process is to run a host.
pub(super) fn is_wanted() -> bool {
    std::env::var_os(DATABASE).is_some()
}

/// Works until it is killed.
pub(super) async fn run() {
    let variable = |name| std::env::var(name).expect("a setting");
    let settings = settings(&variable(DATABASE), &variable(PROVIDER), &variable(MODEL));
    let _worker = Host::open(&settings).await.expect("a database").start().await.expect("a runtime");
    std::future::pending::<()>().await;
}

/// A host's settings: everything is retried soon, and often.
pub(super) fn settings(database: &str, provider: &str, model: &str) -> Settings {
    let settings = [
        ("database.url", database),
        ("embedding.provider", "openai"),
        ("embedding.model", model),
        ("embedding.openai.base_url", provider),
        ("embedding.openai.timeout", "2s"),
        ("queue.slots", "3"),
        // Kills are so frequent here that a document that was being processed at three of them by chance must not be
        // taken for their cause.
        ("queue.max_attempts", "50"),
        ("queue.retry_base", "100ms"),
        ("queue.retry_max", "2s"),
        ("queue.circuit_base", "200ms"),
        ("queue.circuit_max", "3s"),
        ("queue.sweep_interval", "10s"),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    LoadedSettings::load(&Sources::of_process(None, settings)).expect("settings").settings
}
