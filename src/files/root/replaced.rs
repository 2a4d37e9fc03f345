//! What stood at a place that is written anew or emptied.
//!
//! Whoever had the file open may write to it later, or may be in the middle of a save: an editor that empties a file
//! first, a log that is appended to. So what is taken away is kept for a day in a hidden folder, under a name that says
//! what it held.
//!
//! Where a system cannot exchange two names, the place is free between the file that goes and the one that comes. The
//! one that goes is *owed* to the place meanwhile, which its name says, too: whatever ends the work in between, it is
//! given back by it or by the next look (`late`), and never removed before.

use std::{
    io,
    time::{SystemTime, UNIX_EPOCH},
};

use cap_std::fs::{Dir, OpenOptions};

use super::{
    Root, copy_rights,
    names::{exchange, rename_if_free},
    settle, settle_folder, unpredictable_name, write_new,
};
use crate::files::{hash, place};

/// Where it is kept.
pub(super) const FOLDER: &str = ".afterword-replaced";
/// Characters of a hash in a kept file's name.
pub(super) const HASH_CHARS: usize = 32;
/// The last part of the name of what is owed to its place.
pub(super) const OWED_SUFFIX: &str = "owed";

/// A place for what a file holds.
#[derive(Debug)]
pub(super) struct BackupPlace {
    dir: Dir,
    path: String,
    /// The first folder of the path below [`FOLDER`].
    entry: String,
}

impl Root {
    /// Puts `bytes` in the place of a file that holds what has the hash `wanted`; answers whether it did. The file
    /// changes in one moment where the system can do that.
    pub(super) fn replace(&self, dir: &Dir, file: &str, bytes: &[u8], wanted: &str, modified: i64) -> io::Result<bool> {
        if !self.holds(file, wanted)? {
            return Ok(false);
        }
        let (name, new) = (place::name(file), hash(bytes));
        let kept = self.make_backup_place(file, &entry_name(wanted, &new))?;
        // Whole before it bears its name: another run may look at what is kept at the same time.
        let part = unpredictable_name()?;
        let written = write_new(&kept.dir, &part, bytes)
            .and_then(|()| settle(&kept.dir, &part, modified))
            .and_then(|()| copy_rights(dir, name, &kept.dir, &part))
            .and_then(|()| kept.dir.rename(&part, &kept.dir, name));
        if let Err(error) = written {
            // A disk that is full is not to be fuller for it.
            let _ = kept.dir.remove_file(&part);
            self.remove_empty(&kept.path);
            return Err(error);
        }
        // Attempts that fail again and again are to leave nothing.
        let is_done = exchange(&kept.dir, dir, name).inspect_err(|_| self.discard(&kept, &new))?;
        if !is_done {
            return self.replace_in_steps(dir, file, &kept, wanted, &new);
        }
        if self.holds(&kept.path, wanted)? {
            settle_folder(&kept.dir);
            return Ok(true);
        }
        // It was saved just then: that save is put back.
        exchange(&kept.dir, dir, name)?;
        self.discard(&kept, &new);
        Ok(false)
    }

    /// The same where the system has no exchange of names, with what is to come in `kept`.
    pub(super) fn replace_in_steps(
        &self,
        dir: &Dir,
        file: &str,
        kept: &BackupPlace,
        wanted: &str,
        new: &str,
    ) -> io::Result<bool> {
        let owed = self.take_as_owed(dir, file, wanted, new).inspect_err(|_| self.discard(kept, new))?;
        // If it holds something else, it was saved just then.
        let put = self.holds(&owed.path, wanted).and_then(|holds| Ok(holds && self.place_if_free(&kept.dir, file)?));
        self.discard(kept, new);
        if matches!(put, Ok(true)) {
            // What is not noted now, the next look notes: it finds at the place what was to come.
            let _ = self.mark_paid(&owed.entry, file);
        } else {
            // If another file is there by now, or this fails as well, the next look does it.
            let _ = self.place_if_free(&owed.dir, file);
            self.remove_empty(&owed.path);
        }
        put
    }

