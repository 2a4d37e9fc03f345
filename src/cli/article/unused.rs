//! Keys in the front matter of a text that name what an article has of its own. An import reads them; a save of a text
//! does not.

use crate::{
    articles::{
        Article,
        front_matter::{Document, Fields},
    },
    cli::session::Session,
};

/// Says which of them say something else than the article.
pub(super) fn mention(session: &Session, article: &Article) {
    let unused = of(article);
    if !unused.is_empty() {
        session.output.note(&format!(
            "{} in the front matter of the text: read by an import, and not here; --title, --slug, --folder and \
             --skip-embedding say it",
            unused.join(", ")
        ));
    }
}

fn of(article: &Article) -> Vec<&'static str> {
    let Fields { title, slug, folder, created, updated, skip_embedding, former_slugs } =
        Document::split(&article.body).fields().0;
    let differs = [
        ("title", title.is_some_and(|title| title != article.title)),
        ("slug", slug.is_some_and(|slug| slug != article.slug)),
        ("folder", folder.is_some_and(|folder| folder != article.folder)),
        ("created", created.is_some_and(|created| created != article.created_at.0)),
        ("updated", updated.is_some_and(|updated| updated != article.updated_at.0)),
        ("skip_embedding", skip_embedding.is_some_and(|skip| skip != article.skip_embedding)),
        ("former_slugs", !former_slugs.is_empty()),
    ];
    differs.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}
