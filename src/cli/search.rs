//! `search` and `related`

use afterword_actors::store::models;

use super::{
    arguments::{RelatedArguments, SearchArguments},
    article::{combine_filters, state},
    session::{self, Session},
    text_style::{FAINT, FOUND, NAME, STRONG, TextStyle},
};
use crate::{
    host::Host,
    search::{Correction, Explanation, Hit, Mode, Query, Reranked, SearchAnswer, SearchError, TermShare, Weights},
};

/// Put before each line of a hit, except the first.
const INDENT: &str = "   ";
/// Separates the headings of a path.
const BETWEEN_HEADINGS: &str = " > ";

pub(super) async fn run(session: &Session, arguments: SearchArguments) -> anyhow::Result<()> {
    let host = session.reading_host().await?;
    if arguments.mode != Mode::Keyword {
        ready_model(session, &host).await?;
    }
    if arguments.mode != Mode::Keyword {
        // A process for one search has nothing else to do than to read the vectors, however many there are.
        host.search.warm_up().await?;
    }
    let limit = arguments.limit.unwrap_or(session.loaded.settings.search.default_limit);
    let query = Query {
        folder: session::folder(&arguments.folder)?,
        filter: combine_filters(&arguments.filter, &arguments.tag)?,
        passages: arguments.passages,
        explain: arguments.explain,
        ..Query::new(arguments.query, arguments.mode, limit)
    };
    let answer = host.search.search_several(&query, &arguments.queries).await?;
    if answer.hits.is_empty() {
        host.articles.must_be_known(&query.folder, &query.filter).await?;
    }
    session.output.answer(&answer, |look| text_of(look, &answer))?;
    notes(session, &answer);
    Ok(())
}

/// `related`
pub(super) async fn related(session: &Session, arguments: RelatedArguments) -> anyhow::Result<()> {
    let host = session.host().await?;
    host.search.warm_up().await?;
    let limit = arguments.limit.unwrap_or(session.loaded.settings.search.default_limit);
    let answer = match host.search.related(&arguments.slug, limit).await {
        Err(SearchError::NoArticle(slug)) => {
            host.articles.linked(&slug).await?;
            return Err(SearchError::NoArticle(slug).into());
        }
        answer => answer?,
    };
    session.output.answer(&answer, |look| text_of(look, &answer))?;
    notes(session, &answer);
    Ok(())
}

/// Notes for people beside the hits.
fn notes(session: &Session, answer: &SearchAnswer) {
    if let Some(reason) = &answer.degraded {
        session.output.note(&match answer.mode {
            Mode::Keyword => format!("searched by words only: {reason}"),
            Mode::Hybrid | Mode::Semantic => reason.clone(),
        });
    }
    if let Some(characters) = answer.cut_to {
        session.output.note(&format!("the question is long; its first {characters} characters were searched"));
    }
}

/// Loads the configured model if it made the vectors in use; another one is loaded by the search itself.
async fn ready_model(session: &Session, host: &Host) -> anyhow::Result<()> {
    let Some(local) = host.backends.preparation() else { return Ok(()) };
    let active = models::active(host.database.reader()).await?;
    if active.is_some_and(|active| active.fingerprint != host.identity().fingerprint()) {
        return Ok(());
    }
    if crate::model::is_complete(local.directory()) {
        // If it fails, the search says so and answers from words.
        let _ = session.provision(host).await;
    } else {
        // A missing model is not fetched for a search.
        let name = host.identity().model;
        let why = format!("the model {name} is not on this machine; `afterword model fetch` brings it");
        local.give_up(why);
    }
    Ok(())
}

/// Formats the hits, with the words of the question marked.
pub(super) fn text_of(look: TextStyle, answer: &SearchAnswer) -> String {
    let mut parts: Vec<_> = answer.corrections.iter().map(correction).collect();
    parts.extend((!answer.without.is_empty()).then(|| without(&answer.without)));
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
    parts.extend(answer.hits.iter().enumerate().map(|(rank, hit)| text_of_hit(look, rank + 1, hit)));
    parts.join("\n\n")
}

