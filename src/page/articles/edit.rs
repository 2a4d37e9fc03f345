//! Writing: a new article, or a change to one. The text is kept until it is saved: a refusal shows it again, and so
//! does a conflict with another save.

use afterword_actors::store::StoreError;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use super::{confirmed::saved_as, conflict, draft::Draft, notices, preview::render, properties, read};
use crate::{
    articles::{
        Article, ArticleError, ArticlePatch, NewArticle,
        folder::Folder,
        front_matter::{Document, head},
        slug::Slug,
    },
    auth::Permission,
    page::{
        app::PageState,
        given::{Form, Path},
        layout::{self, Here},
        refusal::Refusal,
        visit::Visit,
    },
};

/// Folders that are suggested, of each depth.
const MAX_SUGGESTED_FOLDERS: usize = 50;

/// The text and title around the form.
#[derive(Default)]
struct FormNotes<'a> {
    why: Option<&'a str>,
    /// The field that has to be changed.
    wrong: Option<&'a str>,
    /// What is wrong with the properties.
    why_properties: Option<&'a str>,
    preview: Option<Markup>,
}

pub(super) async fn blank(State(app): State<PageState>, visit: Visit) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let draft = Draft { properties: Some(String::new()), ..Draft::default() };
    Ok(form(&app, &visit, None, &draft, FormNotes::default()).await)
}

pub(super) async fn show(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let room = read::room(&app, &visit, &slug).await?;
    let article = app.host.articles.read(&slug).await?;
    let draft = Draft {
        properties: properties_of(&article),
        title: article.title,
        body: article.body,
        folder: article.folder,
        skip_embedding: article.skip_embedding.then(String::new),
        revision: article.revision.to_string(),
        ..Draft::default()
    };
    Ok(read::keep(form(&app, &visit, Some(&article.slug), &draft, FormNotes::default()).await, room))
}

/// Front matter as the form shows it; `None` if the text begins with it, and it is changed there.
fn properties_of(article: &Article) -> Option<String> {
    let is_in_text = article.front_matter.is_empty() && !Document::split(&article.body).head.is_empty();
    (!is_in_text).then(|| properties::front_matter_source(&article.front_matter))
}

pub(super) async fn create(
    State(app): State<PageState>,
    visit: Visit,
    Form(draft): Form<Draft>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let draft = draft.read();
    if draft.act == "preview" {
        return Ok(preview(&app, &visit, None, &draft).await);
    }
    let saved = match new_article(&draft) {
        Ok(new) => app.host.articles.create(new).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(saved) => Ok(saved_as(&app, &saved.article.slug, &draft)),
        Err(error) => show_refusal(&app, &visit, None, &draft, error).await,
    }
}

pub(super) async fn save(
    State(app): State<PageState>,
    visit: Visit,
    Path(slug): Path<String>,
    Form(draft): Form<Draft>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let draft = draft.read();
    if draft.act == "preview" {
        return Ok(preview(&app, &visit, Some(&slug), &draft).await);
    }
    let (draft, present) = {
        // Given back before a conflict takes it again: it would wait for itself.
        let _room = read::room(&app, &visit, &slug).await?;
        match app.host.articles.read(&slug).await {
            Ok(present) => (draft.with_line_breaks_of(&present.body), Some(present)),
            // The save says what is the matter.
            Err(_) => (draft, None),
        }
    };
    let saved = match changes(&draft, present.as_ref()) {
        Ok(changes) => app.host.articles.update(&slug, changes).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(saved) => Ok(saved_as(&app, &saved.article.slug, &draft)),
        Err(ArticleError::Conflict { slug, expected: _, present, changed: _ }) => {
            conflict::show(&app, &visit, &slug, present, &draft).await
        }
        Err(error) => show_refusal(&app, &visit, Some(&slug), &draft, error).await,
    }
}

fn new_article(draft: &Draft) -> Result<NewArticle, ArticleError> {
    let slug = Some(draft.slug.trim()).filter(|slug| !slug.is_empty()).map(Slug::parse).transpose()?;
    Ok(NewArticle {
        title: draft.title.clone(),
        body: draft.body.clone(),
        slug,
        folder: folder(&draft.folder)?,
        front_matter: front_matter(draft, None)?.unwrap_or_default(),
        skip_embedding: draft.skip_embedding.is_some(),
        ..NewArticle::default()
    })
}

/// What changes in the article, which is `present`.
fn changes(draft: &Draft, present: Option<&Article>) -> Result<ArticlePatch, ArticleError> {
    let revision = draft.revision.parse();
    let revision =
        revision.map_err(|_| ArticleError::invalid("revision", "is not a revision; open the article again"))?;
    Ok(ArticlePatch {
        title: Some(draft.title.clone()),
        body: Some(draft.body.clone()),
        folder: Some(folder(&draft.folder)?),
        front_matter: front_matter(draft, present)?,
        skip_embedding: Some(draft.skip_embedding.is_some()),
        expected_revision: Some(revision),
        ..ArticlePatch::default()
    })
}

/// The front matter to save beside the text; `None`: it stays.
fn front_matter(draft: &Draft, present: Option<&Article>) -> Result<Option<String>, ArticleError> {
    let Some(typed) = draft.properties.as_deref() else { return Ok(None) };
    let (before, text_before) = present.map_or(("", ""), |present| (&present.front_matter, &present.body));
    let read = properties::read(typed, before)?;
    if read.is_some() || head(text_before) != head(&draft.body) {
        properties::must_be_in_one_place(read.as_deref().unwrap_or(before), &draft.body)?;
    }
    Ok(read)
}

