//! One article that comes over.

use afterword_actors::{store::StoreError, task::Priority};

use super::{
    super::{
        hash,
        source::{self, FileRecord},
    },
    place::ArticlePlace,
    theirs::{State, TheirArticle},
};
use crate::articles::{
    Article, ArticleError, ArticlePatch, Articles, NewArticle, SaveResult, create,
    front_matter::{self, Setting},
    names,
    properties::{Properties, Value},
    reading::BodyReading,
    row,
    slug::Slug,
    update,
};

/// What becomes of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArticleOutcome {
    Created,
    Continued,
    Unchanged,
    /// It was edited here since.
    Edited,
    /// It was deleted here since.
    Deleted,
}

/// What is to be done.
pub(super) struct SavePlan {
    pub(super) outcome: ArticleOutcome,
    /// The article as it is here.
    present: Option<Article>,
    missing: Vec<State>,
    /// Whether it is for all there, which it was not when it came, or the other way round.
    public: Option<bool>,
}

/// Why an article was not saved.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSaved {
    #[error(transparent)]
    Article(#[from] ArticleError),
    /// Another run was faster: the plan no longer holds.
    #[error("another run keeps saving it; import it again")]
    Overtaken,
}

impl From<StoreError> for NotSaved {
    fn from(error: StoreError) -> Self {
        Self::Article(error.into())
    }
}

impl ArticlePlace {
    /// What is noted of an article that was saved from `state`.
    fn record_of(&self, saved: &SaveResult, state: &State) -> FileRecord {
        let record = FileRecord::without_article(self.source, self.path.clone(), hash_of(state));
        // It is no file, and goes out as an article that was written here.
        FileRecord { written: true, ..record.with_article(&saved.article) }
    }
}

/// Tells one state from another.
fn hash_of(state: &State) -> String {
    let (title, body, folder) = state.says();
    hash(format!("{title}\0{folder}\0{body}").as_bytes())
}

/// What is missing here of an article there.
pub(super) async fn plan(
    articles: &Articles,
    theirs: &TheirArticle,
    place: &ArticlePlace,
    states: &[State],
) -> Result<SavePlan, NotSaved> {
    let end = |outcome| Ok(SavePlan { outcome, present: None, missing: Vec::new(), public: None });
    let Some(record) = &place.record else {
        let missing = can_be_saved(states, theirs, articles)?;
        return Ok(SavePlan { outcome: ArticleOutcome::Created, present: None, missing, public: None });
    };
    let reader = articles.database.reader();
    let Some(present) = row::by_id(reader, record.article_id).await?.map(Article::from) else {
        return end(ArticleOutcome::Deleted);
    };
    let is_here = |state: &State| hash_of(state) == record.file_hash;
    // What came back to an earlier text has it twice: each revision is at its number at the earliest.
    let least = usize::try_from(record.revision - 1).unwrap_or_default().min(states.len());
    let at_its_number = states[least..].iter().position(is_here).map(|after| least + after);
    let here = at_its_number.or_else(|| states.iter().rposition(is_here));
    // A history that was changed there is not brought in once more; what the article is now, is.
    let from = here.map_or(states.len() - 1, |here| here + 1);
    let public = public_of(&present).filter(|public| *public != theirs.is_public).map(|_| theirs.is_public);
    let is_otherwise = public.is_some() || present.skip_embedding != theirs.no_rag;
    // What is for all, or left out, is no part of the history there: the same once more, with that.
    let from = if is_otherwise { from.min(states.len() - 1) } else { from };
    let missing = can_be_saved(&states[from..], theirs, articles)?;
    if missing.is_empty() {
        return end(ArticleOutcome::Unchanged);
    }
    let is_edited = present.revision != record.revision
        && !source::unedited_articles(reader, &[(record.article_id, record.revision)])
            .await?
            .contains(&record.article_id);
    if is_edited {
        return end(ArticleOutcome::Edited);
    }
    Ok(SavePlan { outcome: ArticleOutcome::Continued, present: Some(present), missing, public })
}

/// The states, if each of them can be an article.
fn can_be_saved(states: &[State], theirs: &TheirArticle, articles: &Articles) -> Result<Vec<State>, ArticleError> {
    for state in states {
        let (title, body, properties) = (state.title.clone(), state.body.clone(), public(theirs.is_public));
        NewArticle { title, body, properties, ..NewArticle::default() }.checked(articles.limits)?;
    }
    Ok(states.to_vec())
}

/// The properties of an article that is for all.
fn public(is_public: bool) -> Vec<(String, Option<Setting>)> {
    is_public.then(|| (PUBLIC.to_owned(), Some(Setting::Switch(true)))).into_iter().collect()
}

/// Whether an article is said to be for all, beside its text; `None` if the text says so itself.
fn public_of(article: &Article) -> Option<bool> {
    if front_matter::keys(&article.body).contains(PUBLIC) {
        return None;
    }
    let said = Properties::of_front_matter(&article.front_matter);
    let public = said.of(PUBLIC).any(|value| matches!(value, Value::Switch(true)));
    Some(public)
}

