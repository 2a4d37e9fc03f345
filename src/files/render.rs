//! An article as a file: as it came, changed only where an import would otherwise read something else.

use super::{content, hash, place, source::FileRecord};
use crate::articles::{
    Article,
    folder::Folder,
    front_matter::{self, Document, Edit, Field, edited, joined},
    request::Limits,
};

/// What a file is made from.
pub(super) struct Rendered<'a> {
    pub(super) article: &'a Article,
    /// Where it is going.
    pub(super) place: &'a str,
    /// The file it came from, or was written to last.
    pub(super) before: Option<&'a FileRecord>,
    /// Whether it ever came from a file: then the file says what its owner wants it to say, and no more.
    pub(super) came_from_file: bool,
    /// Whether its file has two blocks of front matter: [`keeps_both_blocks`].
    pub(super) keeps_both_blocks: bool,
    /// Slugs that lead to it.
    pub(super) former_slugs: &'a [String],
    /// The folder of articles that stands at the top of the folder of files.
    pub(super) above: &'a Folder,
}

/// The text of the file.
pub(super) fn render(rendered: &Rendered<'_>, limits: Limits) -> String {
    let article = rendered.article;
    let before = before(rendered);
    let mut edits = edits(rendered, &before, limits);
    let mut head = edited(&before.head, &before.body, &edits);
    let is_torn = |head: &str| Document::split(&format!("{head}{}", before.body)).body != before.body;
    if is_torn(&head) {
        // A body that begins as front matter does would be taken for it, were there none before it.
        edits.retain(|(field, _)| *field != Field::Title);
        edits.insert(0, (Field::Title, Edit::Text(article.title.clone())));
        head = edited(&before.head, &before.body, &edits);
    }
    head + &before.body
}

/// Whether the file of an article has two blocks of front matter, whose bytes stay. `text_before` reads the file, if it is
/// there.
pub(super) fn keeps_both_blocks(
    article: &Article,
    record: Option<&FileRecord>,
    text_before: impl FnOnce() -> Option<String>,
) -> bool {
    let has_block = |text: &str| !front_matter::head(text).is_empty();
    if article.front_matter.is_empty() || !has_block(&article.body) {
        return false;
    }
    let as_it_came = || hash(format!("{}{}", article.front_matter, article.body).as_bytes());
    match text_before() {
        Some(text_before) => has_block(&Document::split(&text_before).body),
        None => record.is_some_and(|record| record.file_hash == as_it_came()),
    }
}

/// The article as it is: with one block, unless its file has two.
fn before(rendered: &Rendered<'_>) -> Document {
    let (head, body) = (&rendered.article.front_matter, &rendered.article.body);
    if rendered.came_from_file && rendered.keeps_both_blocks {
        return Document { head: head.clone(), body: body.clone() };
    }
    joined(head, body)
}

fn edits(rendered: &Rendered<'_>, document: &Document, limits: Limits) -> Vec<(Field, Edit)> {
    let Rendered { article, place, before, came_from_file, former_slugs, above, keeps_both_blocks: _ } = rendered;
    let (fields, _) = document.fields();
    let text = format!("{}{}", document.head, document.body);
    let read = content::read(&text, place, above, limits);
    let keeps_slug =
        before.is_some_and(|before| before.slug == article.slug && place::name(&before.path) == place::name(place));
    let mut edits = Vec::new();
    let mut put = |wanted: bool, field: Field, edit: Edit| {
        if wanted {
            edits.push((field, edit));
        }
    };
    let is_untitled = !came_from_file && fields.title.is_none();
    put(read.title != article.title || is_untitled, Field::Title, Edit::Text(article.title.clone()));
    put(!keeps_slug && read.slug.as_ref() != article.slug, Field::Slug, Edit::Text(article.slug.clone()));
    let folder = place::relative(&article.folder, above).to_owned();
    put(read.folder.as_ref() != article.folder, Field::Folder, Edit::Text(folder));
    let is_other = |said: Option<i64>, at: i64| said.map_or(!came_from_file, |said| said != at);
    put(is_other(fields.created, article.created_at.0), Field::Created, Edit::Time(article.created_at.0));
    put(is_other(fields.updated, article.updated_at.0), Field::Updated, Edit::Time(article.updated_at.0));
    put(read.skip_embedding != article.skip_embedding, Field::SkipEmbedding, Edit::Switch(article.skip_embedding));
    let missing: Vec<String> =
        former_slugs.iter().filter(|slug| !fields.former_slugs.contains(slug)).cloned().collect();
    if !missing.is_empty() {
        let said = read.former_slugs.iter().map(ToString::to_string);
        put(true, Field::FormerSlugs, Edit::Names(said.chain(missing).collect()));
    }
    edits
}
