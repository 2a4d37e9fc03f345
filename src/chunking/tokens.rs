//! How long a text is for a model.

/// Counts tokens as a model does.
pub trait TokenCounter: Send + Sync {
    /// Tokens of `text`, without special tokens and without truncation.
    fn count(&self, text: &str) -> usize;
}

/// Estimates the tokens of models without a tokenizer at hand, from the scripts and lengths of words.
///
/// Errs on the high side: a chunk that is somewhat short costs little, one that is too long is cut off by the provider
/// or refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApproximateTokens;

impl TokenCounter for ApproximateTokens {
    fn count(&self, text: &str) -> usize {
        let mut estimate = Estimate::default();
        for c in text.chars() {
            estimate.add(c);
        }
        estimate.end_run();
        estimate.quarters.div_ceil(4)
    }
}

/// What a run of characters is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Run {
    #[default]
    None,
    Lower,
    Upper,
    Digits,
    Blank,
}

/// A count in progress, in quarters of a token, so that short runs are not rounded up one by one.
#[derive(Default)]
struct Estimate {
    quarters: usize,
    run: Run,
    length: usize,
}

impl Estimate {
    fn add(&mut self, c: char) {
        let run = match c {
            'a'..='z' | 'ß'..='ÿ' => Run::Lower,
            'A'..='Z' | 'À'..='Þ' => Run::Upper,
            '0'..='9' => Run::Digits,
            ' ' | '\t' | '\r' | '\n' => Run::Blank,
            _ => Run::None,
        };
        // A capital begins a word that continues in small letters.
        let goes_on = run == self.run || (self.run == Run::Upper && run == Run::Lower && self.length == 1);
        if !goes_on {
            self.end_run();
        }
        self.run = run;
        match run {
            Run::None => self.quarters += quarters(c),
            Run::Blank => self.length += usize::from(c == '\n'),
            Run::Lower | Run::Upper | Run::Digits => self.length += 1,
        }
    }

    fn end_run(&mut self) {
        let length = std::mem::take(&mut self.length);
        self.quarters += match self.run {
            Run::None => 0,
            Run::Blank => 2 * length.min(1),
            Run::Lower => 4 + length.saturating_sub(6),
            Run::Upper => 2 + 2 * length,
            Run::Digits => 2 + 2 * length,
        };
    }
}

/// Quarters of a token for a character that is counted by itself.
fn quarters(c: char) -> usize {
    match c {
        c if c.is_ascii() => 4 * usize::from(!c.is_ascii_control()),
        '\u{ac00}'..='\u{d7af}' => 8,
        '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' => 6,
        '\u{100}'..='\u{24f}' | '\u{300}'..='\u{36f}' => 4,
        '\u{250}'..='\u{1fff}' => 4,
        '\u{2000}'..='\u{2bff}' => 8,
        _ => 12,
    }
}
