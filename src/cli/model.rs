//! `model …`: local models, and changing from one model to another.

mod change;

use anyhow::anyhow;

use super::{
    arguments::ModelCommand,
    failure::Usage,
    progress,
    session::Session,
    table::{name, number, status, table},
    text_style::TextStyle,
};
use crate::model::{self, InstalledModel, Progress};

pub(super) async fn run(session: &Session, command: ModelCommand) -> anyhow::Result<()> {
    match command {
        ModelCommand::Fetch { name } => fetch(session, &name).await,
        ModelCommand::Switch { detach, without_failed } => change::switch(session, detach, without_failed).await,
        ModelCommand::Status => change::status(session).await,
        ModelCommand::Cancel => change::cancel(session).await,
        ModelCommand::List => {
            let models = model::list();
            session.output.list("models", &models, |look| list_of(look, &models))
        }
    }
}

pub(super) fn list_of(look: TextStyle, models: &[InstalledModel]) -> String {
    let rows = models.iter().map(|model| {
        [
            model.name.to_owned(),
            model.dimension.to_string(),
            model.max_tokens.to_string(),
            if model.installed { "installed" } else { "not fetched" }.to_owned(),
            model.directory.as_ref().map_or_else(String::new, |path| path.display().to_string()),
        ]
    });
    table(look, [name("model"), number("dimension"), number("tokens"), status(""), name("directory")], rows)
}

async fn fetch(session: &Session, name: &str) -> anyhow::Result<()> {
    let Some(known) = model::known(name) else {
        let names: Vec<_> = model::CATALOGUE.iter().map(|known| known.name).collect();
        return Err(Usage(format!("there is no model \"{name}\" to fetch; one of: {}", names.join(", "))).into());
    };
    let directory = model::directory(known)
        .ok_or_else(|| anyhow!("there is no home folder to keep models in; set HOME, or XDG_CACHE_HOME and HOME"))?;
    let bar = progress::fetch(session.output);
    let tell = |progress: Progress| progress::show_fetch(&bar, &progress);
    let fetched = model::fetch(known, &directory, &tell).await;
    bar.finish_and_clear();
    fetched.map_err(|error| anyhow!(error))?;
    session.output.answer(&serde_json::json!({ "model": known.name, "directory": directory }), |_| {
        format!("{} is in {}", known.name, directory.display())
    })
}
