//! Edits as callers of every door write them.

use serde::Deserialize;
use utoipa::ToSchema;

use super::edit::{Edit, SectionChange};

/// Something that is no edit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoEdit(String);

/// One change of a part of a text.
#[derive(Debug, Clone, Deserialize, ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedEdit {
    action: Action,
    /// a heading, or the headings down to it: Guide > Tides
    section: Option<String>,
    /// markdown to insert; for replace_text what replaces the found text
    text: Option<String>,
    /// for replace_text: the exact text
    find: Option<String>,
    /// how often it must be there; default 1
    count: Option<usize>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EditAction)]
enum Action {
    Append,
    Prepend,
    ReplaceSection,
    InsertBefore,
    InsertAfter,
    DeleteSection,
    ReplaceText,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Prepend => "prepend",
            Self::ReplaceSection => "replace_section",
            Self::InsertBefore => "insert_before",
            Self::InsertAfter => "insert_after",
            Self::DeleteSection => "delete_section",
            Self::ReplaceText => "replace_text",
        }
    }

    /// A field that this action needs.
    fn needs<T>(self, given: Option<T>, field: &str) -> Result<T, NoEdit> {
        given.ok_or_else(|| NoEdit(format!("{} needs \"{field}\"", self.name())))
    }

    /// A field that means nothing to this action, and was perhaps meant otherwise.
    fn refuses<T>(self, given: &Option<T>, field: &str) -> Result<(), NoEdit> {
        match given {
            Some(_) => Err(NoEdit(format!("{} takes no \"{field}\"", self.name()))),
            None => Ok(()),
        }
    }
}

impl TryFrom<AskedEdit> for Edit {
    type Error = NoEdit;

    fn try_from(asked: AskedEdit) -> Result<Self, NoEdit> {
        let AskedEdit { action, section, text, find, count } = asked;
        if action != Action::ReplaceText {
            action.refuses(&find, "find")?;
            action.refuses(&count, "count")?;
        }
        if matches!(action, Action::Append | Action::Prepend | Action::ReplaceText) {
            action.refuses(&section, "section")?;
        }
        let text = match action {
            Action::DeleteSection => {
                action.refuses(&text, "text")?;
                String::new()
            }
            _ => action.needs(text, "text")?,
        };
        let change = match action {
            Action::Append => return Ok(Self::Append(text)),
            Action::Prepend => return Ok(Self::Prepend(text)),
            Action::ReplaceText => {
                let find = action.needs(find, "find")?;
                return Ok(Self::Replace { find, replace: text, count: count.unwrap_or(1) });
            }
            Action::ReplaceSection => SectionChange::Replace(text),
            Action::InsertBefore => SectionChange::InsertBefore(text),
            Action::InsertAfter => SectionChange::InsertAfter(text),
            Action::DeleteSection => SectionChange::Delete,
        };
        Ok(Self::Section { section: action.needs(section, "section")?, change })
    }
}
