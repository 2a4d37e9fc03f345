//! The form of answers for people: colours, width, times.

use std::{
    io::{self, IsTerminal},
    time::{SystemTime, UNIX_EPOCH},
};

use anstream::{AutoStream, stream::RawStream};
use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use textwrap::{WordSeparator, WordSplitter, core::Word};

use crate::{
    fulltext::is_unspaced,
    plural::count,
    time::{Timestamp, date, to_the_second},
};

/// Titles and heads of tables.
pub(super) const STRONG: Style = Style::new().bold();
/// Secondary text.
pub(super) const FAINT: Style = Style::new().dimmed();
/// Names of articles.
pub(super) const NAME: Style = AnsiColor::Cyan.on_default();
/// Words that were searched for.
pub(super) const FOUND: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const UNSETTLED: Style = AnsiColor::Yellow.on_default();

/// Below this width lines are not broken: it can only be a mistake. *Units:* columns.
const NARROWEST: usize = 20;

/// The form of an answer, depending on where it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextStyle {
    has_colours: bool,
    /// Width at which lines are broken; `None` if a program reads them. *Units:* columns.
    width: Option<usize>,
    /// The present, for ages; `None`: times are shown as dates. *Units:* milliseconds since 1970.
    now: Option<i64>,
}

impl TextStyle {
    /// For standard output. An exported `COLUMNS` is obeyed in any case.
    pub(super) fn of_stdout(colours: ColorChoice) -> Self {
        let stdout = io::stdout();
        let typed = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let is_watched = stdout.is_terminal();
        let terminal = || terminal_size::terminal_size().filter(|_| is_watched).map(|(width, _)| usize::from(width.0));
        Self {
            has_colours: has_colours(colours, &stdout),
            width: typed.or_else(terminal).filter(|width| *width >= NARROWEST),
            now: is_watched.then(now),
        }
    }

    /// As a program reads it.
    #[cfg(test)]
    pub(super) fn plain(width: usize) -> Self {
        Self { has_colours: false, width: Some(width), now: None }
    }

    /// As on a terminal.
    #[cfg(test)]
    pub(super) fn coloured(width: usize, now: i64) -> Self {
        Self { has_colours: true, width: Some(width), now: Some(now) }
    }

    pub(super) fn has_colours(self) -> bool {
        self.has_colours
    }

    pub(super) fn width(self) -> Option<usize> {
        self.width
    }

    /// Formats `text` in a style.
    pub(super) fn paint(self, style: Style, text: &str) -> String {
        if self.has_colours && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Formats a point in time, in few characters: as an age on a terminal, else as a date.
    pub(super) fn time(self, at: Timestamp) -> String {
        match self.now {
            Some(now) => ago(now - at.0).unwrap_or_else(|| date(at)),
            None => to_the_second(at),
        }
    }

    /// Formats a point in time as a date and an age.
    pub(super) fn time_and_age(self, at: Timestamp) -> String {
        match self.now.and_then(|now| ago(now - at.0)) {
            Some(ago) => format!("{} ({ago})", to_the_second(at)),
            None => to_the_second(at),
        }
    }

    /// Breaks `text` between words; each line starts with `indent`.
    pub(super) fn wrapped(self, text: &str, indent: &str) -> String {
        self.broken(text, indent, indent)
    }

    /// The same with the first line not indented.
    pub(super) fn hanging(self, text: &str, indent: &str) -> String {
        self.broken(text, "", indent)
    }

    fn broken(self, text: &str, first: &str, others: &str) -> String {
        let Some(width) = self.width else { return format!("{first}{text}") };
        let options = textwrap::Options::new(width).initial_indent(first).subsequent_indent(others);
        // A word that is longer than a line is an address or a name: it is left whole, to be copied.
        let options = options.break_words(false).word_splitter(WordSplitter::NoHyphenation);
        let options = options.word_separator(WordSeparator::Custom(words));
        textwrap::fill(text, options)
    }
}

/// Where lines may be broken: at spaces, and between characters of scripts that write without them. Hyphens and slashes
/// are parts of names.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut words = Vec::new();
    let (mut start, mut before) = (0, ' ');
    for (at, c) in line.char_indices() {
        let is_next_word = before == ' ' && c != ' ' && at > 0;
        let is_between = is_unspaced(before) && is_unspaced(c);
        if is_next_word || is_between {
            words.push(Word::from(&line[start..at]));
            start = at;
        }
        before = c;
    }
    words.push(Word::from(&line[start..]));
    Box::new(words.into_iter())
}

/// Whether a stream gets colours: as requested, else if it is a terminal and `NO_COLOR` does not forbid it.
pub(super) fn has_colours(choice: ColorChoice, stream: &impl RawStream) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => AutoStream::choice(stream) != anstream::ColorChoice::Never,
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Formats an age; `None` if a date says more, because it is too long ago or in the future.
fn ago(milliseconds: i64) -> Option<String> {
    const SECOND: i64 = 1_000;
    const MINUTE: i64 = 60 * SECOND;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    match milliseconds {
        // Clocks of two machines differ a little.
        -5_000..5_000 => Some("now".to_owned()),
        5_000..MINUTE => Some(format!("{} s ago", milliseconds / SECOND)),
        MINUTE..HOUR => Some(format!("{} min ago", milliseconds / MINUTE)),
        HOUR..DAY => Some(format!("{} ago", count(milliseconds / HOUR, "hour"))),
        DAY..2_592_000_000 => Some(format!("{} ago", count(milliseconds / DAY, "day"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_say_them_and_as_dates_to_programs() {
        let now = 1_700_000_000_000;
        let look = TextStyle::coloured(80, now);
        for (before, said) in [
            (0, "now"),
            (42_000, "42 s ago"),
            (61_000, "1 min ago"),
            (3_600_000, "1 hour ago"),
            (7_200_000, "2 hours ago"),
            (86_400_000, "1 day ago"),
            (29 * 86_400_000, "29 days ago"),
            (400 * 86_400_000, "2022-10-10"),
            (-3_600_000, "2023-11-14"),
        ] {
            assert_eq!(look.time(Timestamp(now - before)), said);
        }
        assert_eq!(look.time_and_age(Timestamp(now - 42_000)), "2023-11-14T22:12:38Z (42 s ago)");
        assert_eq!(TextStyle::plain(80).time(Timestamp(now)), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn lines_are_broken_between_words_only() {
        let look = TextStyle::plain(20);
        assert_eq!(look.wrapped("one two three four five six", "  "), "  one two three four\n  five six");
        let address = "https://example.org/a/very/long/path-with-hyphens";
        assert_eq!(look.wrapped(address, ""), address);
        assert_eq!(look.wrapped("数据库每天凌晨执行完整备份一次", ""), "数据库每天凌晨执行完\n整备份一次");
    }

    #[test]
    fn colours_are_where_they_are_wanted() {
        assert_eq!(TextStyle::plain(80).paint(BAD, "x"), "x");
        assert_eq!(TextStyle::coloured(80, 0).paint(BAD, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert!(has_colours(ColorChoice::Always, &io::stdout()) && !has_colours(ColorChoice::Never, &io::stdout()));
    }
}
