//! Where a page of a list ended, as a text that clients return unread.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::ArticleError;
use crate::api::NOT_A_CURSOR;

/// A place in a list that is ordered by time and number, the latest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Where the last one listed has its place. *Units:* milliseconds since 1970.
    pub(super) at: i64,
    /// Its number.
    pub(super) id: i64,
    /// When the last save was made that the first page saw: what was saved later has the place that it had then. `None` in a
    /// list of what does not move. *Units:* milliseconds since 1970.
    pub(super) began: Option<i64>,
}

impl Cursor {
    pub(super) fn encode(self) -> String {
        let Self { at, id, began } = self;
        let began = began.map(|began| format!(":{began}")).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(format!("{at}:{id}{began}"))
    }

    /// Where a page of a list of articles ended.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if it did not come from such a list.
    pub(super) fn of_list(cursor: &str) -> Result<Self, ArticleError> {
        Self::decode(cursor).filter(|cursor| cursor.began.is_some()).ok_or_else(invalid)
    }

    /// Where a page of a list of deleted articles ended.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if it did not come from such a list.
    pub(super) fn of_deleted(cursor: &str) -> Result<Self, ArticleError> {
        Self::decode(cursor).filter(|cursor| cursor.began.is_none()).ok_or_else(invalid)
    }

    fn decode(cursor: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let numbers: Vec<i64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        match numbers[..] {
            [at, id] => Some(Self { at, id, began: None }),
            [at, id, began] => Some(Self { at, id, began: Some(began) }),
            _ => None,
        }
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
