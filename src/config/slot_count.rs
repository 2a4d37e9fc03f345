//! What `queue.slots` comes to with the provider of the settings.

use super::{
    sections::{Embedding, Provider},
    slots::{MAX_SLOTS, Slots},
};

/// Slots of each thread of the local model: while one text is computed, the next are read and cut.
const FOR_EACH_THREAD: usize = 4;

/// Articles in work for each text of the requests that run, if each has one text only: while their answers are on the way, the
/// next requests are filled.
const FOR_TWO_TEXTS: usize = 3;

impl Slots {
    /// The number that holds with the provider of `embedding`.
    pub fn number(self, embedding: &Embedding) -> u32 {
        let wanted = match (self, embedding.provider) {
            (Self::Number(number), _) => return number,
            (Self::Auto, Provider::Local) => FOR_EACH_THREAD.saturating_mul(threads(embedding.local.threads)),
            (Self::Auto, Provider::OpenAi) => {
                let texts = embedding.openai.concurrency.saturating_mul(embedding.openai.batch_texts);
                texts.saturating_mul(FOR_TWO_TEXTS) / 2
            }
            // Made-up vectors take no time, unless a test wants it so.
            (Self::Auto, Provider::Scripted) => 1,
        };
        u32::try_from(wanted).unwrap_or(MAX_SLOTS).clamp(1, MAX_SLOTS)
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
