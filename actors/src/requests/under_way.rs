//! Texts that have been sent and not answered yet, and which attempts wait for each. Pure.

use std::collections::HashMap;

/// One text of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// The attempt.
    pub(super) attempt: u64,
    /// The text's index among those that it asked for.
    pub(super) place: usize,
}

/// What is sent once: equal texts have one key, except those of an attempt that shares nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct TextKey {
    /// Hash of the text.
    pub(super) hash: String,
    /// The attempt, if it shares nothing.
    pub(super) alone: Option<u64>,
}

/// The waiting attempts of each text.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    members: HashMap<TextKey, Vec<Member>>,
}

impl UnderWay {
    /// Lets `member` wait for a text. Returns whether the text was under way already; if not, it has to be sent now.
    pub(super) fn join(&mut self, key: TextKey, member: Member) -> bool {
        let members = self.members.entry(key);
        let was_under_way = matches!(members, std::collections::hash_map::Entry::Occupied(_));
        members.or_default().push(member);
        was_under_way
    }

    /// Removes an answered text; returns those that waited for it.
    pub(super) fn end(&mut self, key: &TextKey) -> Vec<Member> {
        self.members.remove(key).unwrap_or_default()
    }

    /// Removes `attempt` from all texts.
    pub(super) fn leave(&mut self, attempt: u64) {
        self.members.values_mut().for_each(|members| members.retain(|member| member.attempt != attempt));
    }

    /// Removes `attempt` from this text; returns whether it waited.
    pub(super) fn leave_one(&mut self, key: &TextKey, attempt: u64) -> bool {
        let Some(members) = self.members.get_mut(key) else { return false };
        let before = members.len();
        members.retain(|member| member.attempt != attempt);
        members.len() < before
    }

    /// Whether any attempt waits for the text.
    pub(super) fn is_awaited(&self, key: &TextKey) -> bool {
        self.members.get(key).is_some_and(|members| !members.is_empty())
    }
}
