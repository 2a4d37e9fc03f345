//! `article edit`: opens an article's text in the user's own editor.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use anyhow::{Context, anyhow};

use super::{answer::answer, text::read_file};
use crate::{
    articles::{Article, ArticleError, ArticlePatch},
    cli::{failure::Usage, session::Session},
    user_folders,
};

/// Where an unsaved text is kept, below the data folder: a temporary folder is emptied some day.
const KEPT_IN: &str = "edits";

pub(super) async fn run(session: &Session, slug: &str, expected_revision: Option<i64>) -> anyhow::Result<()> {
    let host = session.saving_host().await?;
    let before = host.articles.read(slug).await?;
    if let Some(expected) = expected_revision.filter(|expected| *expected != before.revision) {
        let changed = host.articles.changed_since_revision(&before.slug, expected).await?;
        let (slug, present) = (before.slug, before.revision);
        return Err(ArticleError::Conflict { slug, expected, present, changed }.into());
    }
    let file = lay_out(&before)?;
    let edited = edit(session, &before, &file).await;
    let saved = match edited {
        Ok(None) => {
            fs::remove_file(&file).ok();
            let text = format!("unchanged {} (revision {})", before.slug, before.revision);
            return session.output.answer(&before, |_| text);
        }
        Ok(Some(body)) => {
            let expected_revision = Some(before.revision);
            let changes = ArticlePatch { body: Some(body), expected_revision, ..ArticlePatch::default() };
            host.articles.update(&before.slug, changes).await.map_err(anyhow::Error::from)
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(saved) => {
            fs::remove_file(&file).ok();
            answer(session, &saved, "updated").await
        }
        Err(error) => Err(explain_not_saved(session, error, &before, &file)),
    }
}

/// Writes the text to a file with its own name and extension, which the editor recognises.
fn lay_out(article: &Article) -> anyhow::Result<PathBuf> {
    let folder = user_folders::data().map_or_else(std::env::temp_dir, |data| data.join(KEPT_IN));
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let prefix = format!("{}-r{}-", article.slug, article.revision);
    let file = tempfile::Builder::new().prefix(&prefix).suffix(".md").tempfile_in(&folder);
    let file = file.with_context(|| format!("no file can be made in {}", folder.display()))?;
    fs::write(file.path(), &article.body).with_context(|| format!("{} cannot be written", file.path().display()))?;
    Ok(file.into_temp_path().keep()?)
}

/// Returns the edited text; `None` if it is unchanged.
async fn edit(session: &Session, before: &Article, file: &Path) -> anyhow::Result<Option<String>> {
    let editor = editor()?;
    let status = run_editor(&editor, file).await?;
    if !status.success() {
        return Err(anyhow!("the editor ({editor}) ended with {status}, so nothing was saved"));
    }
    let body = read_file(file, session.loaded.settings.articles.max_size)?;
    Ok((body != before.body).then_some(body))
}

fn editor() -> anyhow::Result<String> {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(|variable| std::env::var(variable).ok());
    named.map(|editor| editor.trim().to_owned()).find(|editor| !editor.is_empty()).ok_or_else(|| {
        let example = if cfg!(windows) { "set EDITOR=notepad" } else { "export EDITOR=nano" };
        Usage(format!("no editor is known; name one, for example: {example}")).into()
    })
}

/// Runs the editor as git does, because its name may include options (`code --wait`). Ctrl-C goes to the editor
/// meanwhile.
async fn run_editor(editor: &str, file: &Path) -> anyhow::Result<ExitStatus> {
    let mut child = command(editor, file).spawn().with_context(|| format!("the editor ({editor}) cannot be run"))?;
    loop {
        tokio::select! {
            status = child.wait() => return status.context("the editor cannot be waited for"),
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

#[cfg(unix)]
fn command(editor: &str, file: &Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::new("/bin/sh");
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg(editor).arg(file);
    command
}

#[cfg(not(unix))]
fn command(editor: &str, file: &Path) -> tokio::process::Command {
    let mut words = editor.split_whitespace();
    let mut command = tokio::process::Command::new(words.next().unwrap_or(editor));
    command.args(words).arg(file);
    command
}

/// Says why it was not saved, where the text is, and how to continue. An unchanged text is not kept.
fn explain_not_saved(session: &Session, error: anyhow::Error, before: &Article, file: &Path) -> anyhow::Error {
    if fs::read(file).is_ok_and(|text| text == before.body.as_bytes()) {
        fs::remove_file(file).ok();
        return error;
    }
    let (slug, revision, file) = (&before.slug, before.revision, file.display());
    session.output.note(&format!(
        "`afterword article diff {slug} --from {revision}` shows what was changed meanwhile\n\
         `afterword article diff {slug} --file '{file}'` compares your text with what is there now\n\
         `afterword article update {slug} --file '{file}'` saves your text over it"
    ));
    error.context(format!("not saved; your text is in {file}"))
}
