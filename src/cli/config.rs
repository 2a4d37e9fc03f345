//! `config …`

use super::{
    arguments::{ConfigCommand, Global},
    output::Output,
    session,
    table::{name, table, text},
    text_style::TextStyle,
};
use crate::config::{self, ChosenBy, SettingsFile, ShownSetting, Sources};

pub(super) fn run(global: &Global, command: ConfigCommand, output: &Output) -> anyhow::Result<()> {
    let sources = session::sources(global)?;
    match command {
        ConfigCommand::Path => path(&sources, *output),
        ConfigCommand::Template => {
            let text = config::template();
            output.answer(&serde_json::json!({ "text": text }), |_| text.trim_end().to_owned())
        }
        ConfigCommand::Show => {
            let rows = session::load(&sources)?.rows();
            output.list("settings", &rows, |look| list_of(look, &rows))
        }
        ConfigCommand::Check => {
            session::load(&sources)?;
            let file = sources.settings_file().filter(|file| file.exists).map(|file| file.path);
            output.answer(&serde_json::json!({ "valid": true, "file": file }), |_| match &file {
                Some(file) => format!("the settings are valid (file {})", file.display()),
                None => "the settings are valid (no settings file)".to_owned(),
            })
        }
    }
}

pub(super) fn list_of(look: TextStyle, rows: &[ShownSetting]) -> String {
    let value = |row: &ShownSetting| match &row.comes_to {
        Some(number) => format!("{} (here {number})", row.value),
        None => row.value.clone(),
    };
    let cells = rows.iter().map(|row| [row.key.clone(), value(row), row.origin.clone()]);
    table(look, [name("setting"), text("value"), text("from")], cells)
}

/// Prints the path alone, for programs such as an editor; notes about it go to standard error.
fn path(sources: &Sources, output: Output) -> anyhow::Result<()> {
    let Some(file) = sources.settings_file() else {
        return Err(anyhow::anyhow!(
            "there is no home folder, so there is no place for a settings file; name one with --config or \
             AFTERWORD_CONFIG"
        ));
    };
    output.answer(&file, |_| file.path.display().to_string())?;
    output.note(&about(&file));
    Ok(())
}

fn about(file: &SettingsFile) -> String {
    let chosen = match file.chosen_by {
        ChosenBy::Flag => "named by --config",
        ChosenBy::Variable => "named by AFTERWORD_CONFIG",
        ChosenBy::User => "in your configuration folder; --config FILE or AFTERWORD_CONFIG names another",
    };
    let there = match (file.exists, file.chosen_by) {
        (true, _) => "",
        (false, ChosenBy::User) => "not there yet, so defaults are used; ",
        (false, ChosenBy::Flag | ChosenBy::Variable) => "not there; ",
    };
    format!("{there}{chosen}. The working directory is never read")
}
