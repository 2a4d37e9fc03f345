//! Completions and manual pages, generated from the arguments themselves.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use super::{arguments::Arguments, output};

/// What clap does not know of.
const SECTIONS: &str = r#".SH FILES
.TP
.I ~/.config/afterword/config.toml
The settings, unless \-\-config or AFTERWORD_CONFIG names another file. The working directory is never read.
.TP
.I ~/.local/share/afterword/afterword.db
The database, unless database.url names another.
.TP
.I ~/.cache/afterword/models
Local models; they are fetched again if they are deleted.
.SH ENVIRONMENT
.TP
.B AFTERWORD_CONFIG
The settings file.
.TP
.B AFTERWORD_<SECTION>__<KEY>
Any setting, e.g. AFTERWORD_QUEUE__SLOTS=4.
.TP
.B OPENAI_API_KEY
The key of an embedding server (embedding.openai.api_key).
.TP
.B NO_COLOR
No colours, if it is set.
.SH EXIT STATUS
0 done, 1 failed, 2 asked wrongly (settings included), 130 interrupted.
"#;

pub(super) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "afterword", &mut script);
    output::print(&String::from_utf8(script)?)
}

pub(super) fn man(directory: Option<&Path>) -> anyhow::Result<()> {
    match directory {
        Some(directory) => {
            std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
            clap_mangen::generate_to(Arguments::command(), directory)
                .with_context(|| format!("cannot write to {}", directory.display()))
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
            page.extend_from_slice(SECTIONS.as_bytes());
            output::print(&String::from_utf8(page)?)
        }
    }
}
