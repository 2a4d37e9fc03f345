//! `search`

use afterword_actors::{embedder::Readiness, store::models};

use super::{
    arguments::SearchArguments,
    article::state,
    session::{self, Session},
};
use crate::{
    host::Host,
    search::{Hit, Mode, Query, SearchAnswer},
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
    let query = Query {
        text: arguments.query,
        mode: arguments.mode,
        limit: arguments.limit.unwrap_or(session.loaded.settings.search.default_limit),
        folder: session::folder(&arguments.folder)?,
    };
    let answer = host.search.search(&query).await?;
    session.output.answer(&answer, || text_of(&answer))?;
    if let Some(reason) = &answer.degraded {
        session.output.note(&format!("searched by words only: {reason}"));
    }
    Ok(())
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
    if answer.hits.is_empty() {
        return "nothing found".to_owned();
    }
    let hits: Vec<_> = answer.hits.iter().enumerate().map(|(rank, hit)| text_of_hit(rank + 1, hit)).collect();
    let lead = if answer.no_good_match { "no good match; the nearest are:\n\n" } else { "" };
    format!("{lead}{}", hits.join("\n\n"))
}

fn text_of_hit(rank: usize, hit: &Hit) -> String {
    let place = match (hit.folder.as_str(), hit.heading_path.as_str()) {
        ("", "") => String::new(),
        (folder, "") => format!("\n   {folder}"),
        ("", path) => format!("\n   {path}"),
        (folder, path) => format!("\n   {folder}: {path}"),
    };
    let similarity = hit.similarity.map(|similarity| format!("  similarity {similarity:.2}")).unwrap_or_default();
    let embedding = if hit.embedding.status == crate::articles::EmbeddingState::Completed {
        String::new()
    } else {
        format!("  embedding {}", state(&hit.embedding))
    };
    format!("{rank}. {} [{}]{similarity}{embedding}{place}\n   {}", hit.title, hit.slug, hit.snippet)
}
