//! `tags` and `properties`

use super::{
    arguments::{PropertiesArguments, TagsArguments},
    session::Session,
    table::{name, number, short, table, text},
};
use crate::articles::Articles;

pub(super) async fn tags(session: &Session, arguments: TagsArguments) -> anyhow::Result<()> {
    let articles = session.host().await?.articles;
    read_again(&articles).await?;
    let tags = articles.tags(&arguments.start.unwrap_or_default(), arguments.limit).await?;
    session.output.first_of("tags", &tags, |look| {
        let rows = tags.iter().map(|tag| [tag.tag.clone(), tag.articles.to_string()]);
        table(look, [name("tag"), number("articles")], rows)
    })?;
    session.output.note("`afterword article list --tag TAG` lists the articles of one");
    Ok(())
}

pub(super) async fn properties(session: &Session, arguments: PropertiesArguments) -> anyhow::Result<()> {
    let articles = session.host().await?.articles;
    read_again(&articles).await?;
    match arguments.key {
        Some(key) => {
            let values = articles.property_values(&key, arguments.limit).await?;
            session.output.first_of("values", &values, |look| {
                let rows = values.iter().map(|value| [short(&value.value, 60), value.articles.to_string()]);
                table(look, [text("value"), number("articles")], rows)
            })?;
            session
                .output
                .note(&format!("`afterword article list --filter \"{key}:VALUE\"` lists the articles of one"));
            Ok(())
        }
        None => {
            let keys = articles.property_keys(arguments.limit).await?;
            session.output.first_of("properties", &keys, |look| {
                let rows = keys.iter().map(|row| {
                    [short(&row.key, 40), row.kind.clone(), row.articles.to_string(), row.values.to_string()]
                });
                table(look, [name("property"), text("kind"), number("articles"), number("values")], rows)
            })
        }
    }
}

/// Reads what an earlier version has saved, so that it is counted. A running server does this by itself.
async fn read_again(articles: &Articles) -> anyhow::Result<()> {
    while articles.read_some_again().await? {}
    Ok(())
}
