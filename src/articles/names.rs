//! Which article gets a slug, when several want it at once.
//!
//! A slug is an article's present name or one of its former ones. These are in two tables, so no index makes them
//! unique together. On SQLite there is one writer. On PostgreSQL, a transaction that takes a name which may be a former
//! one (a rename, an undone deletion) excludes all others that take names, while the many creates share.

use afterword_actors::store::{Engine, StoreError, Transaction, advisory_locks, sql::Sql};
use unicode_normalization::UnicodeNormalization;

use super::slug::Slug;

/// Lengths of the suffixes that are tried, in order. *Units:* hexadecimal digits.
const SUFFIXES: [usize; 4] = [4, 8, 16, 64];

/// Prefix of a name that means an article by its number: it also reaches a deleted article when another one has its
/// slug now. No slug contains a colon.
pub(crate) const NUMBERED: &str = "id:";

/// Locks the names, shared, until the commit: no transaction can be alone with them.
pub(super) async fn share(transaction: &Transaction) -> Result<(), StoreError> {
    lock(transaction, advisory_locks::SHARE_NAMES, None).await
}

/// Locks the names exclusively until the commit.
pub(crate) async fn alone(transaction: &Transaction) -> Result<(), StoreError> {
    lock(transaction, advisory_locks::EXCLUDE_FROM_NAMES, None).await
}

/// Waits for another create with the same idempotency key, which then has an article to return.
pub(super) async fn one_by_one(transaction: &Transaction, key: &str) -> Result<(), StoreError> {
    lock(transaction, advisory_locks::TAKE_TURN_WITH_KEY, Some(key)).await
}

async fn lock(transaction: &Transaction, sql: &str, key: Option<&str>) -> Result<(), StoreError> {
    match transaction.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => transaction.run(sql, key.map(Into::into)).await.map(drop),
    }
}

/// Lets former slugs lead to the article `id`, unless they lead elsewhere.
pub(crate) async fn lead_to(transaction: &Transaction, id: i64, former: &[Slug]) -> Result<(), StoreError> {
    for slug in former {
        let sql = "INSERT INTO slug_aliases (slug, article_id, created_at) SELECT $1, $2, {now}
                   WHERE NOT EXISTS (SELECT 1 FROM articles WHERE slug = $1) ON CONFLICT DO NOTHING";
        transaction.later(sql, [slug.as_ref().into(), id.into()]).await?;
    }
    Ok(())
}

/// Returns slugs for an article when its own is taken; `text` distinguishes it from others.
pub(crate) fn distinguished(slug: &Slug, text: &str) -> impl Iterator<Item = Slug> {
    SUFFIXES.iter().map(|digits| slug.distinguished(text, *digits))
}

/// Whether people would consider two titles the same.
pub(super) fn is_same_title(one: &str, other: &str) -> bool {
    let plain = |title: &str| title.trim().nfc().flat_map(char::to_lowercase).collect::<String>();
    plain(one) == plain(other)
}
