//! A conflict with another save: both texts, where they differ, and a choice.

use axum::{http::StatusCode, response::Response};
use maud::html;

use super::{draft::Draft, properties, read};
use crate::page::{
    app::PageState,
    differences,
    layout::{self, Here},
    pieces::moment,
    refusal::Refusal,
    visit::Visit,
};

pub(super) async fn show(
    app: &PageState,
    visit: &Visit,
    slug: &str,
    present: i64,
    draft: &Draft,
) -> Result<Response, Refusal> {
    let room = read::room(app, visit, slug).await?;
    let theirs = app.host.articles.read(slug).await?;
    let differences = differences::between("Differences of the text", &theirs.body, &draft.body).await;
    let saved = properties::written(&theirs.front_matter);
    let mine = draft.properties.as_ref().map(|typed| typed.replace("\r\n", "\n").trim_end().to_owned());
    let changed = match mine.filter(|mine| *mine != saved) {
        Some(mine) => Some(
            differences::between("Differences of the properties", &format!("{saved}\n"), &format!("{mine}\n")).await,
        ),
        None => None,
    };
    let main = html! {
        h1 { "Saved in between" }
        p.problem role="alert" {
            "Revision " (present) " was saved " (moment(theirs.updated_at)) ", while you edited revision "
            (draft.revision) ". Nothing is lost: choose what the article is to be."
        }
        @if theirs.title != draft.title {
            p { "Title: " del dir="auto" { (theirs.title) } " " ins dir="auto" { (draft.title) } }
        }
        @if theirs.folder != draft.folder {
            p { "Folder: " del dir="auto" { "/" (theirs.folder) } " " ins dir="auto" { "/" (draft.folder) } }
        }
        @if theirs.skip_embedding != draft.skips_embedding() {
            p { "Found: " del { (found_by(theirs.skip_embedding)) } " " ins { (found_by(draft.skips_embedding())) } }
        }
        h2 { "From what is saved to what you wrote" }
        (differences)
        @if let Some(changed) = changed {
            h2 { "Properties" }
            (changed)
        }
        form #editor.editor method="post" action={ "/articles/" (slug) "/edit" }
            data-draft={ "/articles/" (slug) "/edit@" (draft.revision) } {
            input type="hidden" name="revision" value=(present);
            input type="hidden" name="folder" value=(draft.folder);
            @if draft.skips_embedding() { input type="hidden" name="skip_embedding" value="on"; }
            label for="title" { "Title" }
            input #title type="text" name="title" value=(draft.title) required dir="auto";
            label for="body" { "Your text; add what you want to keep of theirs" }
            textarea #body name="body" dir="auto" rows="18" { "\n" (draft.body) }
            @if let Some(typed) = &draft.properties { (properties::field(typed, None)) }
            div.actions {
                button.primary type="submit" name="act" value="save" { "Save mine as the next revision" }
                a.button href={ "/articles/" (slug) } { "Keep theirs, and discard mine" }
            }
        }
    };
    let mut response = layout::view(visit, Here::Articles, "Saved in between", main);
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(read::keep(response, room))
}

fn found_by(words_only: bool) -> &'static str {
    if words_only { "by words only" } else { "by words and by meaning" }
}
