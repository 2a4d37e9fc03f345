//! Changes a part of an article: the edits are applied to the present text, and saved as one revision or not at all.

use super::{
    Article, ArticleError, Articles, Changes, OnConflict, Saved, compared,
    editing::{self, Edit, Fault},
    row, turns,
};
use crate::offload;

/// How often edits are applied again after a save in between.
const TRIES: usize = 100;

/// Edits of one article.
#[derive(Debug, Clone, Default)]
pub struct PartEdits {
    /// In their order; each is applied to the result of those before it.
    pub edits: Vec<Edit>,
    /// The revision they were made for.
    pub expected_revision: Option<i64>,
    /// What to do if the article has changed since then.
    pub on_conflict: OnConflict,
}

/// An article after its edits.
#[derive(Debug, Clone)]
pub struct Edited {
    /// As stored.
    pub saved: Saved,
    /// The changed lines with some around them, as `diff -u` shows them.
    pub changes: String,
    /// Whether it was merged with changes made by others.
    pub merged: bool,
    /// The text before.
    pub before: String,
}

/// A text before and after its edits.
struct Draft {
    before: String,
    after: String,
}

impl Articles {
    /// Applies edits to an article's text.
    ///
    /// # Errors
    /// [`ArticleError::Edit`] if one cannot be applied, [`ArticleError::Conflict`] if the article has changed, and
    /// those of [`Articles::update`]. Nothing is saved then.
    pub async fn edit(&self, slug: &str, asked: PartEdits) -> Result<Edited, ArticleError> {
        let mut turn = None;
        for last in (0..TRIES).map(|attempt| attempt + 1 == TRIES) {
            let present = self.to_be_changed(slug).await?;
            let (slug, revision) = (present.slug, present.revision);
            let was_expected = asked.expected_revision.is_none_or(|expected| expected == revision);
            let Draft { before, after } = if was_expected {
                self.applied(present.body, &asked.edits).await?
            } else {
                self.merged(&slug, present.body, revision, &asked).await?
            };
            let changes = Changes { body: Some(after), expected_revision: Some(revision), ..Changes::default() };
            match self.update(&slug, changes).await {
                // Another save came in between: the edits are applied to the newer text.
                Err(ArticleError::Conflict { .. }) if !last => {
                    if turn.is_none() {
                        turn = Some(turns::turn(&slug).await);
                    }
                }
                saved => {
                    let saved = saved?;
                    // What is stored may lack characters that no database keeps.
                    let stored = Draft { before: before.clone(), after: saved.article.body.clone() };
                    let changes = difference(stored).await;
                    return Ok(Edited { saved, changes, merged: !was_expected, before });
                }
            }
        }
        Err(ArticleError::not_found(slug))
    }

    /// Finds the article by slug, not by alias: another article may have taken the alias, and the wrong one would
    /// change.
    async fn to_be_changed(&self, slug: &str) -> Result<Article, ArticleError> {
        let article = row::by_slug(self.database.reader(), slug).await?;
        self.explained(article.map(Article::from).ok_or_else(|| ArticleError::not_found(slug))).await
    }

    async fn applied(&self, before: String, edits: &[Edit]) -> Result<Draft, ArticleError> {
        let (edits, most) = (edits.to_vec(), self.limits.max_size);
        let apply = move || {
            let after = applied(&before, &edits, most)?;
            Ok::<_, ArticleError>(Draft { before, after })
        };
        aside(apply).await
    }

    /// Applies the edits to the revision they were made for, and merges that with what has changed since.
    async fn merged(&self, slug: &str, newest: String, present: i64, asked: &PartEdits) -> Result<Draft, ArticleError> {
        let expected = asked.expected_revision.unwrap_or(present);
        let between = |changed| ArticleError::Conflict { slug: slug.to_owned(), expected, present, changed };
        // A revision that is not kept any more cannot be compared with.
        let Ok(base) = self.read_revision(slug, expected).await else { return Err(between(None)) };
        let (edits, merges, most) = (asked.edits.clone(), asked.on_conflict == OnConflict::Merge, self.limits.max_size);
        let merge = move || {
            let merged = if merges {
                let ours = applied(&base.body, &edits, most)?;
                editing::merge(&base.body, &ours, &newest)
            } else {
                None
            };
            Ok::<_, ArticleError>(match merged {
                Some(after) => Ok(Draft { before: newest, after }),
                None => Err(editing::unified(&base.body, &newest)),
            })
        };
        aside(merge).await?.map_err(|changed| between(Some(changed).filter(|changed| !changed.is_empty())))
    }

    /// Returns what has changed in an article since `revision`, as `diff -u` shows it: fields, front matter, text; `None` if that
    /// revision is not kept any more.
    ///
    /// # Errors
    /// [`ArticleError::NotFound`]
    pub async fn changed_since_revision(&self, slug: &str, revision: i64) -> Result<Option<String>, ArticleError> {
        let present = self.read(slug).await?;
        match self.read_revision(&present.slug, revision).await {
            Ok(past) => Ok(Some(aside(move || compared::unified(&past, &present)).await)),
            Err(ArticleError::NoRevision { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Applies edits; a text that would be too large is refused like one that is sent.
fn applied(before: &str, edits: &[Edit], most: u64) -> Result<String, ArticleError> {
    editing::apply(before, edits, most).map_err(|error| match error.fault {
        Fault::TooLarge { size, limit } => ArticleError::TooLarge { size, limit },
        _ => error.into(),
    })
}

async fn difference(draft: Draft) -> String {
    aside(move || editing::unified(&draft.before, &draft.after)).await
}

/// Runs it off the async threads: texts may be large, and comparing them takes a processor for a while.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    offload::save(work).await
}
