//! Signs of change in a folder of files, as the system gives them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::ModifyKind};
use tokio::sync::Notify;

use super::{
    super::{
        root::{Identity, Root},
        walk,
    },
    disk::blocking,
};

/// Where signs arrive, for as long as this is held.
pub(super) struct FileWatcher {
    seen: Arc<Notify>,
    /// The folder that is listened to.
    identity: Option<Identity>,
    watcher: Result<RecommendedWatcher, notify::Error>,
}

impl FileWatcher {
    /// Listens from now on. What the system cannot watch (a network's folder, more folders than it allows) gives no
    /// signs.
    pub(super) fn of(directory: &Path) -> Self {
        let (seen, identity) = (Arc::new(Notify::new()), Root::identity(directory));
        let (root, woken) = (directory.canonicalize().unwrap_or_else(|_| directory.to_owned()), Arc::clone(&seen));
        let below = root.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.as_ref().is_ok_and(|event| !is_sign(event, &below)) {
                return;
            }
            woken.notify_one();
        });
        let watcher = watcher.and_then(|mut watcher| watcher.watch(&root, RecursiveMode::Recursive).map(|()| watcher));
        Self { seen, identity, watcher }
    }

    /// Whether another folder has the name by now, or none: a disk that was mounted or taken away gives no sign.
    pub(super) async fn are_of_another(&self, directory: &Path) -> bool {
        let directory = directory.to_owned();
        blocking(move || Root::identity(&directory)).await.is_ok_and(|now| now != self.identity)
    }

    /// Why there are none.
    pub(super) fn why_none(&self) -> Option<String> {
        self.watcher.as_ref().err().map(ToString::to_string)
    }

    /// Waits for the next one; one that came since the last time counts.
    pub(super) async fn next(&self) {
        self.seen.notified().await;
    }
}

/// Whether it may mean that a note is another one now. Reading one does not, and neither does what is hidden.
fn is_sign(event: &Event, root: &Path) -> bool {
    let is_seen = |path: &PathBuf| {
        let below = path.strip_prefix(root).unwrap_or(path);
        let mut names = below.components().map(|part| part.as_os_str().to_string_lossy());
        names.all(|name| !name.starts_with('.') || name.starts_with("..") || walk::RULES.contains(&name.as_ref()))
    };
    // A database that lies in the folder writes to its files all the time, and none of them is a note.
    let is_read = |path: &PathBuf| path.file_name().is_some_and(|name| walk::is_read(&name.to_string_lossy()));
    let is_another = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_))) && !event.paths.iter().any(is_read);
    event.need_rescan()
        || !is_another
            && !matches!(event.kind, EventKind::Access(_))
            && (event.paths.is_empty() || event.paths.iter().any(is_seen))
}