    /// Takes a file away that something else is about to replace.
    pub(super) fn take_as_owed(
        &self,
        dir: &Dir,
        file: &str,
        old_hash: &str,
        new_hash: &str,
    ) -> io::Result<BackupPlace> {
        let (name, owed) = (
            place::name(file),
            self.make_backup_place(file, &format!("{}-{OWED_SUFFIX}", entry_name(old_hash, new_hash)))?,
        );
        dir.rename(name, &owed.dir, name).inspect_err(|_| self.remove_empty(&owed.path))?;
        // First where it is kept: whenever the power fails, it is in one of the two.
        [&owed.dir, dir].into_iter().for_each(settle_folder);
        Ok(owed)
    }

    /// Notes that a file of an entry is owed to its place no more, and is kept only.
    pub(super) fn mark_paid(&self, entry: &str, file: &str) -> io::Result<()> {
        let Some((kept, OWED_SUFFIX)) = entry.rsplit_once('-') else { return Ok(()) };
        let [from, to] = [entry, kept].map(|entry| place::join(&place::join(FOLDER, entry), file));
        let (name, dir) = (place::name(file), self.make_folders(place::parents(&to))?);
        self.folder(place::parents(&from))?.rename(name, &dir, name)?;
        settle_folder(&dir);
        self.remove_empty(&from);
        Ok(())
    }

    /// Gives a file of another folder its place, if nothing is there; answers whether nothing was. The folders of the
    /// place may be gone by now.
    pub(super) fn place_if_free(&self, from: &Dir, file: &str) -> io::Result<bool> {
        let (name, to) = (place::name(file), self.make_folders(place::parents(file))?);
        let stands = rename_if_free(from, name, &to, name);
        settle_folder(&to);
        stands
    }

    /// Removes what was to become a file, and the folders made for it.
    fn discard(&self, kept: &BackupPlace, new: &str) {
        if self.holds(&kept.path, new).is_ok_and(|holds| holds) {
            let _ = kept.dir.remove_file(place::name(&kept.path));
        }
        self.remove_empty(&kept.path);
    }

    /// Takes away a file that holds what has the hash `wanted`; answers whether it did.
    pub(in crate::files) fn take_away(&self, file: &str, wanted: &str) -> io::Result<bool> {
        if !self.holds(file, wanted)? {
            return Ok(false);
        }
        let (name, dir) = (place::name(file), self.folder(place::parents(file))?);
        let kept = self.make_backup_place(file, &entry_name(wanted, wanted))?;
        dir.rename(name, &kept.dir, name).inspect_err(|_| self.remove_empty(&kept.path))?;
        // First where it is kept: whenever the power fails, it is in one of the two.
        [&kept.dir, &dir].into_iter().for_each(settle_folder);
        if self.holds(&kept.path, wanted)? {
            self.remove_empty(file);
            return Ok(true);
        }
        // It was saved just then. If another file is there by now, the next run puts this one beside it.
        self.place_if_free(&kept.dir, file)?;
        self.remove_empty(&kept.path);
        Ok(false)
    }

    /// Makes a place for a file in an entry of the hidden folder.
    pub(super) fn make_backup_place(&self, file: &str, entry: &str) -> io::Result<BackupPlace> {
        let path = place::join(&place::join(FOLDER, entry), file);
        let dir = self.make_folders(place::parents(&path))?;
        // Versions of a folder are none of its contents.
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        if let Ok(rules) = self.folder([FOLDER].into_iter())?.open_with(".gitignore", &options) {
            io::Write::write_all(&mut rules.into_std(), b"*\n")?;
        }
        Ok(BackupPlace { dir, path, entry: entry.to_owned() })
    }
}

/// The name of an entry: when it was made, what its file held, and what was to take its place.
fn entry_name(old_hash: &str, new_hash: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let told = |hash: &str| hash.chars().take(HASH_CHARS).collect::<String>();
    format!("{now}-{}-{}", told(old_hash), told(new_hash))
}
