//! What is written in the form, joined with what was saved meanwhile: each field, and the text line by line, against
//! the revision that both have changed.

use super::{draft::Draft, properties};
use crate::{
    articles::{Article, editing::merge},
    offload,
};

/// A draft that has the changes of both sides, as far as they go together.
pub(super) struct Joined {
    /// Where both have changed the same, it is as it was written in the form.
    pub(super) draft: Draft,
    /// Whether both have changed the same anywhere.
    pub(super) is_conflict: bool,
}

impl Joined {
    /// Joins `mine`, which was written on `base`, with `theirs`.
    pub(super) async fn of(base: &Article, mine: &Draft, theirs: &Article) -> Self {
        let (base, mine, theirs) = (base.clone(), mine.clone(), theirs.clone());
        offload::show(move |_| join(&base, mine, &theirs)).await
    }
}

fn join(base: &Article, mine: Draft, theirs: &Article) -> Joined {
    let mut is_conflict = false;
    let skips = mine.skips_embedding();
    let mut draft = mine;
    is_conflict |= !take(&mut draft.title, either(&base.title, &theirs.title));
    is_conflict |= !take(&mut draft.folder, either(&base.folder, &theirs.folder));
    // Of two values, both cannot have been changed to different ones.
    let skips = if skips == base.skip_embedding { theirs.skip_embedding } else { skips };
    draft.skip_embedding = skips.then(|| "on".to_owned());
    is_conflict |= !take(&mut draft.body, |mine| merge(&base.body, mine, &theirs.body));
    if let Some(typed) = &mut draft.properties {
        *typed = typed.replace("\r\n", "\n").trim_end().to_owned();
        let [base, theirs] = [base, theirs].map(|article| properties::front_matter_source(&article.front_matter));
        is_conflict |= !take(typed, |mine| {
            let merged = merge(&line(&base), &line(mine), &line(&theirs))?;
            Some(merged.trim_end().to_owned())
        });
    }
    Joined { draft, is_conflict }
}

/// With its line break, so that what follows the last line is not a change of it.
fn line(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

fn either(base: &str, theirs: &str) -> impl Fn(&str) -> Option<String> {
    move |mine| match () {
        () if mine == base || mine == theirs => Some(theirs.to_owned()),
        () if theirs == base => Some(mine.to_owned()),
        () => None,
    }
}

/// Replaces `mine` by what it is joined to; returns whether that is possible.
fn take(mine: &mut String, join: impl Fn(&str) -> Option<String>) -> bool {
    match join(mine) {
        Some(joined) => {
            *mine = joined;
            true
        }
        None => false,
    }
}
