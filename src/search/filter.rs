//! Which articles may answer: the folder that was given, and what the question itself says of them.

use afterword_actors::store::{Engine, sql::Value};

use super::{
    field::{Field, Moment},
    parse::{Parsed, Sense},
};
use crate::{
    articles::{
        folder::within,
        properties::{Filter, Shape},
    },
    fulltext::{self, Among, Languages, Part, Term},
};

/// What conditions are written for.
pub(super) struct Index<'a> {
    pub(super) engine: Engine,
    pub(super) languages: &'a Languages,
    /// Whether words of an earlier version are left.
    pub(super) with_earlier: bool,
}

impl Index<'_> {
    /// The articles in `folder` that `filter` lets pass and that meet what `parsed` demands.
    pub(super) fn among(&self, folder: &str, filter: &Filter, parsed: &Parsed) -> Among {
        let mut among = Among::default();
        if !folder.is_empty() {
            among = among.and(&within("a.folder", "$?1"), [folder.into()]);
        }
        if !filter.is_empty() {
            let (condition, values) = passing(filter);
            among = among.and(&condition, values);
        }
        for (field, sense) in &parsed.fields {
            among = self.and(among, *sense, self.field(field));
        }
        for phrase in &parsed.phrases {
            among = self.and(among, Sense::Must, self.phrase(phrase, Part::Anywhere));
        }
        for phrase in &parsed.without {
            among = self.and(among, Sense::MustNot, self.phrase(phrase, Part::Anywhere));
        }
        among
    }

    fn and(&self, among: Among, sense: Sense, condition: Option<Condition>) -> Among {
        let Some((condition, values)) = condition else { return among };
        let condition = match sense {
            Sense::Must => condition,
            Sense::MustNot => format!("NOT ({condition})"),
        };
        among.and(&condition, values)
    }

    /// `None` if the text holds no word, which demands nothing.
    fn phrase(&self, text: &str, part: Part) -> Option<Condition> {
        let phrases = match text.strip_suffix('*') {
            Some(start) => Term::beginning(start, self.languages).map_or_else(Vec::new, |term| term.alternatives),
            None => self.languages.phrases(text),
        };
        fulltext::having(self.engine, &phrases, part, self.with_earlier)
    }

    fn field(&self, field: &Field) -> Option<Condition> {
        Some(match field {
            Field::Folder(folder) => (within("a.folder", "$?1"), vec![folder.as_str().into()]),
            Field::Tag(term) | Field::Property(term) => passing(&Filter::default().and(term.clone())),
            Field::Title(title) => return self.phrase(title, Part::Title),
            Field::Slug { slug, is_beginning: false } => ("a.slug = $?1".to_owned(), vec![slug.as_str().into()]),
            Field::Slug { slug, is_beginning: true } => {
                ("substr(a.slug, 1, length($?1)) = $?1".to_owned(), vec![slug.as_str().into()])
            }
            Field::Time(moment, span) => {
                let column = match moment {
                    Moment::Created => "a.created_at",
                    Moment::Updated => "a.updated_at",
                };
                (format!("{column} >= $?1 AND {column} < $?2"), vec![span.from.into(), span.until.into()])
            }
        })
    }
}

/// A filter as a condition on `articles a`.
fn passing(filter: &Filter) -> Condition {
    let mut values = Vec::new();
    let condition = filter.condition(Shape::Gathering, &mut values);
    (condition.replace('$', "$?"), values)
}

type Condition = (String, Vec<Value>);
