//! A table of commas (CSV) as a table of markdown.

/// Returns the article of a table: its title, and its rows. The first row names the columns.
pub(super) fn markdown(title: &str, csv: &str) -> String {
    let rows = rows(csv.trim_start_matches('\u{feff}'));
    let mut text = format!("# {title}\n");
    let Some((first, others)) = rows.split_first() else { return text };
    // A row with more cells than there are columns would lose them.
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    text.push('\n');
    let blank = String::new();
    push(&mut text, (0..columns).map(|column| cell(first.get(column).unwrap_or(&blank))));
    push(&mut text, (0..columns).map(|_| "---".to_owned()));
    for row in others {
        push(&mut text, row.iter().map(|value| cell(value)));
    }
    text
}

fn push(text: &mut String, cells: impl Iterator<Item = String>) {
    for cell in cells {
        text.push_str("| ");
        text.push_str(&cell);
        text.push(' ');
    }
    text.push_str("|\n");
}

/// A value on one line, in which no bar ends the cell.
fn cell(value: &str) -> String {
    let lines: Vec<&str> = value.trim().lines().map(str::trim).collect();
    lines.join("<br>").replace('|', "\\|")
}

/// The rows of a table, as RFC 4180 writes them. What breaks its rules is taken literally.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut in_quotes) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = csv.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if in_quotes && characters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if in_quotes => in_quotes = false,
            '"' if cell.is_empty() => in_quotes = true,
            ',' if !in_quotes => row.push(std::mem::take(&mut cell)),
            '\r' if !in_quotes && characters.peek() == Some(&'\n') => {}
            '\n' if !in_quotes => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows.retain(|row| row.iter().any(|cell| !cell.trim().is_empty()));
    rows
}
