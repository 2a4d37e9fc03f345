//! Which files of a folder are articles.
//!
//! Links are not followed: they may lead anywhere. Hidden files and folders, `node_modules`, and what `.gitignore` or
//! `.afterwordignore` name stay out, and so does what is no markdown; each is told with its reason.

use std::{
    io::{self, Read},
    path::Path,
    rc::Rc,
    time::Duration,
};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, FileType, OpenOptions};
use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};

use super::{
    place,
    report::{FileProblem, LeftOut, Reason},
    root::Root,
};

/// Extensions of markdown files.
const MARKDOWN: [&str; 4] = ["md", "markdown", "mdx", "mkd"];
/// Read from the inside out, and of one folder in this order.
pub(super) const RULES: [&str; 2] = [".afterwordignore", ".gitignore"];
/// Longest file of rules. *Units:* bytes.
const LONGEST_RULES: u64 = 1 << 20;

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct FolderContents {
    /// Markdown files, in order.
    pub(super) files: Vec<String>,
    pub(super) left_out: Vec<LeftOut>,
    /// What could not be looked into.
    pub(super) failed: Vec<FileProblem>,
}

/// The rules that hold in a folder.
struct Rules {
    above: Option<Rc<Rules>>,
    own: Vec<Gitignore>,
}

/// Whether what is written in a file of this name is ever read.
pub(super) fn is_read(name: &str) -> bool {
    RULES.contains(&name) || is_markdown(name)
}

/// Whether a file is called as one of markdown.
pub(super) fn is_markdown(name: &str) -> bool {
    MARKDOWN.contains(&place::extension(name).as_str())
}

/// Whether a walk would not come by a file at this place.
pub(super) fn passes_by(root: &Root, place: &str) -> bool {
    let (mut rules, mut path) = (None, String::new());
    let parts: Vec<&str> = place.split('/').collect();
    parts.iter().enumerate().any(|(number, part)| {
        // A folder that is not there has no rules; one whose rules cannot be read is not walked.
        let own = root.folder(path.split('/')).map_or_else(|_| Ok(Vec::new()), |dir| rules_of(root, &dir, &path));
        let Ok(own) = own else { return true };
        let here = Rc::new(Rules { above: rules.take(), own });
        path = place::join(&path, part);
        let is_out = by_name(&path, number + 1 < parts.len(), &here).is_some();
        rules = Some(here);
        is_out
    })
}

/// Everything in `root`. What cannot be read is told, and the rest goes on.
pub(super) fn walk(root: &Root) -> FolderContents {
    let mut walked = FolderContents::default();
    let mut open: Vec<(String, Option<Rc<Rules>>)> = vec![(String::new(), None)];
    while let Some((path, above)) = open.pop() {
        let below = root.folder(path.split('/')).and_then(|dir| {
            let rules = Rc::new(Rules { above, own: rules_of(root, &dir, &path)? });
            look(&dir, &path, &rules, &mut walked).map(|folders| (folders, rules))
        });
        match below {
            Ok((folders, rules)) => open.extend(folders.into_iter().map(|folder| (folder, Some(Rc::clone(&rules))))),
            Err(error) => {
                walked.failed.push(FileProblem::new(format!("{path}/"), format!("cannot be looked into: {error}")));
            }
        }
    }
    walked.files.sort_unstable();
    walked.left_out.sort_by(|a, b| a.path.cmp(&b.path));
    walked
}

/// Sorts what is in one folder; answers its sub-folders.
fn look(dir: &Dir, path: &str, rules: &Rules, walked: &mut FolderContents) -> io::Result<Vec<String>> {
    let mut folders = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            let shown = place::join(path, &name.to_string_lossy());
            walked.failed.push(FileProblem::new(shown, "has a name that is not UTF-8; rename it, then import it"));
            continue;
        };
        let (kind, file) = (entry.file_type()?, place::join(path, name));
        match reason(&file, kind, rules) {
            Some(reason) => {
                let path = if kind.is_dir() { format!("{file}/") } else { file };
                walked.left_out.push(LeftOut { path, reason });
            }
            None if kind.is_dir() => folders.push(file),
            None => walked.files.push(file),
        }
    }
    Ok(folders)
}

/// What the name of a file, or of a folder, says.
fn by_name(file: &str, is_folder: bool, rules: &Rules) -> Option<Reason> {
    let name = place::name(file);
    match rules.judge(file, is_folder) {
        Some(true) => Some(Reason::Ignored),
        Some(false) => None,
        None if name.starts_with('.') && !is_dotted_note(name) => Some(Reason::Hidden),
        None if is_folder && name == "node_modules" => Some(Reason::Packages),
        None => None,
    }
}

fn reason(file: &str, kind: FileType, rules: &Rules) -> Option<Reason> {
    if let Some(reason) = by_name(file, kind.is_dir(), rules) {
        return Some(reason);
    }
    if kind.is_symlink() {
        Some(Reason::Link)
    } else if kind.is_dir() {
        None
    } else if !kind.is_file() {
        Some(Reason::Special)
    } else {
        (!is_markdown(file)).then_some(Reason::NotMarkdown)
    }
}

/// `....md` is called `...`, and is not hidden for being called so.
fn is_dotted_note(name: &str) -> bool {
    name.starts_with("..") && is_markdown(name)
}

impl Rules {
    /// Whether it is to stay out; `None` if no rule speaks of it.
    fn judge(&self, file: &str, is_folder: bool) -> Option<bool> {
        let mut rules = Some(self);
        while let Some(here) = rules {
            for own in &here.own {
                match own.matched(file, is_folder) {
                    Match::Ignore(_) => return Some(true),
                    Match::Whitelist(_) => return Some(false),
                    Match::None => {}
                }
            }
            rules = here.above.as_deref();
        }
        None
    }
}

/// The rules that stand in a folder. A line that is none is passed over.
///
/// # Errors
/// Rules that cannot be read might leave anything out, so they are not taken for none.
fn rules_of(root: &Root, dir: &Dir, path: &str) -> io::Result<Vec<Gitignore>> {
    let mut rules = Vec::new();
    for name in RULES {
        let text = settled_text(root, dir, &place::join(path, name));
        let text = text.map_err(|error| io::Error::new(error.kind(), format!("{name} cannot be read: {error}")))?;
        let mut builder = GitignoreBuilder::new(Path::new(path));
        for line in text.lines() {
            let _ = builder.add_line(None, line);
        }
        rules.extend(builder.build().ok());
    }
    Ok(rules)
}

/// What a file of rules says. One that has just been emptied is perhaps being saved, and gets the time to be.
fn settled_text(root: &Root, dir: &Dir, file: &str) -> io::Result<String> {
    const MAX_LOOKS: usize = 16;
    const LOOK_INTERVAL: Duration = Duration::from_millis(25);
    for _ in 0..MAX_LOOKS {
        let text = text_of(dir, place::name(file))?;
        if !text.is_empty() || root.stamp(file).is_none_or(|stamp| stamp.is_settled()) {
            return Ok(text);
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    Err(io::Error::other("it was emptied a moment ago, and is perhaps being saved"))
}

/// What a file of rules says; nothing if there is none, or something that is no file.
fn text_of(dir: &Dir, name: &str) -> io::Result<String> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    let file = match dir.symlink_metadata(name) {
        Ok(about) if about.is_file() => dir.open_with(name, &options)?,
        Ok(_) => return Ok(String::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(LONGEST_RULES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST_RULES {
        return Err(io::Error::other(format!("it has more than {LONGEST_RULES} bytes")));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
