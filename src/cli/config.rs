//! `config …`

use super::{
    arguments::{ConfigCommand, Global},
    output::Output,
    session,
    table::{short, table},
};

pub(super) fn run(global: &Global, command: ConfigCommand, output: &Output) -> anyhow::Result<()> {
    let (sources, loaded) = session::load(global)?;
    match command {
        ConfigCommand::Show => {
            let rows = loaded?.rows();
            output.answer(&rows, || {
                let cells = rows.iter().map(|row| [row.key.clone(), short(&row.value, 60), row.origin.clone()]);
                table(["setting", "value", "from"], cells)
            })
        }
        ConfigCommand::Check => {
            loaded?;
            let file = sources.settings_file();
            output.answer(&serde_json::json!({ "valid": true, "file": file }), || match file {
                Some(file) => format!("the settings are valid (file {})", file.display()),
                None => "the settings are valid (no settings file)".to_owned(),
            })
        }
    }
}
