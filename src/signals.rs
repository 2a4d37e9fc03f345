//! The signals that stop a server or a long command, and a second one that ends it at once.

use std::io;

use tokio_util::sync::CancellationToken;

/// Listens for the signals that end a server or a long command.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    /// The terminal was closed. `None` if that is to be ignored, as under `nohup`.
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
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
        let hangup = if hangup_is_heeded() { Some(signal(SignalKind::hangup())?) } else { None };
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())?, hangup })
    }

    pub(crate) async fn stop(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = hung_up(self.hangup.as_mut()) => {}
        }
    }
}

#[cfg(unix)]
async fn hung_up(hangup: Option<&mut tokio::signal::unix::Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether a closed terminal ends this process: whoever started it may have had that ignored. Where the system does not
/// tell, that is left as it is.
#[cfg(unix)]
fn hangup_is_heeded() -> bool {
    /// SIGHUP, the first signal, in the mask of the ignored ones.
    const HANGUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & HANGUP == 0)
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

/// Cancelled when the system asks this process to end; if it asks again, that is at once.
pub(crate) fn told_to_stop(signals: Signals) -> CancellationToken {
    let told = CancellationToken::new();
    let stop = told.clone();
    tokio::spawn(async move {
        signals.stop().await;
        end_at_the_next();
        tracing::info!("stopping; a second signal ends at once");
        stop.cancel();
    });
    told
}

/// Ends the process at the next signal: the next host rescues its tasks. No signal is missed from here on.
pub(crate) fn end_at_the_next() {
    let Ok(signals) = Signals::install() else { return };
    tokio::spawn(async {
        signals.stop().await;
        std::process::exit(ENDED_BY_SIGNAL);
    });
}
