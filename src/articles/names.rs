//! Who gets a slug, when several want it at once.
//!
//! A slug is an article's present name or one of its former ones, and the two stand in two tables, which no index holds
//! apart. On SQLite there is one writer. On PostgreSQL, whoever takes a name that may be a former one (a rename, a
//! deletion undone) is alone among all that take names, while creates, which are many, share.

use afterword_actors::store::{Engine, StoreError, Transaction, sql::Sql};
use unicode_normalization::UnicodeNormalization;

use super::slug::Slug;

/// Lengths of the suffixes that are tried, in order. *Units:* hexadecimal digits.
const SUFFIXES: [usize; 4] = [4, 8, 16, 64];

/// Takes part in taking names; until the commit, nobody is alone with them.
pub(super) async fn share(transaction: &Transaction) -> Result<(), StoreError> {
    held(transaction, "SELECT pg_advisory_xact_lock_shared(7165, 0)", None).await
}

/// Waits until nobody else takes names, and keeps others from it until the commit.
pub(super) async fn alone(transaction: &Transaction) -> Result<(), StoreError> {
    held(transaction, "SELECT pg_advisory_xact_lock(7165, 0)", None).await
}

/// Waits for another create with the same idempotency key, which then has an article to answer with.
pub(super) async fn one_by_one(transaction: &Transaction, key: &str) -> Result<(), StoreError> {
    held(transaction, "SELECT pg_advisory_xact_lock(7166, hashtext($1))", Some(key)).await
}

async fn held(transaction: &Transaction, sql: &str, key: Option<&str>) -> Result<(), StoreError> {
    match Engine::of(transaction) {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => transaction.run(sql, key.map(Into::into)).await.map(drop),
    }
}

/// Slugs for something whose own is taken; `text` tells it from others.
pub(super) fn distinguished(slug: &Slug, text: &str) -> impl Iterator<Item = Slug> {
    SUFFIXES.iter().map(|digits| slug.distinguished(text, *digits))
}

/// Whether people would take two titles for the same.
pub(super) fn is_same_title(one: &str, other: &str) -> bool {
    let plain = |title: &str| title.trim().nfc().flat_map(char::to_lowercase).collect::<String>();
    plain(one) == plain(other)
}
