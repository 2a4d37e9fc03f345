//! Tokens: made and shown once, listed with their last use, revoked.

use std::time::Duration;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::tabs::tabs;
use crate::{
    auth::{NewToken, Permission, Token, Who},
    page::{
        app::PageState,
        given::{Form, Path},
        layout::{self, Here},
        pieces::moment,
        refusal::Refusal,
        visit::Visit,
    },
};

/// At most this many tokens are listed, valid ones first.
const MAX_LISTED_TOKENS: usize = 200;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A token to make.
#[derive(Deserialize)]
pub(super) struct TokenForm {
    name: String,
    scope: String,
    #[serde(default)]
    days: String,
}

pub(super) async fn show(State(app): State<PageState>, visit: Visit) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    page(&app, &visit, None).await
}

pub(super) async fn create(
    State(app): State<PageState>,
    visit: Visit,
    Form(given): Form<TokenForm>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    let scope = given.scope.parse::<Permission>().map_err(|error| Refusal::invalid(error.to_string()))?;
    let lifetime = match given.days.trim() {
        "" => None,
        days => {
            let days = days.parse::<u32>().ok().filter(|days| *days > 0);
            let days =
                days.ok_or_else(|| Refusal::invalid("it must be valid for a whole number of days, at least 1"))?;
            Some(DAY * days)
        }
    };
    if visit.caller.who == Who::Local && scope != Permission::Admin {
        return Err(Refusal::invalid(
            "the first token needs the scope admin: from then on everyone needs one, and only an admin makes more of them here",
        ));
    }
    let token = app.host.tokens.create(NewToken { name: given.name.clone(), scope, lifetime }).await?;
    let made = html! {
        div.notice role="status" {
            p { "Token “" span dir="auto" { (given.name.trim()) } "”, scope " (scope) ". It is shown now and never again; keep it where it is needed." }
            p { code #token-made { (token) } }
            @if visit.caller.who == Who::Local { p { "From now on everyone needs a token, you too: " a href="/login" { "sign in with it" } "." } }
        }
    };
    page(&app, &visit, Some(made)).await
}

pub(super) async fn ask(State(app): State<PageState>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    let tokens = app.host.tokens.list().await?;
    let token = tokens.into_iter().find(|token| token.id == id && token.revoked_at.is_none());
    let token = token.ok_or_else(|| Refusal::not_found(format!("there is no token {id} that could be revoked")))?;
    let main = html! {
        div.narrow {
            h1 { "Revoke this token?" }
            p { strong dir="auto" { (token.name) } ", scope " (token.scope) @if let Some(at) = token.last_used_at { ", last used " (moment(at)) } "." }
            p { "Clients that use it are refused from the next request on." @if visit.caller.who == Who::Token(id) { " It is your own." } }
            form.actions method="post" action={ "/settings/tokens/" (id) "/revoke" } {
                button.danger type="submit" { "Revoke" }
                a.button href="/settings/tokens" { "Keep it" }
            }
        }
    };
    Ok(layout::view(&visit, Here::Settings, "Revoke", main))
}

pub(super) async fn revoke(
    State(app): State<PageState>,
    visit: Visit,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    visit.needs(Permission::Admin)?;
    app.host.tokens.revoke(&id.to_string()).await?;
    Ok(Redirect::to("/settings/tokens").into_response())
}

async fn page(app: &PageState, visit: &Visit, made: Option<Markup>) -> Result<Response, Refusal> {
    let mut tokens = app.host.tokens.list().await?;
    tokens.sort_by_key(|token| token.revoked_at.is_some());
    let usual = if visit.caller.who == Who::Local { Permission::Admin } else { Permission::Write };
    let main = html! {
        h1 { "Tokens" }
        (tabs(visit, "/settings/tokens"))
        @if let Some(made) = made { (made) }
        form.filter method="post" action="/settings/tokens" {
            label for="name" { "Name" }
            input #name type="text" name="name" required maxlength="100" dir="auto" autocomplete="off" placeholder="who or what it is for";
            label for="scope" { "Scope" }
            select #scope name="scope" { @for scope in Permission::ALL { option value=(scope) selected[scope == usual] { (scope) } } }
            label for="days" { "valid for days" }
            input #days type="number" name="days" min="1" placeholder="ever";
            button.primary type="submit" { "Make a token" }
        }
        @if tokens.is_empty() { p.empty { "There is no token. With the first one, everyone needs one." } } @else { (list(&tokens)) }
    };
    Ok(layout::view(visit, Here::Settings, "Tokens", main))
}

fn list(tokens: &[Token]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Tokens" {
            table.list {
                thead { tr {
                    th scope="col" { "name" } th scope="col" { "scope" } th scope="col" { "made" } th scope="col" { "valid until" }
                    th scope="col" { "last used" } th scope="col" { "" span.unseen { "revoke" } }
                } }
                tbody {
                    @for token in tokens.iter().take(MAX_LISTED_TOKENS) {
                        tr {
                            th scope="row" dir="auto" { (token.name) }
                            td { (token.scope) }
                            td.narrow-cell { (moment(token.created_at)) }
                            td.narrow-cell { @if let Some(at) = token.expires_at { (moment(at)) } @else { "—" } }
                            td.narrow-cell { @if let Some(at) = token.last_used_at { (moment(at)) } @else { "never" } }
                            td {
                                @match token.revoked_at {
                                    Some(at) => { "revoked " (moment(at)) }
                                    None => { a.button href={ "/settings/tokens/" (token.id) "/revoke" } aria-label={ "Revoke " (token.name) } { "Revoke…" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
