//! The frame around every view.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    assets,
    pieces::query,
    visit::{Nonce, Visit},
};

/// A request with this header is answered with the part that changes, and no frame.
pub(super) const PART: &str = "x-part";

/// The place of a view in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Articles,
    Runtime,
    Settings,
}

/// The navigation beside the name of the product.
#[derive(Clone, Copy)]
pub(super) enum Inside<'a> {
    /// For a caller that is not signed in.
    Nothing,
    /// For a refusal: links to the other views.
    Frame,
    /// For a caller that is signed in, and the place of the view.
    View(&'a Visit, Here),
}

/// A view for a caller that is signed in.
pub(super) fn view(visit: &Visit, here: Here, title: &str, main: Markup) -> Response {
    html(page(&visit.nonce, title, Inside::View(visit, here), main))
}

pub(super) fn html(markup: Markup) -> Response {
    Html(markup.into_string()).into_response()
}

/// Said by the script where a draft is kept in this browser, and the page is one that may have hindered saving it.
pub(super) fn drafts_are_kept() -> Markup {
    html! { p #drafts-kept.notice hidden { "What you wrote is kept in this browser, and offered where you wrote it." } }
}

/// What was refused, and to whom.
pub(super) struct RefusedRequest<'a> {
    pub(super) status: StatusCode,
    pub(super) said: &'a str,
    /// Where the caller can go on with a token of another scope; `None` without a token.
    pub(super) sign_in_for: Option<&'a str>,
}

pub(super) fn refused(nonce: &Nonce, refused: &RefusedRequest<'_>) -> Markup {
    let RefusedRequest { status, said, sign_in_for } = *refused;
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::CONFLICT => "Not possible now",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "Not now",
        status if status.is_server_error() => "The server failed",
        _ => "Not possible",
    };
    page(
        nonce,
        title,
        Inside::Frame,
        html! {
            div.narrow {
                h1 { (title) }
                p.problem role="alert" dir="auto" { (said) }
                (drafts_are_kept())
                div.actions {
                    a.button href="/" { "Back to the articles" }
                    // Signing out would forget the drafts.
                    @if let Some(next) = sign_in_for { a.button href={ "/login?" (query(&[("next", next)])) } { "Sign in with another token" } }
                }
            }
        },
    )
}

/// The whole page.
pub(super) fn page(nonce: &Nonce, title: &str, inside: Inside<'_>, main: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) " · Afterword" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href=(assets::icon());
                link rel="stylesheet" href=(assets::style()) nonce=(nonce.0);
                script src=(assets::script()) nonce=(nonce.0) defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href="/" { (logo()) span { "Afterword" } }
                    @match inside {
                        Inside::Nothing => {}
                        Inside::Frame => { (places(None)) }
                        Inside::View(visit, here) => { (places(Some(here))) (own(visit)) }
                    }
                }
                main #main tabindex="-1" { (main) }
                footer.foot {
                    span { "Afterword " (env!("CARGO_PKG_VERSION")) }
                    a href="/api/docs/" { "API" }
                    span #connection role="status" {}
                    button #help-button type="button" hidden { "Keys" }
                    button #theme-button type="button" hidden { "Colours" }
                }
            }
        }
    }
}

fn places(here: Option<Here>) -> Markup {
    let places = [
        (Here::Articles, "/", "Articles"),
        (Here::Runtime, "/runtime", "Runtime"),
        (Here::Settings, "/settings", "Settings"),
    ];
    html! {
        nav aria-label="Main" {
            @for (place, address, name) in places {
                a href=(address) aria-current=[(Some(place) == here).then_some("page")] { (name) }
            }
        }
    }
}

/// The caller's scope, and the actions of every view.
fn own(visit: &Visit) -> Markup {
    html! {
        div.who {
            @if visit.may_write() { a.button.primary href="/new" { "New article" } }
            @if visit.has_token() {
                span.quiet title={ "scope " (visit.caller.scope) } dir="auto" { (visit.caller.name) }
                (sign_out("Sign out"))
            }
        }
    }
}

fn sign_out(name: &str) -> Markup {
    html! { form method="post" action="/logout" { button type="submit" { (name) } } }
}

fn logo() -> Markup {
    PreEscaped(include_str!("assets/icon.svg").replacen("<svg", "<svg aria-hidden=\"true\" class=\"logo\"", 1))
}
