//! Links as they are written, and which of them may lead to an article.

use std::{borrow::Cow, ops::Range};

use pulldown_cmark::LinkType;

/// Files that stand beside texts and are shown, played or opened: what is called so is no article.
const ATTACHMENTS: [&str; 33] = [
    "apng", "avif", "bmp", "gif", "heic", "ico", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp", "flac", "m4a",
    "mp3", "ogg", "opus", "wav", "avi", "mkv", "mov", "mp4", "webm", "csv", "docx", "odt", "pdf", "pptx", "xlsx",
    "canvas", "base", "zip",
];

/// A link that may lead to an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The target as it is written, without the part after `#`.
    pub(crate) target: String,
    /// The part after `#`; empty if there is none.
    pub(crate) anchor: String,
    /// How it is written.
    pub(crate) form: Form,
    /// Where `target` is in the text, if it is there unchanged.
    pub(crate) place: Option<Range<usize>>,
}

/// How a link is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// `[[target#anchor|text]]`
    Wiki,
    /// `[text](path/to/target.md#anchor)`
    Path,
    /// `article://target`
    Address,
}

impl Form {
    /// The name used in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Wiki => "wiki",
            Self::Path => "path",
            Self::Address => "address",
        }
    }

    /// The one with this name in the database.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Wiki, Self::Path, Self::Address].into_iter().find(|form| form.as_str() == name)
    }
}

impl Link {
    /// Returns the link that a parser has found at `range` of `text`, if it may lead to an article.
    pub(crate) fn of(kind: LinkType, address: &str, text: &str, range: Range<usize>) -> Option<Self> {
        let (address, _) = with_brackets(kind, address, text, range);
        let (form, target, anchor) = to_article(kind, before_bar(kind, &address))?;
        Some(Self { target: target.to_owned(), anchor: anchor.to_owned(), form, place: None })
    }

    /// Returns the link that stands between two pairs of brackets outside of a text, if it may lead to an article. `at`
    /// is where `inner` begins, if that is known.
    pub(crate) fn of_wiki(inner: &str, at: Option<usize>) -> Option<Self> {
        let (address, has_pothole) = inner.split_once('|').map_or((inner, false), |(address, _)| (address, true));
        let kind = LinkType::WikiLink { has_pothole };
        let (form, target, anchor) = to_article(kind, before_bar(kind, address))?;
        let place = at.and_then(|at| inner.find(target).map(|found| at + found..at + found + target.len()));
        Some(Self { target: target.to_owned(), anchor: anchor.to_owned(), form, place })
    }
}

/// The address of `[[address|shown]]`; in a table the bar is written `\|`.
pub(super) fn before_bar(kind: LinkType, address: &str) -> &str {
    let has_bar = matches!(kind, LinkType::WikiLink { has_pothole: true });
    address.strip_suffix('\\').filter(|_| has_bar).unwrap_or(address)
}

/// Returns the address and the place of a link; of `[[A [2]]]` the parser leaves out the bracket of the name at the
/// link's end.
pub(super) fn with_brackets<'a>(
    kind: LinkType,
    address: &'a str,
    text: &str,
    range: Range<usize>,
) -> (Cow<'a, str>, Range<usize>) {
    let (opened, closed) = (address.matches('[').count(), address.matches(']').count());
    match kind {
        LinkType::WikiLink { has_pothole: false } if opened == closed + 1 && text[range.end..].starts_with(']') => {
            (format!("{address}]").into(), range.start..range.end + 1)
        }
        LinkType::WikiLink { .. } if closed == opened + 1 && text[..range.start].ends_with('[') => {
            (format!("[{address}").into(), range.start - 1..range.end)
        }
        _ => (address.into(), range),
    }
}

/// Where `target` is in a link, after its label; `None` if it is elsewhere, or not unchanged.
pub(super) fn place(kind: LinkType, target: &str, link: &str) -> Option<usize> {
    match kind {
        LinkType::WikiLink { .. } | LinkType::Autolink => link.find(target),
        LinkType::Inline => link.rmatch_indices("](").find_map(|(at, mark)| after(link, at + mark.len(), target)),
        kind if is_by_label(kind) => {
            link.match_indices("]:").find_map(|(at, mark)| after(link, at + mark.len(), target))
        }
        _ => None,
    }
}

/// Where `target` is in a link, if its address begins at `at`.
fn after(link: &str, at: usize, target: &str) -> Option<usize> {
    let address = link[at..].trim_start();
    let address = address.strip_prefix('<').unwrap_or(address);
    let address = address.strip_prefix("article://").unwrap_or(address);
    address.starts_with(target).then(|| link.len() - address.len())
}

/// Whether the address of a link stands elsewhere: `[text][label]`, `[label][]`, `[label]`
pub(super) fn is_by_label(kind: LinkType) -> bool {
    matches!(kind, LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut)
}

/// Returns the target of a link, if that may be an article.
pub(super) fn to_article(kind: LinkType, address: &str) -> Option<(Form, &str, &str)> {
    let (form, rest) = match kind {
        LinkType::WikiLink { .. } => (Form::Wiki, address),
        _ => match address.strip_prefix("article://") {
            Some(rest) => (Form::Address, rest),
            None if leads_elsewhere(address) => return None,
            None => (Form::Path, address),
        },
    };
    let (target, anchor) = rest.split_once('#').unwrap_or((rest, ""));
    let target = if form == Form::Path { target.split('?').next().unwrap_or(target) } else { target };
    let target = target.trim();
    let is_file_of_another_kind = form == Form::Path
        && !target.ends_with('/')
        && extension(target).is_some_and(|kind| !["md", "markdown", "mdx", "csv"].contains(&kind.as_str()));
    let is_attached = form == Form::Wiki && is_attachment(target);
    (!target.is_empty() && !is_file_of_another_kind && !is_attached).then_some((form, target, anchor))
}

/// Whether a target is called as files are that are no texts. A table (`.csv`) may still be one that was imported.
pub(crate) fn is_attachment(target: &str) -> bool {
    extension(target).is_some_and(|kind| ATTACHMENTS.contains(&kind.as_str()))
}

/// Whether an address names another place than one beside the text: it has a scheme, or a host.
pub(crate) fn leads_elsewhere(address: &str) -> bool {
    address.starts_with("//") || has_scheme(address)
}

fn has_scheme(address: &str) -> bool {
    let Some((scheme, _)) = address.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
}

/// The extension of a file name: a few letters after its last dot.
fn extension(target: &str) -> Option<String> {
    let name = target.rsplit('/').next().unwrap_or(target);
    let (_, extension) = name.rsplit_once('.')?;
    let is_one = (1..=8).contains(&extension.len()) && extension.chars().all(|c| c.is_ascii_alphanumeric());
    is_one.then(|| extension.to_ascii_lowercase())
}
