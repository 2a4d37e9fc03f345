//! What `queue.slots` comes to with the provider of the settings.

use super::{
    sections::Embedding,
    slots::{MAX_SLOTS, Slots},
};

impl Slots {
    /// The number that holds with the provider of `embedding`.
    pub fn number(self, embedding: &Embedding) -> u32 {
        match self {
            Self::Number(number) => number,
            Self::Auto => u32::try_from(embedding.slots()).unwrap_or(MAX_SLOTS).clamp(1, MAX_SLOTS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sections::{Local, OpenAi, Provider};

    #[test]
    fn a_number_is_obeyed_and_auto_fills_the_provider() {
        let mut embedding = Embedding { local: Local { threads: 3, ..Local::default() }, ..Embedding::default() };
        assert_eq!(Slots::Number(1).number(&embedding), 1);
        assert_eq!(Slots::Auto.number(&embedding), 12);
        embedding.provider = Provider::OpenAi;
        assert_eq!(Slots::Auto.number(&embedding), 576);
        embedding.openai = OpenAi { concurrency: 1, batch_texts: 1, ..OpenAi::default() };
        assert_eq!(Slots::Auto.number(&embedding), 1);
        embedding.openai.batch_texts = usize::MAX;
        assert_eq!(Slots::Auto.number(&embedding), MAX_SLOTS);
    }
}
