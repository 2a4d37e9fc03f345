//! Texts that have been sent and not answered yet, and who waits for each. Pure.

use std::collections::HashMap;

/// A text of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// The attempt.
    pub(super) attempt: u64,
    /// The text's place among those that it asked for.
    pub(super) place: usize,
}

/// What is sent once: equal texts, but those of an attempt that shares nothing are its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Of the text.
    pub(super) hash: String,
    /// The attempt that shares nothing.
    pub(super) alone: Option<u64>,
}

/// Who waits for which text.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    members: HashMap<Key, Vec<Member>>,
}

impl UnderWay {
    /// Lets `member` wait for a text. Answers whether it was under way already: else it has to be sent now.
    pub(super) fn join(&mut self, key: Key, member: Member) -> bool {
        let members = self.members.entry(key);
        let was_under_way = matches!(members, std::collections::hash_map::Entry::Occupied(_));
        members.or_default().push(member);
        was_under_way
    }

    /// The text has been answered: who waited for it.
    pub(super) fn end(&mut self, key: &Key) -> Vec<Member> {
        self.members.remove(key).unwrap_or_default()
    }

    /// `attempt` waits no more.
    pub(super) fn leave(&mut self, attempt: u64) {
        self.members.values_mut().for_each(|members| members.retain(|member| member.attempt != attempt));
    }

    /// `attempt` waits no more for this text; answers whether it did.
    pub(super) fn leave_one(&mut self, key: &Key, attempt: u64) -> bool {
        let Some(members) = self.members.get_mut(key) else { return false };
        let before = members.len();
        members.retain(|member| member.attempt != attempt);
        members.len() < before
    }

    /// Whether anybody waits for the text.
    pub(super) fn is_awaited(&self, key: &Key) -> bool {
        self.members.get(key).is_some_and(|members| !members.is_empty())
    }
}
