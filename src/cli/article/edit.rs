//! `article edit`: changes a part of an article's text.

use anyhow::Context;

use super::{answer, diff, editor, text::read_file, view};
use crate::{
    api::{AskedEdit, EditAnswer, OnConflict},
    articles::{
        PartEdits,
        editing::{Edit, SectionChange},
    },
    cli::{
        arguments::{EditArguments, TextArguments},
        failure::Usage,
        session::Session,
        text_style::{NAME, TextStyle},
    },
    only_object::OnlyObject,
};
use bytesize::ByteSize;

pub(super) async fn run(session: &Session, arguments: EditArguments) -> anyhow::Result<()> {
    let (slug, expected_revision, merge) = (arguments.slug.clone(), arguments.expected_revision, arguments.merge);
    let most = session.loaded.settings.articles.max_size;
    let Some(edits) = edits(arguments, most)? else {
        return editor::run(session, &slug, expected_revision).await;
    };
    let on_conflict = if merge { OnConflict::Merge } else { OnConflict::Refuse };
    let request = PartEdits { edits, expected_revision, on_conflict };
    let answer = session.saving_host().await?.edit(&slug, request).await?;
    session.output.answer(&answer, |look| text_of(look, &answer))?;
    let waits = answer.changed && answer.embedding.task_id.is_some();
    if waits { answer::if_nobody_embeds(session).await } else { Ok(()) }
}

/// The edits to make; `None` if no part was named.
fn edits(arguments: EditArguments, most: ByteSize) -> anyhow::Result<Option<Vec<Edit>>> {
    let EditArguments { append, prepend, find, replace, count, edits, text, file, .. } = arguments;
    if let Some(file) = edits {
        let several = several(&read_file(&file, most)?);
        return several.map(Some).with_context(|| format!("{} holds no list of edits", file.display()));
    }
    let text = TextArguments { body: text, file };
    let inserted = |text: TextArguments| {
        let given = text.read(most)?;
        given.ok_or_else(|| anyhow::Error::from(Usage("the section needs a text: --text or --file".to_owned())))
    };
    let in_section = |section, change| Ok(Some(vec![Edit::Section { section, change }]));
    if let Some(section) = arguments.replace_section {
        return in_section(section, SectionChange::Replace(inserted(text)?));
    }
    if let Some(section) = arguments.insert_before {
        return in_section(section, SectionChange::InsertBefore(inserted(text)?));
    }
    if let Some(section) = arguments.insert_after {
        return in_section(section, SectionChange::InsertAfter(inserted(text)?));
    }
    if text.body.is_some() || text.file.is_some() {
        return Err(
            Usage("--text and --file go with a section; for the whole text use `article update`".to_owned()).into()
        );
    }
    Ok(match (append, prepend, arguments.delete_section, find) {
        (Some(text), ..) => Some(vec![Edit::Append(text)]),
        (_, Some(text), ..) => Some(vec![Edit::Prepend(text)]),
        (_, _, Some(section), _) => return in_section(section, SectionChange::Delete),
        (_, _, _, Some(find)) => Some(vec![Edit::Replace { find, replace: replace.unwrap_or_default(), count }]),
        (None, None, None, None) => None,
    })
}

fn several(json: &str) -> anyhow::Result<Vec<Edit>> {
    let request: Vec<OnlyObject<AskedEdit>> = serde_json::from_str(json)?;
    Ok(request.into_iter().map(|OnlyObject(edit)| Edit::try_from(edit)).collect::<Result<_, _>>()?)
}

fn text_of(look: TextStyle, answer: &EditAnswer) -> String {
    if !answer.changed {
        return format!("unchanged {} (revision {})", answer.slug, answer.revision);
    }
    let merged = if answer.merged { ", merged with what has changed since" } else { "" };
    let chunks = answer.chunks.map(|chunks| format!(", chunks: {} of {} to embed", chunks.to_embed, chunks.total));
    format!(
        "{}edited {} (revision {}{merged}), embedding: {}{}",
        answer.changes.lines().map(|line| diff::colour_line(look, line) + "\n").collect::<String>(),
        look.paint(NAME, &answer.slug),
        answer.revision,
        view::state(&answer.embedding),
        chunks.unwrap_or_default()
    )
}
