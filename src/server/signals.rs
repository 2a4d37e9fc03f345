//! Being told to stop: once, and once more.

use std::io;

/// Listens for the signals that end a server.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

/// As a shell reports a program that a signal ended.
const ENDED_BY_SIGNAL: i32 = 130;

#[cfg(unix)]
impl Signals {
    pub(super) fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(super) async fn stop(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {})
    }

    pub(super) async fn stop(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// The next signal ends the process: what it held is rescued by the next host. From here on none is lost.
pub(super) fn end_at_the_next() {
    let Ok(signals) = Signals::install() else { return };
    tokio::spawn(async {
        signals.stop().await;
        std::process::exit(ENDED_BY_SIGNAL);
    });
}
