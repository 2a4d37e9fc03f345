//! What `queue.slots` comes to with the provider of the settings.

use super::{
    sections::{Embedding, Provider},
    slots::Slots,
};

/// Slots of each thread of the local model: while one text is computed, the next are read and cut.
const FOR_EACH_THREAD: usize = 4;

/// More would fill larger requests. But whatever is in work when a host is killed for the third time has failed, and one of
/// them at most is to blame.
const MOST_BY_ITSELF: u32 = 8;

impl Slots {
    /// The number that holds with the provider of `embedding`.
    pub fn number(self, embedding: &Embedding) -> u32 {
        let wanted = match (self, embedding.provider) {
            (Self::Number(number), _) => return number,
            (Self::Auto, Provider::Local) => FOR_EACH_THREAD.saturating_mul(threads(embedding.local.threads)),
            (Self::Auto, Provider::OpenAi) => embedding.openai.concurrency.saturating_mul(embedding.openai.batch_texts),
            // Made-up vectors take no time, unless a test wants it so.
            (Self::Auto, Provider::Scripted) => 1,
        };
        u32::try_from(wanted).unwrap_or(MOST_BY_ITSELF).clamp(1, MOST_BY_ITSELF)
    }
}

/// `configured`, or one for each core.
fn threads(configured: usize) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sections::{Local, OpenAi};

    #[test]
    fn a_number_is_obeyed_and_auto_fills_the_provider() {
        let mut embedding = Embedding { local: Local { threads: 3 }, ..Embedding::default() };
        assert_eq!(Slots::Number(1).number(&embedding), 1);
        assert_eq!(Slots::Auto.number(&embedding), 8);
        embedding.local.threads = 1;
        assert_eq!(Slots::Auto.number(&embedding), 4);
        embedding.provider = Provider::OpenAi;
        assert_eq!(Slots::Auto.number(&embedding), 8);
        embedding.openai = OpenAi { concurrency: 1, batch_texts: 1, ..OpenAi::default() };
        assert_eq!(Slots::Auto.number(&embedding), 1);
        embedding.openai.batch_texts = usize::MAX;
        assert_eq!(Slots::Auto.number(&embedding), 8);
    }
}
