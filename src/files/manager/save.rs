//! One article that comes over.

use afterword_actors::{store::StoreError, task::Priority};

use super::{
    super::{
        hash,
        source::{self, Known},
    },
    theirs::{State, TheirArticle},
};
use crate::articles::{
    Article, ArticleError, Articles, Changes, NewArticle, Saved, create, front_matter::Setting, names,
    reading::BodyReading, row, slug::Slug, update,
};

/// What becomes of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Created,
    Continued,
    Unchanged,
    /// It was edited here since.
    Edited,
    /// It was deleted here since.
    Deleted,
}

/// Where an article is noted, and what is known of it.
#[derive(Clone)]
pub(super) struct Place {
    source: i64,
    path: String,
    known: Option<Known>,
}

/// What is to be done.
pub(super) struct Planned {
    pub(super) outcome: Outcome,
    /// The article as it is here.
    present: Option<Article>,
    missing: Vec<State>,
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

/// The place of an article in its source.
pub(super) fn place(article: &TheirArticle) -> String {
    format!("{}.md", article.slug)
}

impl Place {
    pub(super) fn of(source: i64, article: &TheirArticle, known: Option<Known>) -> Self {
        Self { source, path: place(article), known }
    }

    /// The same, with what is known of it by now.
    pub(super) async fn anew(self, articles: &Articles) -> Result<Self, StoreError> {
        let known = source::files(articles.database.reader(), self.source, &self.path).await?;
        Ok(Self { known: known.into_iter().find(|known| known.path == self.path), ..self })
    }

    pub(super) fn is_known_as(&self, other: &Self) -> bool {
        let noted = |place: &Self| place.known.as_ref().map(|known| (known.article_id, known.revision));
        noted(self) == noted(other)
    }

    /// What is noted of an article that was saved from `state`.
    fn noted(&self, saved: &Saved, state: &State) -> Known {
        let article = &saved.article;
        Known {
            source_id: self.source,
            path: self.path.clone(),
            article_id: article.id,
            file_hash: hash_of(state),
            revision: article.revision,
            slug: article.slug.clone(),
            folder: article.folder.clone(),
            // It is no file, and goes out as an article that was written here.
            written: true,
            present: None,
            present_slug: None,
        }
    }
}

/// Tells one state from another.
fn hash_of(state: &State) -> String {
    let (title, body, folder) = state.says();
    hash(format!("{title}\0{folder}\0{body}").as_bytes())
}

/// What is missing here of an article there.
pub(super) async fn plan(articles: &Articles, place: &Place, states: &[State]) -> Result<Planned, StoreError> {
    let end = |outcome| Ok(Planned { outcome, present: None, missing: Vec::new() });
    let Some(known) = &place.known else {
        return Ok(Planned { outcome: Outcome::Created, present: None, missing: states.to_vec() });
    };
    let reader = articles.database.reader();
    let Some(present) = row::by_id(reader, known.article_id).await?.map(Article::from) else {
        return end(Outcome::Deleted);
    };
    let is_here = |state: &State| hash_of(state) == known.file_hash;
    // What came back to an earlier text has it twice: each revision is at its number at the earliest.
    let least = usize::try_from(known.revision - 1).unwrap_or_default().min(states.len());
    let at_its_number = states[least..].iter().position(is_here).map(|after| least + after);
    let here = at_its_number.or_else(|| states.iter().rposition(is_here));
    // A history that was changed there is not brought in once more; what the article is now, is.
    let from = here.map_or(states.len() - 1, |here| here + 1);
    let missing = states[from..].to_vec();
    if missing.is_empty() {
        return end(Outcome::Unchanged);
    }
    let is_edited = present.revision != known.revision
        && !source::unedited(reader, &[(known.article_id, known.revision)]).await?.contains(&known.article_id);
    if is_edited {
        return end(Outcome::Edited);
    }
    Ok(Planned { outcome: Outcome::Continued, present: Some(present), missing })
}

impl Planned {
    /// Saves what is missing, one revision after the other, and compares what is here then with what is there.
    pub(super) async fn carry_out(
        self,
        articles: &Articles,
        theirs: &TheirArticle,
        place: &Place,
    ) -> Result<Outcome, NotSaved> {
        let Self { outcome, mut present, missing } = self;
        for state in &missing {
            let saved = match &present {
                None => created(articles, theirs, place, state).await?,
                Some(article) => updated(articles, article, place, state).await?,
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
async fn created(articles: &Articles, theirs: &TheirArticle, place: &Place, state: &State) -> Result<Saved, NotSaved> {
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
    place: &Place,
    state: &State,
    slug: Slug,
) -> Result<Saved, NotSaved> {
    let public = theirs.is_public.then(|| ("public".to_owned(), Some(Setting::Switch(true))));
    let new = NewArticle {
        title: state.title.clone(),
        body: state.body.clone(),
        slug: Some(slug),
        folder: state.folder.clone(),
        properties: public.into_iter().collect(),
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
        .write(move |transaction| {
            Box::pin(async move {
                let saved = create::create(transaction, new, read, settings).await?;
                let (place, state) = noted;
                match source::record(transaction, &place.noted(&saved, &state), false).await? {
                    true => Ok(saved),
                    false => Err(NotSaved::Overtaken),
                }
            })
        })
        .await?;
    Ok(articles.follow_up(saved).await?)
}

async fn updated(articles: &Articles, article: &Article, place: &Place, state: &State) -> Result<Saved, NotSaved> {
    let changes = Changes {
        title: Some(state.title.clone()),
        body: Some(state.body.clone()),
        folder: Some(state.folder.clone()),
        priority: Some(Priority::Low),
        expected_revision: Some(article.revision),
        updated_at: state.at,
        ..Changes::default()
    };
    let changes = changes.checked(articles.limits)?;
    let (settings, read) = (articles.settings(), BodyReading::of(changes.body.as_deref().unwrap_or_default()).await);
    let (slug, noted) = (article.slug.clone(), (place.clone(), state.clone()));
    let saved = articles
        .database
        .write(move |transaction| {
            Box::pin(async move {
                let saved = update::update(transaction, &slug, changes, Some(read), settings).await;
                let saved = saved.map_err(overtaken)?;
                let (place, state) = noted;
                source::record(transaction, &place.noted(&saved, &state), true).await?;
                Ok::<_, NotSaved>(saved)
            })
        })
        .await?;
    Ok(articles.follow_up(saved).await?)
}

/// What was saved or deleted meanwhile is looked at again.
fn overtaken(error: ArticleError) -> NotSaved {
    match error {
        ArticleError::Conflict { .. } | ArticleError::NotFound { .. } => NotSaved::Overtaken,
        other => other.into(),
    }
}
