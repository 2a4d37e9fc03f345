//! The hits of a search, and why they were found.

use maud::{Markup, html};

use super::home_query::HomeQuery;
use crate::{
    articles::folder::Folder,
    page::{
        app::PageState,
        pieces::{count, crumbs, query as query_of, unless_searchable},
        refusal::Refusal,
        visit::Visit,
    },
    search::{Hit, Mode, Query, SearchAnswer},
};

/// Hits that are shown at first, and that are added for who wants more.
const HITS_PER_STEP: usize = 20;
/// At most this many similar articles are shown.
const MAX_RELATED: usize = 6;

pub(super) async fn of(
    app: &PageState,
    visit: &Visit,
    parameters: &HomeQuery,
    folder: &Folder,
) -> Result<Markup, Refusal> {
    let most = app.host.settings().search.max_limit;
    let wanted = parameters.hits.unwrap_or(HITS_PER_STEP).clamp(HITS_PER_STEP.min(most), most);
    // One more says whether there are more.
    let limit = most.min(wanted + 1);
    let filter = parameters.filter().map_err(|error| Refusal::invalid(error.to_string()))?;
    let query = Query {
        folder: folder.clone(),
        filter,
        explain: true,
        ..Query::new(parameters.q.clone(), parameters.mode, limit)
    };
    let mut answer = app.host.find(&visit.caller.who, query, Vec::new()).await?;
    let rest = match answer.hits.len() {
        found if found > wanted => Rest::Page(wanted + HITS_PER_STEP),
        // Nobody knows whether there are more.
        found if found == most => Rest::Unknown,
        _ => Rest::None,
    };
    answer.hits.truncate(wanted);
    Ok(html! {
        (within(parameters, folder))
        (hit_list(&answer, folder, rest))
        @match rest {
            Rest::Page(hits) => {
                @let (mode, hits) = (parameters.mode, hits.to_string());
                @let more = [("q", parameters.q.as_str()), ("mode", mode.as_str()), ("folder", folder.as_ref()), ("filter", parameters.filter.as_str()), ("hits", &hits)];
                nav.pager aria-label="Hits" { a rel="next" href={ "/?" (query_of(&more)) } { "Show more" } }
            }
            Rest::Unknown => p.quiet { "These are the best; others are found by more words." },
            Rest::None => {}
        }
    })
}

/// What is found besides the hits that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    /// More; a page of so many hits has some of them.
    Page(usize),
    Unknown,
}

/// The filter that a search is within, and the way out of it.
fn within(parameters: &HomeQuery, folder: &Folder) -> Markup {
    let all = [("q", parameters.q.as_str()), ("mode", parameters.mode.as_str()), ("folder", folder.as_ref())];
    html! {
        @if !parameters.filter.trim().is_empty() {
            p.notice {
                "Only among articles like " code dir="auto" { (parameters.filter) } ". "
                a href={ "/?" (query_of(&all)) } { "Search all" }
            }
        }
    }
}

/// Articles similar to the one of this slug.
pub(super) async fn like(app: &PageState, visit: &Visit, slug: &str) -> Result<Markup, Refusal> {
    let limit = MAX_RELATED.min(app.host.settings().search.max_limit);
    let answer = app.host.related(&visit.caller.who, slug, limit).await?;
    Ok(html! {
        @if answer.hits.is_empty() { p.empty { "No other article is similar." } }
        @else if answer.low_confidence { p.quiet { "No other article is much like it; the nearest are:" } }
        ul.articles { @for hit in &answer.hits { li { a.title dir="auto" href={ "/articles/" (hit.slug) } { (hit.title) } } } }
    })
}

fn hit_list(answer: &SearchAnswer, folder: &Folder, rest: Rest) -> Markup {
    let hits = i64::try_from(answer.hits.len()).unwrap_or(i64::MAX);
    html! {
        @if !folder.as_ref().is_empty() { (crumbs(folder.as_ref())) }
        @if let Some(why) = &answer.degraded { p.notice role="status" dir="auto" {
            @if answer.mode == Mode::Keyword { "Found by words only: " } @else { "Found, but " } (why)
        } }
        @if let Some(characters) = answer.cut_to {
            p.notice role="status" { "The question is long; its first " (characters) " characters were searched." }
        }
        @for correction in &answer.corrections {
            p.notice { "No article has “" bdi { (correction.from) } "”; searched “" bdi { (correction.to) } "”." }
        }
        @for part in &answer.without {
            p.notice { "Without articles that have “" bdi { (part) } "”; to look for it, put it in quotation marks." }
        }
        @if answer.hits.is_empty() {
            p.empty { "Nothing is found. Other words may help, or a question in a whole sentence." }
        } @else {
            h2 {
                @if answer.low_confidence { "Nothing fits well; these are the nearest" }
                @else if rest != Rest::None { "The best " (count(hits, "article", "articles")) }
                @else { (count(hits, "article", "articles")) @if hits > 1 { ", the best first" } }
            }
            ol.hits { @for hit in &answer.hits { (hit_item(hit)) } }
        }
    }
}

fn hit_item(hit: &Hit) -> Markup {
    html! {
        // In the direction of its title, all of it.
        li dir="auto" {
            a.title dir="auto" href={ "/articles/" (hit.slug) } { (hit.title) }
            @if !hit.heading_path.is_empty() && hit.heading_path != hit.title { p.path { bdi { (hit.heading_path) } } }
            p.snippet { bdi { (mark(&hit.snippet, &hit.matches)) } }
            p.quiet {
                @if !hit.folder.is_empty() { bdi { (hit.folder) } " · " }
                (why(hit)) (unless_searchable(&hit.embedding))
            }
        }
    }
}

/// Why the hit was found.
fn why(hit: &Hit) -> Markup {
    let words = hit.explanation.as_ref().filter(|why| why.words.is_some());
    let words = words.map(|why| why.terms.iter().map(|term| term.term.as_str()).collect::<Vec<_>>().join(", "));
    html! {
        @if let Some(words) = &words {
            "by its words"
            @if !words.is_empty() { " (" bdi { (words) } ")" }
        }
        @if let Some(near) = hit.similarity {
            @if words.is_some() { ", and " }
            "by its meaning (" (percent(near)) ")"
        }
        @if let Some(reranked) = hit.explanation.as_ref().and_then(|why| why.reranked).filter(|why| why.from != why.to) {
            " · reranked from place " (reranked.from)
        }
    }
}

fn percent(similarity: f32) -> String {
    format!("{:.0} %", f64::from(similarity.clamp(0.0, 1.0)) * 100.0)
}

/// `text` with the words of the question marked. *Units:* characters.
fn mark(text: &str, places: &[(usize, usize)]) -> Markup {
    let mut pieces: Vec<(bool, String)> = Vec::new();
    for (at, letter) in text.chars().enumerate() {
        let inside = places.iter().any(|(from, until)| (*from..*until).contains(&at));
        match pieces.last_mut().filter(|(was_inside, _)| *was_inside == inside) {
            Some((_, piece)) => piece.push(letter),
            None => pieces.push((inside, letter.to_string())),
        }
    }
    html! { @for (is_marked, piece) in pieces { @if is_marked { mark { (piece) } } @else { (piece) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_for_is_marked_and_nothing_is_markup() {
        let shown = mark("The <b>Queues</b> & é", &[(7, 13), (20, 21)]).into_string();
        assert_eq!(shown, "The &lt;b&gt;<mark>Queues</mark>&lt;/b&gt; &amp; <mark>é</mark>");
    }
}