/// The property of an article that is for all.
const PUBLIC: &str = "public";

impl SavePlan {
    /// Saves what is missing, one revision after the other, and compares what is here then with what is there.
    pub(super) async fn carry_out(
        self,
        articles: &Articles,
        theirs: &TheirArticle,
        place: &ArticlePlace,
    ) -> Result<ArticleOutcome, NotSaved> {
        let Self { outcome, mut present, missing, public } = self;
        for state in &missing {
            let saved = match &present {
                None => create_article(articles, theirs, place, state).await?,
                Some(article) => update_article(articles, theirs, article, place, (state, public)).await?,
            };
            present = Some(saved.article);
        }
        let (Some(article), Some(last)) = (present, missing.last()) else { return Ok(outcome) };
        let stored = row::by_id(articles.database.reader(), article.id).await?.map(Article::from);
        let is_same = stored
            .is_some_and(|stored| (stored.title.as_str(), stored.body.as_str(), stored.folder.as_str()) == last.says());
        if is_same {
            Ok(outcome)
        } else {
            Err(ArticleError::invalid("article", "differs from the original; import it again").into())
        }
    }
}

/// Under its slug there; under the same with a suffix if another article has it here.
async fn create_article(
    articles: &Articles,
    theirs: &TheirArticle,
    place: &ArticlePlace,
    state: &State,
) -> Result<SaveResult, NotSaved> {
    let slug = Slug::from_title(&theirs.slug);
    let mut refused = None;
    for slug in std::iter::once(slug.clone()).chain(names::distinguished(&slug, &place.path)) {
        match create_as(articles, theirs, place, state, slug).await {
            Err(NotSaved::Article(error @ (ArticleError::Exists { .. } | ArticleError::FormerName { .. }))) => {
                refused = Some(error);
            }
            done => return done,
        }
    }
    Err(refused.unwrap_or_else(|| StoreError::Busy.into()).into())
}

async fn create_as(
    articles: &Articles,
    theirs: &TheirArticle,
    place: &ArticlePlace,
    state: &State,
    slug: Slug,
) -> Result<SaveResult, NotSaved> {
    let new = NewArticle {
        title: state.title.clone(),
        body: state.body.clone(),
        slug: Some(slug),
        folder: state.folder.clone(),
        properties: public(theirs.is_public),
        skip_embedding: theirs.no_rag,
        priority: Some(Priority::Low),
        created_at: theirs.created_at.or(state.at),
        updated_at: state.at.or(theirs.created_at),
        ..NewArticle::default()
    };
    let new = new.checked(articles.limits)?;
    let (settings, read) = (articles.settings(), BodyReading::of(&new.body).await);
    let noted = (place.clone(), state.clone());
    let saved = articles
        .database
        .write(async move |transaction| {
            let saved = create::create(transaction, new, read, settings).await?;
            let (place, state) = noted;
            match source::record_new(transaction, &place.record_of(&saved, &state)).await? {
                true => place.mark(transaction).await.map(|()| saved).map_err(NotSaved::from),
                false => Err(NotSaved::Overtaken),
            }
        })
        .await?;
    Ok(articles.follow_up(saved).await?)
}

async fn update_article(
    articles: &Articles,
    theirs: &TheirArticle,
    article: &Article,
    place: &ArticlePlace,
    (state, public): (&State, Option<bool>),
) -> Result<SaveResult, NotSaved> {
    let public = public.map(|public| (PUBLIC.to_owned(), public.then_some(Setting::Switch(true))));
    let changes = ArticlePatch {
        title: Some(state.title.clone()),
        body: Some(state.body.clone()),
        folder: Some(state.folder.clone()),
        properties: public.into_iter().collect(),
        skip_embedding: Some(theirs.no_rag),
        priority: Some(Priority::Low),
        expected_revision: Some(article.revision),
        updated_at: state.at,
        ..ArticlePatch::default()
    };
    let changes = changes.checked(articles.limits)?;
    let (settings, read) = (articles.settings(), BodyReading::of(changes.body.as_deref().unwrap_or_default()).await);
    let (slug, noted) = (article.slug.clone(), (place.clone(), state.clone()));
    let saved = articles
        .database
        .write(async move |transaction| {
            let saved = update::update(transaction, &slug, changes, Some(read), settings).await;
            let saved = saved.map_err(overtaken)?;
            let (place, state) = noted;
            source::record(transaction, &place.record_of(&saved, &state)).await?;
            place.mark(transaction).await?;
            Ok::<_, NotSaved>(saved)
        })
        .await?;
    Ok(articles.follow_up(saved).await?)
}

/// Tells an article that was saved or deleted meanwhile, which is planned again, from one that cannot be saved.
fn overtaken(error: ArticleError) -> NotSaved {
    match error {
        ArticleError::Conflict { .. } | ArticleError::NotFound { .. } => NotSaved::Overtaken,
        other => other.into(),
    }
}
