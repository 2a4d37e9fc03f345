//! `db …`

use afterword_actors::store::OpenOptions;
use anyhow::anyhow;
use serde_json::json;

use super::{
    arguments::DbCommand,
    progress,
    session::Session,
    table::{name, number, short, status, table},
};
use crate::{
    database::{self, CopyProgress, Verification},
    host::open_options,
    plural::count,
    secrets,
};

pub(super) async fn run(session: &Session, command: DbCommand) -> anyhow::Result<()> {
    match command {
        DbCommand::Migrate => {
            let applied = database::migrate(&session.database().await?).await?;
            session.output.answer(&json!({ "applied": applied }), |_| {
                if applied.is_empty() { "the schema is up to date".to_owned() } else { lines("applied", &applied) }
            })
        }
        DbCommand::Status => show_status(session).await,
        DbCommand::Rollback { steps, yes } => rollback(session, steps, yes).await,
        DbCommand::Backup { file } => {
            let open = session.present_database().await?;
            let work = async { Ok(database::backup(&open, &file).await?) };
            let bytes = progress::until_told_to_stop(session.output, "no backup was written", work).await?;
            session.output.answer(&json!({ "file": file, "bytes": bytes }), |_| {
                format!("{} written, {}", file.display(), bytesize::ByteSize(bytes))
            })
        }
        DbCommand::Restore { file } => {
            // The database is not opened, so that a damaged one can be replaced, too.
            let restored = database::restore(&open_options(&session.loaded.settings), &file).await?;
            session.output.answer(&restored, |_| {
                let kept = restored.kept.as_ref().map(|kept| format!("; what was there is now {}", kept.display()));
                format!("restored {}{}", count(restored.articles, "article"), kept.unwrap_or_default())
            })
        }
        DbCommand::Verify => verify(session).await,
        DbCommand::Copy { from, to } => copy(session, from, to).await,
    }
}

fn lines(what: &str, names: &[String]) -> String {
    names.iter().map(|name| format!("{what} {name}")).collect::<Vec<_>>().join("\n")
}

async fn show_status(session: &Session) -> anyhow::Result<()> {
    let database = session.present_database().await?;
    let steps = database::migrations(&database).await?;
    let (place, size) = (database.place(), database::size(&database).await?);
    session.output.answer(&json!({ "file": place, "bytes": size, "migrations": steps }), |look| {
        let rows = steps
            .iter()
            .map(|step| [step.name.clone(), if step.applied { "applied".to_owned() } else { "missing".to_owned() }]);
        let head = format!("{place} ({})", bytesize::ByteSize(size));
        format!("{head}\n{}", table(look, [name("migration"), status("")], rows))
    })
}

async fn rollback(session: &Session, steps: u32, yes: bool) -> anyhow::Result<()> {
    let database = session.present_database().await?;
    if !yes {
        let names = database::undone_by_rollback(&database, steps).await?;
        if names.is_empty() {
            return Err(anyhow!("no step of the schema is applied, so there is nothing to undo"));
        }
        return Err(anyhow!(
            "this would undo {} and delete the data that only they have; make a backup (`afterword db backup FILE`), then \
             add --yes",
            names.join(", ")
        ));
    }
    if crate::hosts::any_running(&database).await {
        return Err(anyhow!("a host is running on this database; stop it first"));
    }
    if database::copied_in_part(&database).await? {
        return Err(anyhow!("a copy into this database has not ended; finish it with `afterword db copy`"));
    }
    let names = database::rollback(&database, steps).await?;
    session.output.answer(&json!({ "rolled_back": names }), |_| lines("rolled back", &names))
}

async fn copy(session: &Session, from: String, to: String) -> anyhow::Result<()> {
    let options = open_options(&session.loaded.settings);
    [&from, &to].into_iter().for_each(|url| secrets::keep_those_of(url));
    let at = |url| OpenOptions { url, ..options.clone() };
    let (from, to) = database::open_both(&at(from), &at(to)).await?;
    [&from, &to].into_iter().for_each(|database| session.close_at_the_end(database));
    let bar = progress::bar(session.output, 0, "copying");
    let tell = |progress: CopyProgress<'_>| {
        bar.set_length(progress.rows);
        bar.set_position(progress.done);
        bar.set_message(format!("{}{}", if progress.comparing { "compared: " } else { "" }, progress.table));
    };
    let copied = database::copy(&from, &to, &tell).await;
    bar.finish_and_clear();
    let copied = copied?;
    session.output.answer(&copied, |look| {
        let rows = copied.tables.iter().map(|t| [t.table.clone(), t.rows.to_string(), short(&t.sha256, 16)]);
        format!(
            "{}\nthe same on both sides; set database.url to the address of PostgreSQL",
            table(look, [name("table"), number("rows"), name("sha256")], rows)
        )
    })
}

async fn verify(session: &Session) -> anyhow::Result<()> {
    session.must_be_there()?;
    let host = session.host().await?;
    let found = database::verify(&host.database).await?;
    session.output.answer(&found, |_| text_of(&found))?;
    if found.sound { Ok(()) } else { Err(anyhow!("the database is damaged")) }
}

fn text_of(found: &Verification) -> String {
    let Verification { articles, chunks, tasks, findings, .. } = found;
    let head =
        format!("looked at {}, {}, {}", count(*articles, "article"), count(*chunks, "vector"), count(*tasks, "task"));
    if findings.is_empty() {
        return format!("{head}: all sound");
    }
    let lines: Vec<_> = findings.iter().map(|finding| format!("  {}", finding.message)).collect();
    format!("{head}:\n{}", lines.join("\n"))
}
