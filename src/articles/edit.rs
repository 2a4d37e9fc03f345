//! Changes a part of an article: the edits are applied to the present text, and saved as one revision or not at all.

use super::{
    Article, ArticleError, ArticlePatch, Articles, OnConflict, SaveResult,
    editing::{self, Edit, Fault},
    row, turns,
};
use crate::offload;

/// How often edits are applied again after a save in between.
const MAX_TRIES: usize = 100;

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
pub struct EditResult {
    /// As stored.
    pub saved: SaveResult,
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
    pub async fn edit(&self, slug: &str, request: PartEdits) -> Result<EditResult, ArticleError> {
        let mut turn = None;
        for last in (0..MAX_TRIES).map(|attempt| attempt + 1 == MAX_TRIES) {
            let present = self.to_be_changed(slug).await?;
            let (slug, revision) = (present.slug.clone(), present.revision);
            let earlier = request.expected_revision.filter(|expected| *expected != revision);
            let was_expected = earlier.is_none();
            let Draft { before, after } = match earlier {
                None => self.apply_edits(present.body, &request.edits).await?,
                Some(expected) => self.add_difference(self.join_edits(present, expected, &request).await).await?,
            };
            let changes =
                ArticlePatch { body: Some(after), expected_revision: Some(revision), ..ArticlePatch::default() };
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
                    return Ok(EditResult { saved, changes, merged: !was_expected, before });
                }
            }
        }
        Err(ArticleError::not_found(slug))
    }

    /// Finds the article by slug, not by alias: another article may have taken the alias, and the wrong one would
    /// change.
    async fn to_be_changed(&self, slug: &str) -> Result<Article, ArticleError> {
        let article = row::by_slug(self.database.reader(), slug).await?;
        self.add_similar_name(article.map(Article::from).ok_or_else(|| ArticleError::not_found(slug))).await
    }

    async fn apply_edits(&self, before: String, edits: &[Edit]) -> Result<Draft, ArticleError> {
        let (edits, most) = (edits.to_vec(), self.limits.max_size);
        let apply = move || {
            let after = apply_edits(&before, &edits, most)?;
            Ok::<_, ArticleError>(Draft { before, after })
        };
        aside(apply).await
    }

    /// Applies the edits to the revision they were made for, and joins that with what has changed since.
    async fn join_edits(&self, newest: Article, expected: i64, request: &PartEdits) -> Result<Draft, ArticleError> {
        let slug = newest.slug.clone();
        let conflict = ArticleError::Conflict { slug: newest.slug, expected, present: newest.revision, changed: None };
        if request.on_conflict == OnConflict::Refuse {
            return Err(conflict);
        }
        // A revision that is not kept any more cannot be compared with.
        let Ok(base) = self.read_revision(&slug, expected).await else { return Err(conflict) };
        let (edits, most, before) = (request.edits.clone(), self.limits.max_size, newest.body);
        let join = move || {
            let after = join_edits(&base.body, &before, &edits, most)?;
            after.map(|after| Draft { before, after }).ok_or(conflict)
        };
        aside(join).await
    }
}

/// Applies edits; a text that would be too large is refused like one that is sent.
fn apply_edits(before: &str, edits: &[Edit], most: u64) -> Result<String, ArticleError> {
    editing::apply(before, edits, most).map_err(|error| match error.fault {
        Fault::TooLarge { size, limit } => ArticleError::TooLarge { size, limit },
        _ => error.into(),
    })
}

/// Joins `edits`, which were made for `base`, with what others have made of it; `None` if both change the same.
fn join_edits(base: &str, newest: &str, edits: &[Edit], most: u64) -> Result<Option<String>, ArticleError> {
    let ours = apply_edits(base, edits, most)?;
    // By lines first: what both have written in the same place, such as a save that is sent twice at once, stays there
    // once.
    Ok(editing::merge(base, &ours, newest).or_else(|| editing::applied_again(base, newest, edits, most)))
}

async fn difference(draft: Draft) -> String {
    aside(move || editing::unified(&draft.before, &draft.after)).await
}

/// Runs it off the async threads: texts may be large, and comparing them takes a processor for a while.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    offload::save(work).await
}
