//! A file as its layout means it.

use std::borrow::Cow;

/// What a file would be called, and would say, in a plain folder.
#[derive(Debug)]
pub(super) struct PlainFile<'t> {
    /// Where it would be.
    pub(super) place: String,
    pub(super) text: Cow<'t, str>,
    /// Its title, if the layout decides that and not the text.
    pub(super) title: Option<String>,
    /// When it was written, if its text does not say it. *Units:* milliseconds since 1970.
    pub(super) created: Option<i64>,
}
