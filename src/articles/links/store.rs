//! The rows of links.

use std::ops::Range;

use afterword_actors::store::{
    StoreError,
    sql::{self, Sql},
};

use crate::{
    articles::{properties::ExistingRows, slug::Slug},
    markdown::{Form, Link},
};

/// Longest target that leads anywhere. *Units:* bytes.
pub(in crate::articles) const MAX_TARGET_BYTES: usize = 1_000;

type Row<'a> = (usize, &'static str, &'a str, &'a str, String, String);

/// Replaces the stored links of the article by `links`.
pub(crate) async fn write(
    transaction: &impl Sql,
    id: i64,
    known: ExistingRows,
    links: &[Link],
) -> Result<(), StoreError> {
    if known == ExistingRows::Possible {
        transaction.later("DELETE FROM article_links WHERE article_id = $1", [id.into()]).await?;
    }
    let rows: Vec<Row<'_>> = links
        .iter()
        .enumerate()
        .filter(|(_, link)| link.target.len() + link.anchor.len() <= MAX_TARGET_BYTES)
        .map(|(position, link)| {
            let name = name(&link.target, link.form);
            let key = Slug::from_title(&name).to_string();
            (position, link.form.as_str(), link.target.as_str(), link.anchor.as_str(), name, key)
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO article_links (article_id, position, form, target, anchor, name, key)
               SELECT $1, j.position, j.form, j.target, j.anchor, j.name, j.key
               FROM {rows $2: position BIGINT, form TEXT, target TEXT, anchor TEXT, name TEXT, key TEXT} j";
    let rows = sql::json(&rows)?;
    transaction.later(sql, [id.into(), rows]).await
}

/// The last part of a target, without `.md` and similar extensions.
pub(in crate::articles) fn name(target: &str, form: Form) -> String {
    let target = match form {
        Form::Wiki => target.to_owned(),
        Form::Path | Form::Address => decoded(target),
    };
    target[name_at(&target)].to_owned()
}

/// Where the last part of a target stands in it, as it is written.
pub(in crate::articles) fn name_at(target: &str) -> Range<usize> {
    let whole = target.trim_end_matches('/');
    let last = &whole[whole.rfind(['/', '\\']).map_or(0, |end| end + 1)..];
    let start = whole.len() - last.len();
    let name = [".md", ".markdown", ".mdx"].iter().find_map(|ending| {
        let at = last.len().checked_sub(ending.len())?;
        last.get(at..)?.eq_ignore_ascii_case(ending).then(|| &last[..at])
    });
    let name = name.unwrap_or(last);
    let start = start + (name.len() - name.trim_start().len());
    start..start + name.trim().len()
}

/// Decodes `%20` and the like.
pub(crate) fn decoded(text: &str) -> String {
    let (bytes, mut plain, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    // No database can store a NUL in text.
    let plain = String::from_utf8(plain).ok().filter(|plain| !plain.contains('\0'));
    plain.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_the_name_of_its_last_part() {
        for (target, form, expected) in [
            ("Night trains", Form::Wiki, "Night trains"),
            ("travel/Night trains.md", Form::Wiki, "Night trains"),
            ("../travel/night%20trains.MD", Form::Path, "night trains"),
            ("100%", Form::Path, "100%"),
            ("%zz/%", Form::Path, "%"),
            ("a%00.md", Form::Path, "a%00"),
            ("night-trains", Form::Address, "night-trains"),
            ("v1.2", Form::Wiki, "v1.2"),
        ] {
            assert_eq!(name(target, form), expected, "{target}");
        }
    }
}
