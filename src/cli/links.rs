//! `links`

use super::{
    arguments::LinksArguments,
    failure::Usage,
    session::Session,
    table::{name, short, table, text},
};
use crate::{articles::Articles, plural::count};

/// Most links that are listed.
const MAX_LISTED_LINKS: u32 = 1_000;

pub(super) async fn run(session: &Session, arguments: LinksArguments) -> anyhow::Result<()> {
    let articles = session.host().await?.articles;
    while articles.read_some_again().await? {}
    match (arguments.slug, arguments.broken) {
        (Some(slug), false) => of_article(session, &articles, &slug).await,
        (None, true) => broken(session, &articles).await,
        _ => Err(Usage("name an article, or say --broken for links that lead nowhere".to_owned()).into()),
    }
}

async fn of_article(session: &Session, articles: &Articles, slug: &str) -> anyhow::Result<()> {
    let linked = articles.linked(slug).await?;
    let (links, backlinks) =
        (articles.links_of(&linked, MAX_LISTED_LINKS).await?, articles.backlinks(&linked, MAX_LISTED_LINKS).await?);
    let answer = serde_json::json!({ "links": links, "backlinks": backlinks });
    session.output.answer(&answer, |look| {
        if links.is_empty() && backlinks.is_empty() {
            return format!("{slug} has no links, and no article links to it");
        }
        let to = links.iter().map(|link| {
            let leads_to = link.slug.clone().unwrap_or_else(|| "(nowhere)".to_owned());
            ["links to".to_owned(), leads_to, short(&link.target, 60)]
        });
        let from = backlinks.iter().map(|link| ["linked from".to_owned(), link.slug.clone(), short(&link.target, 60)]);
        table(look, [text(""), name("article"), text("as")], to.chain(from))
    })
}

async fn broken(session: &Session, articles: &Articles) -> anyhow::Result<()> {
    let links = articles.broken_links(MAX_LISTED_LINKS).await?;
    session.output.first_of("links", &links, |look| {
        let rows = links.iter().map(|link| [link.slug.clone(), short(&link.target, 60), link.form.clone()]);
        table(look, [name("article"), text("link"), text("form")], rows)
    })?;
    if let Some(total) = links.total {
        let verb = if total == 1 { "leads" } else { "lead" };
        session.output.note(&format!("{} that {verb} nowhere", count(total, "link")));
    }
    Ok(())
}
