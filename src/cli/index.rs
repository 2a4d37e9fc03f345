//! `index …`

use super::{arguments::IndexCommand, progress, session::Session};
use crate::{
    database::{self, RebuildProgress, RebuildReport},
    plural::count,
};

pub(super) async fn run(session: &Session, command: IndexCommand) -> anyhow::Result<()> {
    match command {
        IndexCommand::Rebuild => rebuild(session).await,
    }
}

async fn rebuild(session: &Session) -> anyhow::Result<()> {
    let host = session.host().await?;
    let bar = progress::bar(session.output, 0, "indexing");
    let tell = |progress| match progress {
        RebuildProgress::Words(done, all) => {
            bar.set_length(u64::try_from(all).unwrap_or_default());
            bar.set_position(u64::try_from(done).unwrap_or_default());
            bar.set_message("articles");
        }
        RebuildProgress::Vectors(vectors) => bar.set_message(format!("{vectors} vectors; this takes a while")),
    };
    let rebuilt = database::rebuild(&host.database, &session.loaded.settings.search.language, &tell).await;
    bar.finish_and_clear();
    let rebuilt = rebuilt?;
    session.output.answer(&rebuilt, |_| {
        let RebuildReport { articles, vectors, removed } = rebuilt;
        let indexed = match host.database.file() {
            Some(_) => {
                format!("the words of {} indexed; vectors need no rebuild on SQLite", count(articles, "article"))
            }
            None => format!("the words of {} indexed, and {}", count(articles, "article"), count(vectors, "vector")),
        };
        match removed {
            0 => indexed,
            _ => {
                let removed = count(removed, "article");
                format!("{indexed}\ndamaged vectors of {removed} removed; a running host makes them again")
            }
        }
    })
}
