//! Code in the colours of its language: words of code become spans with classes, which the style sheet paints.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use syntect::{
    html::{ClassStyle, ClassedHTMLGenerator},
    parsing::{SyntaxReference, SyntaxSet},
    util::LinesWithEndings,
};

/// What every class of a span begins with: a text names no class of the page.
pub(super) const CLASS: &str = "c-";
const STYLE: ClassStyle = ClassStyle::SpacedPrefixed { prefix: CLASS };
/// Code of one article that is coloured; the rest is shown plain. *Units:* bytes.
const MAX_COLOURED: usize = 48 << 10;
/// A longer line is not code that a person reads, and takes long to parse. *Units:* bytes.
const MAX_LINE: usize = 1_000;
/// How long the code of one article is coloured; the rest is shown plain. Some lines take a grammar half a second.
const COLOURING_TIMEOUT: Duration = Duration::from_millis(200);

static LANGUAGES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// Colours the code blocks of one article, until its allowance is used up.
pub(super) struct Colours {
    /// *Units:* bytes.
    left: usize,
    patience: Duration,
}

impl Colours {
    pub(super) fn new() -> Self {
        Self::within(COLOURING_TIMEOUT)
    }

    fn within(patience: Duration) -> Self {
        Self { left: MAX_COLOURED, patience }
    }

    /// For tests: however long it takes.
    #[cfg(test)]
    pub(super) fn patient() -> Self {
        Self::within(Duration::MAX)
    }

    /// HTML of `code`, which a fence says is in `language`. `None` if it is to be shown plain: the language is unknown,
    /// the code is long, or colouring it takes too long.
    pub(super) fn paint(&mut self, language: &str, code: &str) -> Option<String> {
        let syntax = syntax(language)?;
        if code.len() > self.left || code.lines().any(|line| line.len() > MAX_LINE) {
            return None;
        }
        self.left -= code.len();
        let began = Instant::now();
        let painted = painted(syntax, code, self.patience);
        self.patience = self.patience.saturating_sub(began.elapsed());
        painted
    }
}

fn painted(syntax: &SyntaxReference, code: &str, patience: Duration) -> Option<String> {
    let began = Instant::now();
    let mut painted = ClassedHTMLGenerator::new_with_class_style(syntax, &LANGUAGES, STYLE);
    for line in LinesWithEndings::from(code) {
        if began.elapsed() >= patience {
            return None;
        }
        painted.parse_html_for_line_which_includes_newline(line).ok()?;
    }
    Some(painted.finalize())
}

/// Whether a fence with this info string asks for colours.
pub(super) fn is_known(info: &str) -> bool {
    syntax(info).is_some()
}

/// The syntax that an info string begins with: `rust,ignore`, `{.python}` and `js title="x"` are Rust, Python and
/// JavaScript.
fn syntax(info: &str) -> Option<&'static SyntaxReference> {
    let name = info.split([',', ' ', '\t', '}']).next()?.trim_start_matches(['{', '.']);
    if name.is_empty() {
        return None;
    }
    LANGUAGES.find_syntax_by_token(name).filter(|syntax| syntax.name != "Plain Text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_however_a_fence_names_it() {
        for info in ["rust", "Rust", "rs", "rust,ignore", "{.python}", "js title=\"x\"", "toml", "typescript", "sh"] {
            assert!(is_known(info), "{info}");
        }
        for info in ["", " ", "text", "no-such-language", "{}"] {
            assert!(!is_known(info), "{info}");
        }
    }

    #[test]
    fn code_keeps_its_text_and_nothing_of_it_is_markup() {
        let code = "let a = \"<script>&amp;\"; // é 日本\n\n";
        let painted = Colours::patient().paint("rust", code).expect("colours");
        let mut text = String::new();
        let mut rest = painted.as_str();
        while let Some((before, tag)) = rest.split_once('<') {
            text.push_str(before);
            let (tag, after) = tag.split_once('>').expect("a whole tag");
            assert!(tag == "/span" || tag.starts_with("span class=\"c-"), "{tag}");
            rest = after;
        }
        text.push_str(rest);
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        assert_eq!(text, code);
    }

    #[test]
    fn long_code_and_long_lines_stay_plain() {
        let mut colours = Colours::patient();
        assert!(colours.paint("rust", &"x".repeat(MAX_LINE + 1)).is_none());
        let half = "let a = 1;\n".repeat(MAX_COLOURED / 20);
        assert!(colours.paint("rust", &half).is_some());
        assert!(colours.paint("rust", &half).is_none(), "the allowance is that of the article");
        assert!(colours.paint("rust", "let b = 2;\n").is_some());
    }

    #[test]
    fn code_that_takes_too_long_stays_plain_and_so_does_what_follows() {
        let mut colours = Colours::within(Duration::from_millis(1));
        let slow = format!("{}\n", "a<b,".repeat(240)).repeat(48);
        assert!(colours.paint("ts", &slow).is_none(), "it would take seconds");
        assert!(colours.paint("rust", "let a = 1;\n").is_none(), "the patience is that of the article");
    }
}
