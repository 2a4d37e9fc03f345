//! A host in a process of its own, to be killed.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use afterword::{
    config::{Embedding, Provider},
    embedding::Backends,
};
use afterword_actors::{
    Delays, Runtime, RuntimeSettings,
    store::{Database, OpenOptions},
};

const DATABASE: &str = "SOAK_DATABASE";
const PROVIDER: &str = "SOAK_PROVIDER";

/// A running host.
pub(super) struct HostProcess(Child);

impl HostProcess {
    pub(super) fn start(database: &str, provider: &str) -> Self {
        let own = std::env::current_exe().expect("this program");
        let mut command = Command::new(own);
        command.env(DATABASE, database).env(PROVIDER, provider).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("a process"))
    }

    /// `kill -9`
    pub(super) fn kill(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("a death");
    }

    /// Resident.
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

/// Whether this process is to be a host.
pub(super) fn is_wanted() -> bool {
    std::env::var_os(DATABASE).is_some()
}

/// Works until it is killed.
pub(super) async fn run(max_attempts: u32) {
    let variable = |name| std::env::var(name).expect("a setting");
    let database = Database::open(&OpenOptions::new(variable(DATABASE))).await.expect("a database");
    let mut embedding = Embedding { provider: Provider::OpenAi, model: "soak".to_owned(), ..Embedding::default() };
    embedding.openai.base_url = variable(PROVIDER);
    embedding.openai.timeout = Duration::from_secs(2);
    let backends = Backends::new(&embedding).expect("a back end");
    let settings = RuntimeSettings {
        slots: 3,
        max_attempts,
        retry: Delays { base: Duration::from_millis(100), max: Duration::from_secs(2) },
        circuit: Delays { base: Duration::from_millis(200), max: Duration::from_secs(3) },
        sweep_interval: Duration::from_secs(10),
        ..RuntimeSettings::default()
    };
    let _runtime = Runtime::start(database, backends.model(), settings).await.expect("a runtime");
    std::future::pending::<()>().await;
}
