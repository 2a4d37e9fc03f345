//! A conflict with another save: what each side changed, and both joined where they go together.

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};

use super::{draft::Draft, joined::Joined, notices, properties, read};
use crate::{
    articles::Article,
    page::{
        app::PageState,
        differences,
        layout::{self, Here},
        pieces::moment,
        refusal::Refusal,
        visit::Visit,
    },
};

pub(super) async fn show(
    app: &PageState,
    visit: &Visit,
    slug: &str,
    present: i64,
    mine: &Draft,
) -> Result<Response, Refusal> {
    let room = read::room(app, visit, slug).await?;
    let theirs = app.host.articles.read(slug).await?;
    let base = match mine.revision.parse() {
        // It may not be kept any more.
        Ok(revision) => app.host.articles.read_revision(slug, revision).await.ok(),
        Err(_) => None,
    };
    let joined = match &base {
        Some(base) => Joined::of(base, mine, &theirs).await,
        None => Joined { draft: mine.clone(), is_conflict: true },
    };
    let (saved, written) = (Text::of(&theirs), Text::from(mine));
    let main = html! {
        h1 { "Saved in between" }
        p.problem role="alert" {
            "Revision " (present) " was saved " (moment(theirs.updated_at)) ", while you edited revision " (mine.revision) ". "
            @if joined.is_conflict { "Both change the same. Nothing is lost: choose what the article is to be." }
            @else { "Both changes go together, and below they are joined." }
        }
        @match &base {
            Some(base) => {
                (changes(&MEANWHILE, &Text::of(base), &saved).await)
                (changes(&YOURS, &Text::of(base), &written).await)
            }
            None => (changes(&BOTH, &saved, &written).await),
        }
        (form(slug, present, mine, &joined))
    };
    let mut response = layout::view(visit, Here::Articles, "Saved in between", main);
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(read::keep(response, room))
}

/// The names of changes, of the text and of the properties: each difference has a name of its own.
struct ChangesNames {
    id: &'static str,
    text: &'static str,
    properties: &'static str,
}

const MEANWHILE: ChangesNames = ChangesNames {
    id: "theirs",
    text: "What was changed meanwhile",
    properties: "Which properties were changed meanwhile",
};
const YOURS: ChangesNames =
    ChangesNames { id: "yours", text: "What you changed", properties: "Which properties you changed" };
const BOTH: ChangesNames = ChangesNames {
    id: "both",
    text: "From what is saved to what you wrote",
    properties: "From the saved properties to those you wrote",
};

/// What the form has of an article.
struct Text<'a> {
    title: &'a str,
    folder: &'a str,
    skips_embedding: bool,
    body: &'a str,
    /// `None`: they are not in the form.
    properties: Option<String>,
}

impl<'a> Text<'a> {
    fn of(article: &'a Article) -> Self {
        Self {
            title: &article.title,
            folder: &article.folder,
            skips_embedding: article.skip_embedding,
            body: &article.body,
            properties: Some(properties::front_matter_source(&article.front_matter)),
        }
    }
}

impl<'a> From<&'a Draft> for Text<'a> {
    fn from(draft: &'a Draft) -> Self {
        Self {
            title: &draft.title,
            folder: &draft.folder,
            skips_embedding: draft.skips_embedding(),
            body: &draft.body,
            properties: draft.properties.as_ref().map(|typed| typed.replace("\r\n", "\n").trim_end().to_owned()),
        }
    }
}

async fn changes(names: &ChangesNames, old: &Text<'_>, new: &Text<'_>) -> Markup {
    let text = differences::differences(names.text, old.body, new.body).await;
    let properties = match (&old.properties, &new.properties) {
        (Some(old), Some(new)) if old != new => {
            Some(differences::differences(names.properties, &format!("{old}\n"), &format!("{new}\n")).await)
        }
        _ => None,
    };
    html! {
        section id=(names.id) {
            h2 { (names.text) }
            @if old.title != new.title { p { "Title: " del dir="auto" { (old.title) } " " ins dir="auto" { (new.title) } } }
            @if old.folder != new.folder { p { "Folder: " del dir="auto" { "/" (old.folder) } " " ins dir="auto" { "/" (new.folder) } } }
            @if old.skips_embedding != new.skips_embedding {
                p { "Found: " del { (found_by(old.skips_embedding)) } " " ins { (found_by(new.skips_embedding)) } }
            }
            (text)
            @if let Some(properties) = properties {
                h3 { "Properties" }
                (properties)
            }
        }
    }
}

fn form(slug: &str, present: i64, mine: &Draft, joined: &Joined) -> Markup {
    let Joined { draft, is_conflict } = joined;
    // Written on the revision before, until it is joined with the present one.
    let base = is_conflict.then_some(mine.revision.as_str());
    html! {
        form #editor.editor method="post" action={ "/articles/" (slug) "/edit" } data-place={ "/articles/" (slug) "/edit" } data-base=[base] {
            input type="hidden" name="revision" value=(present) autocomplete="off";
            input type="hidden" name="draft" value=(mine.draft) autocomplete="off";
            input type="hidden" name="folder" value=(draft.folder);
            @if draft.skips_embedding() { input type="hidden" name="skip_embedding" value="on"; }
            label for="title" { "Title" }
            input #title type="text" name="title" value=(draft.title) required dir="auto";
            label for="body" { @if *is_conflict { "Your text; add what you want to keep of theirs" } @else { "The text with both changes" } }
            textarea #body name="body" dir="auto" rows="18" { "\n" (draft.body) }
            @if let Some(typed) = &draft.properties { (properties::field(typed, None)) }
            (notices::of_the_script())
            div.actions {
                @if *is_conflict { button type="submit" name="act" value="save" { "Save mine instead of theirs" } }
                @else { button.primary type="submit" name="act" value="save" { "Save both as the next revision" } }
                a #discard.button href={ "/articles/" (slug) } { "Keep theirs, and discard mine" }
            }
        }
    }
}

fn found_by(words_only: bool) -> &'static str {
    if words_only { "by words only" } else { "by words and by meaning" }
}
