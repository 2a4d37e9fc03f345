//! Where a page of a list ended, as a text that clients return unread. It says of which list it is: a place in one is
//! none in another.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{ArticleError, properties::Filter};
use crate::api::NOT_A_CURSOR;

/// A place in a list that is ordered by time and number, the latest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Where the last one listed has its place. *Units:* milliseconds since 1970.
    pub(super) at: i64,
    /// Its number.
    pub(super) id: i64,
    /// When the last save was made that the first page saw: what was saved later has the place that it had then. `None`
    /// in a list of what does not move. *Units:* milliseconds since 1970.
    pub(super) began: Option<i64>,
}

/// The list of these conditions, as its cursors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListName(i64);

impl ListName {
    /// Names the list of articles in `folder` that match `filter`, whatever times it asks for as an age.
    pub(super) fn of_articles(folder: &str, filter: &Filter) -> Self {
        Self::of(&["articles", folder, &filter.lasting()])
    }

    /// Names the list of deleted articles of `folder`.
    pub(super) fn of_deleted(folder: &str) -> Self {
        Self::of(&["deleted", folder])
    }

    fn of(conditions: &[&str]) -> Self {
        let hash = Sha256::digest(conditions.join("\0"));
        Self(hash.iter().take(4).fold(0, |number, byte| number << 8 | i64::from(*byte)))
    }
}

impl Cursor {
    pub(super) fn encode(self, list: ListName) -> String {
        let Self { at, id, began } = self;
        let began = began.map(|began| format!(":{began}")).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(format!("{}:{at}:{id}{began}", list.0))
    }

    /// Where a page of a list of articles ended.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if it did not come from this list.
    pub(super) fn of_list(cursor: &str, list: ListName) -> Result<Self, ArticleError> {
        Self::decode(cursor, list, |cursor| cursor.began.is_some())
    }

    /// Where a page of a list of deleted articles ended.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if it did not come from this list.
    pub(super) fn of_deleted(cursor: &str, list: ListName) -> Result<Self, ArticleError> {
        Self::decode(cursor, list, |cursor| cursor.began.is_none())
    }

    fn decode(cursor: &str, list: ListName, is_of_kind: impl Fn(&Self) -> bool) -> Result<Self, ArticleError> {
        let numbers = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| {
            let text = String::from_utf8(bytes).ok()?;
            text.split(':').map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>()
        });
        let (of, place) = match numbers.as_deref() {
            Some([of, at, id]) => (*of, Self { at: *at, id: *id, began: None }),
            Some([of, at, id, began]) => (*of, Self { at: *at, id: *id, began: Some(*began) }),
            _ => return Err(invalid()),
        };
        if of != list.0 || !is_of_kind(&place) {
            let fault = "is of another list; send it with the folder, the filter and whatever else it came from";
            return Err(ArticleError::invalid("cursor", fault));
        }
        Ok(place)
    }
}

fn invalid() -> ArticleError {
    ArticleError::invalid("cursor", NOT_A_CURSOR)
}

/// Why a place in a list is none any more.
pub(super) fn too_old(most: i64) -> ArticleError {
    let fault = format!("is too old: more than {most} saves were made since the list began; begin without one");
    ArticleError::invalid("cursor", fault)
}
