//! Manual pages, generated from the arguments themselves.

use std::path::Path;

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;

use super::{
    arguments::{self, examples},
    output,
};

/// Sections that clap does not know.
const SECTIONS: &str = r#".SH FILES
.TP
.I ~/.config/afterword/config.toml
The settings, unless \-\-config or AFTERWORD_CONFIG names another file. The working directory is never read.
.TP
.I ~/.local/share/afterword/afterword.db
The database, unless database.url names another.
.TP
.I ~/.local/share/afterword/edits
Texts of \fBarticle edit\fR that could not be saved.
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
.B VISUAL, EDITOR
The editor of \fBarticle edit\fR.
.TP
.B NO_COLOR
No colours, if it is set; \-\-color overrides it.
.TP
.B COLUMNS
How wide answers are, if it is exported; else as wide as the terminal.
.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
Failed.
.TP
.B 2
Wrong arguments or settings.
.TP
.B 130
Interrupted by Ctrl\-C.
"#;

/// Prints the page of the program, or writes the pages of all commands into a folder.
pub(super) fn man(directory: Option<&Path>) -> anyhow::Result<()> {
    let mut program = arguments::command().disable_help_subcommand(true);
    program.build();
    match directory {
        Some(directory) => {
            std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
            write_all(&program, "", directory)
        }
        None => output::print(&page(&program, "")?),
    }
}

fn write_all(command: &Command, words: &str, directory: &Path) -> anyhow::Result<()> {
    let file = directory.join(Man::new(command.clone()).get_filename());
    std::fs::write(&file, page(command, words)?).with_context(|| format!("cannot write to {}", file.display()))?;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_all(below, format!("{words} {}", below.get_name()).trim_start(), directory)?;
    }
    Ok(())
}

fn page(command: &Command, words: &str) -> anyhow::Result<String> {
    let (man, mut page) = (Man::new(command.clone()), Vec::new());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let examples = if words.is_empty() { examples::OF_ALL } else { examples::of(words).unwrap_or_default() };
    page.extend(examples_section(examples).into_bytes());
    page.extend(SECTIONS.as_bytes());
    // Commands have the program's version, which is in its own page.
    if command.get_version().is_some() {
        man.render_version_section(&mut page)?;
    }
    Ok(String::from_utf8(page)?)
}

fn examples_section(examples: &str) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let lines: Vec<_> = examples.lines().map(verbatim).collect();
    format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", lines.join("\n"))
}

/// A line that troff prints as it is.
fn verbatim(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if line.starts_with('.') { format!("\\&{line}") } else { line }
}
