//! What a text will look like, and what a file will be called, before either is saved.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{draft::Draft, links};
use crate::{
    articles::linking::LinkTarget,
    auth::Permission,
    files, offload,
    page::{app::PageState, given::Form, layout, markdown, refusal::Refusal, visit::Visit},
};

/// The text of the form, as it will be read.
pub(super) async fn show(
    State(app): State<PageState>,
    visit: Visit,
    Form(draft): Form<Draft>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let draft = draft.read();
    let slug = Some(draft.of.as_str()).filter(|slug| !slug.is_empty());
    Ok(layout::html(render(&app, slug, &draft).await))
}

/// A file of which the title is asked.
#[derive(Deserialize)]
pub(super) struct FileForm {
    text: String,
    file: String,
}

/// The title that an import gives the article of a file.
pub(super) async fn title_of_file(
    State(app): State<PageState>,
    visit: Visit,
    Form(given): Form<FileForm>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Write)?;
    let limits = app.host.articles.limits;
    let title = offload::show(move |_| files::title(&given.text, &given.file, limits)).await;
    Ok(title.into_response())
}

/// The text of a draft; its links lead from the article of this slug.
pub(super) async fn render(app: &PageState, slug: Option<&str>, draft: &Draft) -> Markup {
    let text = markdown::after_front_matter(&draft.body);
    let article: Option<LinkTarget> = match slug {
        // An article that is gone has no file from which its links could lead.
        Some(slug) => app.host.articles.linked(slug).await.ok(),
        None => None,
    };
    // What was written is shown, even if the database does not say now where it leads.
    let destinations = links::of(app, article.as_ref(), text).await.unwrap_or_default();
    let rendered = markdown::render(text, destinations).await;
    html! {
        (rendered.html)
        @if rendered.is_cut { p.notice { "This is the beginning of a long text." } }
    }
}
