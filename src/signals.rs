//! The signals that stop a server, and a second one that ends it at once.

use std::io;

/// Listens for the signals that end a server.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(windows)]
    ctrl_c: tokio::signal::windows::CtrlC,
    #[cfg(windows)]
    ctrl_break: tokio::signal::windows::CtrlBreak,
    #[cfg(windows)]
    closed: tokio::signal::windows::CtrlClose,
}

/// The exit code with which a shell reports a program that a signal ended.
const ENDED_BY_SIGNAL: i32 = 130;

#[cfg(unix)]
impl Signals {
    pub(crate) fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(crate) async fn stop(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(windows)]
impl Signals {
    pub(crate) fn install() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
        Ok(Self { ctrl_c: ctrl_c()?, ctrl_break: ctrl_break()?, closed: ctrl_close()? })
    }

    pub(crate) async fn stop(mut self) {
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.ctrl_break.recv() => {}
            _ = self.closed.recv() => {}
        }
    }
}

/// Ends the process at the next signal: the next host rescues its tasks. No signal is missed from here on.
pub(crate) fn end_at_the_next() {
    let Ok(signals) = Signals::install() else { return };
    tokio::spawn(async {
        signals.stop().await;
        std::process::exit(ENDED_BY_SIGNAL);
    });
}
