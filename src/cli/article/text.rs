//! Texts from files and from standard input.

use std::{
    fs::{File, Metadata},
    io::Read,
    path::Path,
};

use anyhow::{Context, anyhow};
use bytesize::ByteSize;

use crate::cli::{arguments::TextArguments, failure::Usage};

impl TextArguments {
    /// Reads the given text, of at most `most` bytes.
    pub(super) fn read(self, most: ByteSize) -> anyhow::Result<Option<String>> {
        match (self.body, self.file) {
            (Some(body), _) => Ok(Some(body)),
            (None, Some(file)) => read_file(&file, most).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// Reads a file. Its kind and its size are checked before any of it is read: a pipe would wait without end, and a file
/// of many gigabytes fill the memory before it is refused.
pub(super) fn read_file(file: &Path, most: ByteSize) -> anyhow::Result<String> {
    let cannot = || format!("{} cannot be read", file.display());
    let bytes = if file == Path::new("-") {
        read(std::io::stdin().lock(), most).context("standard input cannot be read")?
    } else {
        check(file, &std::fs::metadata(file).with_context(cannot)?, most)?;
        read(File::open(file).with_context(cannot)?, most).with_context(cannot)?
    };
    let bytes = bytes.ok_or_else(|| too_large(file, most))?;
    String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8 text", file.display()))
}

fn check(file: &Path, metadata: &Metadata, most: ByteSize) -> anyhow::Result<()> {
    let name = file.display();
    if metadata.is_dir() {
        let message = format!("{name} is a folder; `afterword import {name}` brings in the files in it");
        return Err(Usage(message).into());
    }
    if !metadata.is_file() {
        let message = format!("{name} is not a file but a pipe or device; to read from a program, pipe it to --file -");
        return Err(Usage(message).into());
    }
    if metadata.len() > most.as_u64() { Err(too_large(file, most)) } else { Ok(()) }
}

fn too_large(file: &Path, most: ByteSize) -> anyhow::Error {
    let name = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    anyhow!("{name} is larger than an article may be ({most}, articles.max_size)")
}

/// Reads all of it; `None` if it is more than `most`.
fn read(from: impl Read, most: ByteSize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(most.as_u64().saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most.as_u64()).then_some(bytes))
}
