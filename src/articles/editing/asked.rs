//! Edits as callers of every door write them.

use super::edit::{Edit, SectionChange};
use crate::api::{AskedEdit, EditAction};

/// Fields that are not an edit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoEdit(String);

impl EditAction {
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

    /// Refuses a field that this action does not use, and that was perhaps meant for another.
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
        if action != EditAction::ReplaceText {
            action.refuses(&find, "find")?;
            action.refuses(&count, "count")?;
        }
        if matches!(action, EditAction::Append | EditAction::Prepend | EditAction::ReplaceText) {
            action.refuses(&section, "section")?;
        }
        let text = match action {
            EditAction::DeleteSection => {
                action.refuses(&text, "text")?;
                String::new()
            }
            _ => action.needs(text, "text")?,
        };
        let change = match action {
            EditAction::Append => return Ok(Self::Append(text)),
            EditAction::Prepend => return Ok(Self::Prepend(text)),
            EditAction::ReplaceText => {
                let find = action.needs(find, "find")?;
                return Ok(Self::Replace { find, replace: text, count: count.unwrap_or(1) });
            }
            EditAction::ReplaceSection => SectionChange::Replace(text),
            EditAction::InsertBefore => SectionChange::InsertBefore(text),
            EditAction::InsertAfter => SectionChange::InsertAfter(text),
            EditAction::DeleteSection => SectionChange::Delete,
        };
        Ok(Self::Section { section: action.needs(section, "section")?, change })
    }
}
