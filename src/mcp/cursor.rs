//! Where a page ended, as a text that clients return unread. It says of which list it is: a place in one is none in
//! another.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::api::NOT_A_CURSOR;

/// What stands between the list and the place.
const SEPARATOR: char = ' ';

/// The name of the list that these conditions make.
pub(super) fn name(conditions: &impl Serialize) -> String {
    let conditions = serde_json::to_vec(conditions).unwrap_or_default();
    hex::encode(&Sha256::digest(conditions)[..6])
}

/// The cursor of a place in the list of this name, which has no blank.
pub(super) fn encode(list: &str, place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}{SEPARATOR}{place}"))
}

/// The place in the list of this name.
pub(super) fn decode(list: &str, cursor: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)?;
    match text.split_once(SEPARATOR) {
        Some((of, place)) if of == list => Ok(place.to_owned()),
        Some(_) => Err(Problem::new("cursor: is of another question or list; send it with the arguments it came from")),
        None => Err(invalid()),
    }
}

/// The number that the place is.
pub(super) fn decode_number<T: std::str::FromStr>(list: &str, cursor: &str) -> Result<T, Problem> {
    decode(list, cursor)?.parse().map_err(|_| invalid())
}

pub(super) fn invalid() -> Problem {
    Problem::new(format!("cursor: {NOT_A_CURSOR}"))
}