fn correction(Correction { from, to }: &Correction) -> String {
    format!("no article has \"{from}\"; searched \"{to}\"")
}

fn without(parts: &[String]) -> String {
    let parts: Vec<_> = parts.iter().map(|part| format!("\"{part}\"")).collect();
    format!("without articles that have {}; to look for it, put it in quotation marks", parts.join(", "))
}

fn text_of_hit(look: TextStyle, rank: usize, hit: &Hit) -> String {
    let questions: Vec<_> = hit.questions.iter().map(ToString::to_string).collect();
    let questions = if questions.is_empty() { String::new() } else { format!("  question {}", questions.join(", ")) };
    let similarity = hit.similarity.map(|similarity| format!("  similarity {similarity:.2}")).unwrap_or_default();
    let embedding = if hit.embedding.status == crate::articles::EmbeddingState::Completed {
        String::new()
    } else {
        format!("  embedding {}", state(&hit.embedding))
    };
    let head = format!(
        "{rank}. {} [{}]{}",
        look.paint(STRONG, &hit.title),
        look.paint(NAME, &hit.slug),
        look.paint(FAINT, &format!("{similarity}{questions}{embedding}"))
    );
    let mut lines = vec![look.hanging(&head, INDENT)];
    lines.extend(passage(look, &place(hit), &hit.snippet, &hit.matches));
    for further in &hit.passages {
        lines.extend(passage(look, &further.heading_path, &further.snippet, &further.matches));
    }
    if let Some(why) = &hit.explanation {
        lines.push(look.wrapped(&look.paint(FAINT, &explanation(why)), INDENT));
    }
    lines.join("\n")
}

/// Formats where a passage is, and its text.
fn passage(look: TextStyle, place: &str, snippet: &str, matches: &[(usize, usize)]) -> impl Iterator<Item = String> {
    let place = (!place.is_empty()).then(|| look.wrapped(&look.paint(FAINT, place), INDENT));
    let text = (!snippet.is_empty()).then(|| look.wrapped(&mark(look, snippet, matches), INDENT));
    place.into_iter().chain(text)
}

/// Folder and headings, without repeating the title.
fn place(hit: &Hit) -> String {
    let path = hit.heading_path.strip_prefix(hit.title.as_str()).map_or(hit.heading_path.as_str(), |below| {
        let is_whole_heading = below.is_empty() || below.starts_with(BETWEEN_HEADINGS);
        if is_whole_heading { below.trim_start_matches(BETWEEN_HEADINGS) } else { hit.heading_path.as_str() }
    });
    match (hit.folder.as_str(), path) {
        ("", path) => path.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, path) => format!("{folder}: {path}"),
    }
}

fn explanation(explanation: &Explanation) -> String {
    let terms = explanation.terms.iter().map(|TermShare { term, idf, times, share }| {
        format!("{term} {:.0} % (idf {idf:.2}, {times} times)", 100.0 * share)
    });
    let terms: Vec<_> = terms.collect();
    let words = explanation.words.map(|words| format!("words {words:.2}: ")).unwrap_or_default();
    let found =
        if terms.is_empty() { "found by meaning alone".to_owned() } else { format!("{words}{}", terms.join(", ")) };
    format!("{found}{}", explanation.reranked.map(reranked).unwrap_or_default())
}

fn reranked(Reranked { score, from, to, .. }: Reranked) -> String {
    let moved = if from == to { format!("place {to} as before") } else { format!("place {from} → {to}") };
    format!("; reranked: {moved} (score {score:.3})")
}

/// Marks `matches`, which are in order and do not overlap. *Units:* characters.
fn mark(look: TextStyle, text: &str, matches: &[(usize, usize)]) -> String {
    let between = |from: usize, to: usize| text.chars().skip(from).take(to - from).collect::<String>();
    let (mut shown, mut end) = (String::new(), 0);
    for &(from, to) in matches {
        shown.push_str(&between(end, from));
        shown.push_str(&look.paint(FOUND, &between(from, to)));
        end = to;
    }
    shown + &between(end, text.chars().count())
}
