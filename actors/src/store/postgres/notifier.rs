//! Notifies the other hosts that there may be work.
//!
//! Not inside the commits that make the work: a transaction with a NOTIFY takes a lock of the whole server for its
//! commit, so that such commits go one after the other. A notification beside the commit may be lost; a poll then finds
//! the work.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::store::{answer::answered, sql::Connection};

/// The channel that hosts listen on.
pub(super) const CHANNEL: &str = "afterword_tasks";
/// The shortest time between two notifications: many saves cause one.
const MIN_NOTIFY_INTERVAL: Duration = Duration::from_millis(20);

/// Notifies every host that listens.
pub(super) struct Notifier(mpsc::Sender<()>);

impl Notifier {
    pub(super) fn start(connection: Connection) -> Self {
        let (sender, wakes) = mpsc::channel(1);
        tokio::spawn(serve(connection, wakes));
        Self(sender)
    }

    pub(super) fn notify(&self) {
        // Full: a notification is due anyway, after what has been committed until now.
        let _ = self.0.try_send(());
    }
}

/// Ends when the notifier is dropped.
async fn serve(connection: Connection, mut wakes: mpsc::Receiver<()>) {
    while wakes.recv().await.is_some() {
        if let Err(error) = answered(connection.script(&format!("NOTIFY {CHANNEL}"))).await {
            tracing::debug!(%error, "other hosts were not notified; they poll");
        }
        tokio::time::sleep(MIN_NOTIFY_INTERVAL).await;
    }
}