fn folder(path: &str) -> Result<Folder, ArticleError> {
    Folder::parse(path).map_err(|error| ArticleError::invalid("folder", error.to_string()))
}

/// Shows the form again with its text, and the reason of the refusal.
async fn show_refusal(
    app: &PageState,
    visit: &Visit,
    slug: Option<&str>,
    draft: &Draft,
    error: ArticleError,
) -> Result<Response, Refusal> {
    // Of a change whose commit has no answer it is not known whether it is saved.
    let why = match &error {
        ArticleError::Store(StoreError::InDoubt(_)) => error.to_string(),
        _ => format!("Not saved: {error}"),
    };
    let why_properties = match &error {
        ArticleError::Invalid { field, message } if *field == properties::FIELD => {
            Some(format!("The properties {message}."))
        }
        _ => None,
    };
    let wrong = match &error {
        ArticleError::Invalid { field, .. } => Some(*field),
        ArticleError::Exists { .. } | ArticleError::FormerName { .. } => Some("slug"),
        ArticleError::TooLarge { .. } => Some("body"),
        _ => None,
    };
    let status = Refusal::from(error).into_response().status();
    let around = FormNotes { why: Some(&why), wrong, why_properties: why_properties.as_deref(), preview: None };
    let mut response = form(app, visit, slug, draft, around).await;
    *response.status_mut() = if status == StatusCode::NOT_FOUND { StatusCode::CONFLICT } else { status };
    Ok(response)
}

async fn preview(app: &PageState, visit: &Visit, slug: Option<&str>, draft: &Draft) -> Response {
    let preview = Some(render(app, slug, draft).await);
    form(app, visit, slug, draft, FormNotes { preview, ..FormNotes::default() }).await
}

async fn form(app: &PageState, visit: &Visit, slug: Option<&str>, draft: &Draft, around: FormNotes<'_>) -> Response {
    let folders = suggest_folders(app, &draft.folder).await;
    let action = slug.map_or_else(|| "/new".to_owned(), |slug| format!("/articles/{slug}/edit"));
    let title = if slug.is_some() { "Edit" } else { "New article" };
    let main = html! {
        h1 { (title) }
        @if let Some(why) = around.why { p.problem role="alert" dir="auto" { (why) } }
        div #drafts {}
        form #editor.editor method="post" action=(action) data-place=(action) data-of=[slug] {
            (fields(slug, draft, &around))
            datalist #folders { @for known in &folders { option value=(known) {} } }
            (notices::of_the_script())
            div.actions {
                button.primary type="submit" name="act" value="save" { "Save" }
                button #preview-button type="submit" name="act" value="preview" { "Preview" }
                a.button href=(slug.map_or_else(|| "/".to_owned(), |slug| format!("/articles/{slug}"))) { "Cancel" }
            }
        }
        section #preview aria-label="Preview" hidden[around.preview.is_none()] {
            h2 { "Preview" }
            div #preview-text.prose dir="auto" aria-live="polite" { @if let Some(preview) = around.preview { (preview) } }
        }
    };
    layout::view(visit, Here::Articles, title, main)
}

/// Folders to suggest: the outermost, and those in the one that was typed.
async fn suggest_folders(app: &PageState, folder: &str) -> Vec<Folder> {
    let articles = &app.host.articles;
    let mut folders = articles.subfolders(&Folder::default(), MAX_SUGGESTED_FOLDERS).await.unwrap_or_default();
    if let Ok(folder) = Folder::parse(folder).map_err(drop)
        && !folder.as_ref().is_empty()
    {
        folders.extend(articles.subfolders(&folder, MAX_SUGGESTED_FOLDERS).await.unwrap_or_default());
    }
    folders
}

fn fields(slug: Option<&str>, draft: &Draft, around: &FormNotes<'_>) -> Markup {
    let invalid = |field: &str| (around.wrong == Some(field)).then_some("true");
    html! {
        // Browsers would put back what was in it before a save.
        input type="hidden" name="revision" value=(draft.revision) autocomplete="off";
        input type="hidden" name="draft" value=(draft.draft) autocomplete="off";
        label for="title" { "Title" }
        input #title type="text" name="title" value=(draft.title) required dir="auto" autocomplete="off"
            aria-invalid=[invalid("title")];
        div.row {
            div {
                label for="folder" { "Folder" }
                input #folder type="text" name="folder" value=(draft.folder) list="folders" dir="auto" autocomplete="off"
                    placeholder="e.g. guides/rust" aria-invalid=[invalid("folder")];
            }
            @if slug.is_none() {
                div {
                    label for="slug" { "Name in addresses " span.quiet { "(from the title if empty)" } }
                    input #slug type="text" name="slug" value=(draft.slug) autocomplete="off" spellcheck="false"
                        aria-invalid=[invalid("slug")];
                }
            }
        }
        label for="body" { "Text " span.quiet { "(Markdown; files may be dropped here)" } }
        // The first line break after the tag is not part of the text.
        textarea #body name="body" dir="auto" rows="22" aria-invalid=[invalid("body")] { "\n" (draft.body) }
        @match &draft.properties {
            Some(typed) => (properties::field(typed, around.why_properties)),
            None => p.quiet { "The properties of this article stand at the beginning of its text." },
        }
        label.check {
            input type="checkbox" name="skip_embedding" checked[draft.skip_embedding.is_some()];
            " Find it by its words only, not by its meaning"
        }
    }
}
