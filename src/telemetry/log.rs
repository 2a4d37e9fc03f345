//! Lines of the log: foreign values are cut and have no control characters, so that no request can write a line of a
//! hundred megabytes, forge a line, or control a terminal.

use std::{
    borrow::Cow,
    fmt::{self, Debug, Write as _},
    io::{self, Write},
};

use serde_json::Value;
use tracing::field::Field;
use tracing_subscriber::{
    field::MakeExt,
    fmt::{
        FormatFields, MakeWriter,
        format::{Writer, debug_fn},
    },
};

use crate::{printable, secrets};

/// Longest value in a line for people. *Units:* characters.
const LONGEST_VALUE: usize = 2_000;
/// In a longer line for programs, the values are cut. *Units:* bytes.
const LONGEST_LINE: usize = 16 << 10;

/// Writes values for people.
pub(crate) fn fields() -> impl for<'writer> FormatFields<'writer> + Clone + Send + Sync + 'static {
    debug_fn(write_field).delimited(" ")
}

fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> fmt::Result {
    match field.name() {
        name if name.starts_with("log.") => return Ok(()),
        "message" => {}
        name => write!(writer, "{}=", name.trim_start_matches("r#"))?,
    }
    let mut value_writer = Cut { to: writer, left: LONGEST_VALUE, is_cut: false };
    match write!(value_writer, "{value:?}") {
        // The rest was left out on purpose.
        Err(_) if value_writer.is_cut => Ok(()),
        written => written,
    }
}

/// Writes the beginning of a value.
struct Cut<'a, W> {
    to: &'a mut W,
    left: usize,
    is_cut: bool,
}

impl<W: fmt::Write> fmt::Write for Cut<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.left == 0 {
                self.is_cut = true;
                self.to.write_char('…')?;
                return Err(fmt::Error);
            }
            self.left -= 1;
            printable::push(self.to, c)?;
        }
        Ok(())
    }
}

/// Writes lines for people without secrets. Their values are cut by [`fields`].
pub(crate) fn for_people<M>(to: M) -> Cleaned<M> {
    Cleaned { to, clean: |line| line.as_bytes().to_vec() }
}

/// Writes lines that are JSON objects without secrets, their values cut.
pub(crate) fn objects<M>(to: M) -> Cleaned<M> {
    Cleaned { to, clean: |line| object_line(line.as_bytes()).into_owned() }
}

/// Takes whole lines and passes on what may be seen of them.
pub(crate) struct Cleaned<W> {
    to: W,
    clean: fn(&str) -> Vec<u8>,
}

impl<'writer, M: MakeWriter<'writer>> MakeWriter<'writer> for Cleaned<M> {
    type Writer = Cleaned<M::Writer>;

    fn make_writer(&'writer self) -> Self::Writer {
        Cleaned { to: self.to.make_writer(), clean: self.clean }
    }
}

impl<W: Write> Write for Cleaned<W> {
    /// A line comes in one piece, so no secret is split.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.to.write_all(&(self.clean)(&secrets::strike(&text)))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn object_line(line: &[u8]) -> Cow<'_, [u8]> {
    let mut line = Cow::Borrowed(line);
    if line.len() > LONGEST_LINE
        && let Ok(mut value) = serde_json::from_slice(&line)
    {
        clip(&mut value);
        line = Cow::Owned(format!("{value}\n").into_bytes());
    }
    // JSON leaves these as they are, but terminals obey them.
    match std::str::from_utf8(&line) {
        Ok(text) if text.contains(|c| ('\u{7f}'..='\u{9f}').contains(&c)) => {
            let shown = text.chars().map(|c| match c {
                '\u{7f}'..='\u{9f}' => Cow::Owned(format!("\\u{:04x}", u32::from(c))),
                c => Cow::Owned(c.to_string()),
            });
            Cow::Owned(shown.collect::<String>().into_bytes())
        }
        _ => line,
    }
}

fn clip(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((at, _)) = text.char_indices().nth(LONGEST_VALUE) {
                text.truncate(at);
                text.push('…');
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clip),
        Value::Object(fields) => fields.values_mut().for_each(clip),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct LogBuffer(Arc<Mutex<Vec<u8>>>);

    impl Write for LogBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_value_ends_no_line_obeys_nothing_and_is_cut() {
        let kept = LogBuffer::default();
        let writer = kept.clone();
        let layer = tracing_subscriber::fmt::layer().fmt_fields(fields()).with_ansi(false);
        let subscriber = tracing_subscriber::registry().with(layer.with_writer(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let forged = "1\n2026-01-01T00:00:00Z  INFO all is well\u{1b}[2J";
            let span = tracing::info_span!("request", id = %forged);
            span.in_scope(|| tracing::info!(uri = "x".repeat(1 << 20), name = ?forged, "heard {forged}"));
        });
        let text = String::from_utf8(kept.0.lock().expect("not poisoned").clone()).expect("text");
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(!text.contains('\u{1b}') && text.len() < 20_000 && text.contains("all is well"), "{text}");
    }

    #[test]
    fn a_line_for_programs_stays_an_object() {
        let line = format!("{}\n", serde_json::json!({ "fields": { "uri": "y".repeat(1 << 20), "c1": "\u{9b}2J" } }));
        let cut = object_line(line.as_bytes());
        assert!(cut.len() < LONGEST_LINE && cut.ends_with(b"\n"));
        let value: Value = serde_json::from_slice(&cut).expect("an object");
        assert_eq!(value["fields"]["c1"], "\u{9b}2J");
        assert!(!String::from_utf8_lossy(&cut).contains('\u{9b}'));
    }
}
