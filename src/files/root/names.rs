//! How files get their names: a name that nothing has, and two files that change places.

use std::io;

use cap_std::fs::Dir;

/// Gives a file a name that nothing has; answers whether nothing had it.
pub(super) fn rename_if_free(from: &Dir, part: &str, dir: &Dir, name: &str) -> io::Result<bool> {
    // In one step, so that it never has both names.
    if let Some(is_named) = rename_without_replacing(from, part, dir, name)? {
        return Ok(is_named);
    }
    match from.hard_link(part, dir, name) {
        Ok(()) => from.remove_file(part).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // A file system without links either: what comes in between these two steps is written over.
        Err(_) => match dir.symlink_metadata(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => from.rename(part, dir, name).map(|()| true),
            Err(error) => Err(error),
            Ok(_) => Ok(false),
        },
    }
}

/// The same by a rename that writes over nothing; `None` if the system or the file system has none.
#[cfg(target_os = "linux")]
fn rename_without_replacing(from: &Dir, part: &str, dir: &Dir, name: &str) -> io::Result<Option<bool>> {
    use rustix::io::Errno;
    match rustix::fs::renameat_with(from, part, dir, name, rustix::fs::RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Some(true)),
        Err(Errno::EXIST) => Ok(Some(false)),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn rename_without_replacing(_: &Dir, _: &str, _: &Dir, _: &str) -> io::Result<Option<bool>> {
    Ok(None)
}

/// Two files of one name change places in one moment; answers whether the system can.
pub(super) fn exchange(one: &Dir, other: &Dir, name: &str) -> io::Result<bool> {
    #[cfg(test)]
    if tests::IS_WITHOUT_EXCHANGE.get() {
        return Ok(false);
    }
    exchange_by_system(one, other, name)
}

#[cfg(target_os = "linux")]
fn exchange_by_system(one: &Dir, other: &Dir, name: &str) -> io::Result<bool> {
    use rustix::io::Errno;
    match rustix::fs::renameat_with(one, name, other, name, rustix::fs::RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange_by_system(_: &Dir, _: &Dir, _: &str) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    thread_local! {
        pub(super) static IS_WITHOUT_EXCHANGE: Cell<bool> = const { Cell::new(false) };
    }

    /// Does something as on a file system that cannot exchange names.
    pub(in crate::files::root) fn without_exchange<T>(act: impl FnOnce() -> T) -> T {
        IS_WITHOUT_EXCHANGE.set(true);
        let done = act();
        IS_WITHOUT_EXCHANGE.set(false);
        done
    }
}
