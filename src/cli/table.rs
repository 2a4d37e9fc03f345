//! Tables for people.

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::text_style::{BAD, FAINT, GOOD, NAME, STRONG, TextStyle, UNSETTLED};

/// A column of running text is not made narrower than this in favour of others. *Units:* columns.
const TEXT_AT_LEAST: u16 = 12;

/// The format of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    heading: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Number,
    Text,
    Status,
    Time,
}

/// Slugs, keys, paths: never broken, so that they can be copied.
pub(super) const fn name(heading: &'static str) -> Column {
    Column { heading, kind: Kind::Name }
}

/// Numbers and amounts, aligned to the right.
pub(super) const fn number(heading: &'static str) -> Column {
    Column { heading, kind: Kind::Number }
}

/// Running text: broken between words if the line is too short.
pub(super) const fn text(heading: &'static str) -> Column {
    Column { heading, kind: Kind::Text }
}

/// One of a few words, each with its colour.
pub(super) const fn status(heading: &'static str) -> Column {
    Column { heading, kind: Kind::Status }
}

/// Points in time.
pub(super) const fn time(heading: &'static str) -> Column {
    Column { heading, kind: Kind::Time }
}

/// Formats a table, at most as wide as the terminal if its names allow that.
pub(super) fn table<const N: usize>(
    look: TextStyle,
    columns: [Column; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).force_no_tty();
    table.style_text_only();
    if look.has_colours() {
        table.enforce_styling();
    }
    if let Some(width) = look.width().and_then(|width| u16::try_from(width).ok()) {
        table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(columns.map(|column| styled(STRONG, column.heading.to_uppercase())));
    let mut longest = [0; N];
    for row in rows {
        for (longest, cell) in longest.iter_mut().zip(&row) {
            *longest = longest_word(cell).max(*longest);
        }
        let mut columns = columns.iter();
        table.add_row(row.map(|cell| match columns.next() {
            Some(column) => column.kind.cell(cell),
            None => comfy_table::Cell::new(cell),
        }));
    }
    let widest = table.column_max_content_widths();
    for (at, column) in columns.iter().enumerate() {
        let Some(set) = table.column_mut(at) else { continue };
        set.set_padding((0, if at + 1 == N { 0 } else { 2 }));
        if column.kind == Kind::Number {
            set.set_cell_alignment(CellAlignment::Right);
        }
        let (widest, padding) = (widest.get(at).copied().unwrap_or_default(), if at + 1 == N { 0 } else { 2 });
        set.set_constraint(column.kind.constraint(widest, longest.get(at).copied().unwrap_or_default() + padding));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

impl Kind {
    fn constraint(self, widest: u16, longest_word: u16) -> ColumnConstraint {
        match self {
            Self::Text => ColumnConstraint::LowerBoundary(Width::Fixed(widest.min(TEXT_AT_LEAST).max(longest_word))),
            Self::Name | Self::Number | Self::Status | Self::Time => ColumnConstraint::ContentWidth,
        }
    }

    fn cell(self, content: String) -> comfy_table::Cell {
        match self {
            Self::Name => styled(NAME, content),
            Self::Time => styled(FAINT, content),
            Self::Status => styled(of_status(&content), content),
            Self::Number | Self::Text => comfy_table::Cell::new(content),
        }
    }
}

/// The length of the longest word, which may be an address or a name and is left whole, to be copied. Scripts without
/// spaces are broken anywhere. *Units:* columns.
fn longest_word(text: &str) -> u16 {
    let longest = text.split_whitespace().filter(|word| word.is_ascii()).map(str::len).max();
    u16::try_from(longest.unwrap_or_default()).unwrap_or(u16::MAX)
}

/// The colour of a status word.
pub(super) fn of_status(word: &str) -> Style {
    match word.split([' ', ',']).next().unwrap_or_default() {
        "completed" | "ok" | "applied" | "installed" | "running" | "present" => GOOD,
        "failed" | "FAULT" | "missing" | "lost" | "revoked" | "expired" => BAD,
        "pending" | "processing" | "warning" | "queuing" | "paused" => UNSETTLED,
        "cancelled" | "skipped" => FAINT,
        _ => Style::new(),
    }
}

fn styled(style: Style, content: String) -> comfy_table::Cell {
    let cell = comfy_table::Cell::new(content);
    let effects = style.get_effects();
    let cell = if effects.contains(anstyle::Effects::BOLD) { cell.add_attribute(Attribute::Bold) } else { cell };
    let cell = if effects.contains(anstyle::Effects::DIMMED) { cell.add_attribute(Attribute::Dim) } else { cell };
    match style.get_fg_color() {
        Some(anstyle::Color::Ansi(AnsiColor::Cyan)) => cell.fg(Color::DarkCyan),
        Some(anstyle::Color::Ansi(AnsiColor::Green)) => cell.fg(Color::DarkGreen),
        Some(anstyle::Color::Ansi(AnsiColor::Red)) => cell.fg(Color::DarkRed),
        Some(anstyle::Color::Ansi(AnsiColor::Yellow)) => cell.fg(Color::DarkYellow),
        Some(_) | None => cell,
    }
}

/// Formats names and values, one pair per line; long values continue in their own column.
pub(super) fn fields<'a>(look: TextStyle, rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let indent = " ".repeat(width + 2);
    let lines = rows.into_iter().map(|(name, value)| {
        let value = look.wrapped(&value, &indent);
        let value = value.strip_prefix(&indent).unwrap_or(&value).to_owned();
        format!("{}  {value}", look.paint(STRONG, &format!("{name:<width$}")))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Shortens a long text.
pub(super) fn short(text: &str, characters: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= characters {
        return line;
    }
    let kept: String = line.chars().take(characters.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_broken_and_a_text_between_words_only() {
        let slug = "a-slug-that-is-fifty-characters-long-in-all-quite-so";
        let rows = [[slug.to_owned(), "A title of several words that has to be broken".to_owned(), "7".to_owned()]];
        let shown = table(TextStyle::plain(80), [name("slug"), text("title"), number("rev")], rows);
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        assert_eq!(shown.matches(slug).count(), 1, "{shown}");
        for word in ["several", "broken"] {
            assert!(shown.contains(word), "{shown}");
        }
        assert!(!shown.contains('\u{1b}'));
        let path = "the database is /home/somebody/.local/share/afterword/afterword.db and is sound";
        let narrow =
            table(TextStyle::plain(40), [name("part"), text("finding")], [["database".to_owned(), path.to_owned()]]);
        assert!(narrow.contains("/home/somebody/.local/share/afterword/afterword.db"), "{narrow}");
        assert!(narrow.lines().count() > 2, "{narrow}");
        let rows = [["x".to_owned(), "failed".to_owned()]];
        let coloured = table(TextStyle::coloured(80, 0), [name("slug"), status("embedding")], rows);
        assert!(coloured.contains("\u{1b}[") && coloured.contains("failed"), "{coloured:?}");
    }

    #[test]
    fn values_go_on_below_themselves() {
        let shown =
            fields(TextStyle::plain(24), [("a", "one two three four five".to_owned()), ("long", String::new())]);
        assert_eq!(shown, "a     one two three four\n      five\nlong  ");
    }
}
