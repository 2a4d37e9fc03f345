//! A host in a process of its own: this test program again, started with [`main`] as its only test.

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

const DATABASE: &str = "HOST_DATABASE";
const PROVIDER: &str = "HOST_PROVIDER";
/// Worker slots of each host.
pub(crate) const SLOTS: u32 = 4;
/// A host that has been silent for this long has lost its tasks.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// A running host process.
pub(crate) struct HostProcess(Child);

impl HostProcess {
    pub(crate) fn start(database: &str, provider: &str) -> Self {
        let own = std::env::current_exe().expect("this program");
        let mut command = Command::new(own);
        command.args(["hosts::host::main", "--exact", "--ignored"]).env(DATABASE, database).env(PROVIDER, provider);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// `kill -9`
    pub(crate) fn kill(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("a death");
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.0.id().to_string()]).status();
        assert!(sent.expect("a signal").success(), "{name}");
    }

    /// Waits for an end of its own.
    pub(crate) fn ended(&mut self) -> bool {
        self.0.wait().expect("an end").success()
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.0.try_wait().expect("a process").is_none()
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "no test but the process that the other tests start"]
async fn main() {
    let variable = |name| std::env::var(name).expect("the settings of a host");
    let options = OpenOptions { busy_timeout: Duration::from_secs(5), ..OpenOptions::new(variable(DATABASE)) };
    let database = Database::open(&options).await.expect("a database");
    let mut embedding = Embedding { provider: Provider::OpenAi, model: "counted".to_owned(), ..Embedding::default() };
    embedding.openai.base_url = variable(PROVIDER);
    let backends = Backends::new(&embedding).expect("a back end");
    let settings = RuntimeSettings {
        slots: SLOTS,
        max_attempts: 50,
        poll_interval: Duration::from_millis(500),
        retry: Delays { base: Duration::from_millis(20), max: Duration::from_millis(500) },
        circuit: Delays { base: Duration::from_millis(50), max: Duration::from_secs(1) },
        lease: LEASE,
        heartbeat_interval: Duration::from_millis(500),
        sweep_interval: Duration::from_secs(5),
        ..RuntimeSettings::default()
    };
    let runtime = Runtime::start(database, backends.model(), settings).await.expect("a runtime");
    let mut stop = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("a signal");
    stop.recv().await;
    assert!(runtime.stop(Duration::from_secs(10)).await.finished, "what was in work is finished");
}
