//! `search` and `related`

use std::io::IsTerminal;

use afterword_actors::{embedder::Readiness, store::models};

use super::{
    arguments::{RelatedArguments, SearchArguments},
    article::state,
    session::{self, Session},
};
use crate::{
    host::Host,
    search::{Correction, Explanation, Hit, Mode, Query, SearchAnswer, TermShare, Weights},
};

pub(super) async fn run(session: &Session, arguments: SearchArguments) -> anyhow::Result<()> {
    let host = session.host().await?;
    if arguments.mode != Mode::Keyword {
        ready_model(session, &host).await?;
    }
    if arguments.mode != Mode::Keyword {
        // A process of one search has nothing else to do than to read the vectors, however many there are.
        host.search.warm_up().await?;
    }
    let limit = arguments.limit.unwrap_or(session.loaded.settings.search.default_limit);
    let query = Query {
        folder: session::folder(&arguments.folder)?,
        passages: arguments.passages,
        explain: arguments.explain,
        ..Query::new(arguments.query, arguments.mode, limit)
    };
    let answer = host.search.search(&query).await?;
    session.output.answer(&answer, || text_of(&answer))?;
    notes(session, &answer);
    Ok(())
}

/// `related`
pub(super) async fn related(session: &Session, arguments: RelatedArguments) -> anyhow::Result<()> {
    let host = session.host().await?;
    host.search.warm_up().await?;
    let limit = arguments.limit.unwrap_or(session.loaded.settings.search.default_limit);
    let answer = host.search.related(&arguments.slug, limit).await?;
    session.output.answer(&answer, || text_of(&answer))?;
    notes(session, &answer);
    Ok(())
}

/// What people should know beside the hits.
fn notes(session: &Session, answer: &SearchAnswer) {
    if let Some(reason) = &answer.degraded {
        session.output.note(&format!("searched by words only: {reason}"));
    }
    if let Some(characters) = answer.cut_to {
        session.output.note(&format!("the question is long; its first {characters} characters were searched"));
    }
}

/// Loads the configured model if it is the one that made the vectors in use; another one is loaded by the search itself.
async fn ready_model(session: &Session, host: &Host) -> anyhow::Result<()> {
    let Some(local) = host.backends.provisioning() else { return Ok(()) };
    let active = models::active(host.database.reader()).await?;
    if active.is_some_and(|active| active.fingerprint != host.identity().fingerprint()) {
        return Ok(());
    }
    if crate::model::is_complete(&local.directory) {
        // If it fails, the search says so and answers from words.
        let _ = session.provision(host).await;
    } else {
        // A model that is not there is not fetched for a search.
        let name = host.identity().model;
        let why = format!("the model {name} is not on this machine; `afterword model fetch` brings it");
        local.embedder.announce(Readiness::Failed(why));
    }
    Ok(())
}

pub(super) fn text_of(answer: &SearchAnswer) -> String {
    let mut parts: Vec<_> = answer.corrections.iter().map(correction).collect();
    if answer.hits.is_empty() {
        parts.push("nothing found".to_owned());
        return parts.join("\n\n");
    }
    if let Some(Weights { words, meaning }) = answer.weights {
        parts.push(format!("words count {:.0} %, meaning {:.0} %", 100.0 * words, 100.0 * meaning));
    }
    if answer.low_confidence {
        parts.push("no good match; the nearest are:".to_owned());
    }
    parts.extend(answer.hits.iter().enumerate().map(|(rank, hit)| text_of_hit(rank + 1, hit)));
    parts.join("\n\n")
}

fn correction(Correction { from, to }: &Correction) -> String {
    format!("no article has \"{from}\"; searched \"{to}\"")
}

fn text_of_hit(rank: usize, hit: &Hit) -> String {
    let similarity = hit.similarity.map(|similarity| format!("  similarity {similarity:.2}")).unwrap_or_default();
    let embedding = if hit.embedding.status == crate::articles::EmbeddingState::Completed {
        String::new()
    } else {
        format!("  embedding {}", state(&hit.embedding))
    };
    let first = passage(&hit.folder, &hit.heading_path, &hit.snippet, &hit.matches);
    let further = hit.passages.iter().map(|found| passage("", &found.heading_path, &found.snippet, &found.matches));
    let further: String = further.collect();
    let why = hit.explanation.as_ref().map(explanation).unwrap_or_default();
    format!("{rank}. {} [{}]{similarity}{embedding}{first}{further}{why}", hit.title, hit.slug)
}

fn passage(folder: &str, heading_path: &str, snippet: &str, matches: &[(usize, usize)]) -> String {
    let place = match (folder, heading_path) {
        ("", "") => String::new(),
        (folder, "") => format!("\n   {folder}"),
        ("", path) => format!("\n   {path}"),
        (folder, path) => format!("\n   {folder}: {path}"),
    };
    format!("{place}\n   {}", marked(snippet, matches))
}

fn explanation(explanation: &Explanation) -> String {
    let terms = explanation.terms.iter().map(|TermShare { term, idf, times, share }| {
        format!("{term} {:.0} % (idf {idf:.2}, {times} times)", 100.0 * share)
    });
    let terms: Vec<_> = terms.collect();
    let words = explanation.words.map(|words| format!("words {words:.2}: ")).unwrap_or_default();
    if terms.is_empty() {
        "\n   found by meaning alone".to_owned()
    } else {
        format!("\n   {words}{}", terms.join(", "))
    }
}

/// Words of the question in bold, on a terminal that shows it.
fn marked(text: &str, matches: &[(usize, usize)]) -> String {
    let plain = !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain || matches.is_empty() {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 8 * matches.len());
    for (place, c) in text.chars().chain(std::iter::once('\n')).enumerate() {
        if matches.iter().any(|(_, end)| *end == place) {
            shown.push_str("\u{1b}[22m");
        }
        if matches.iter().any(|(start, _)| *start == place) {
            shown.push_str("\u{1b}[1m");
        }
        shown.push(c);
    }
    shown.pop();
    shown
}
