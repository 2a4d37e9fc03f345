//! From bytes to text, or why not.

/// A file that is no UTF-8 text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotText {
    /// It begins with the mark of UTF-16, or every other byte is 0.
    #[error("is UTF-16 text; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`), then import it again")]
    Utf16,
    /// Some other encoding, or no text at all.
    #[error(
        "is not UTF-8 text: line {line} has the byte 0x{byte:02x}; if it is Latin-1 or Windows-1252, save it as UTF-8 \
         (`iconv -f WINDOWS-1252 -t UTF-8`), then import it again"
    )]
    Other {
        /// From 1.
        line: usize,
        /// The first one that does not belong.
        byte: u8,
    },
}

/// The text of a file.
///
/// # Errors
/// [`NotText`]
pub(super) fn text(bytes: Vec<u8>) -> Result<String, NotText> {
    const LOOKED_AT: usize = 4096;
    let begin = &bytes[..bytes.len().min(LOOKED_AT)];
    let zeros = begin.iter().filter(|byte| **byte == 0).count();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || (zeros > 1 && zeros * 3 > begin.len()) {
        return Err(NotText::Utf16);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        NotText::Other { line, byte: bytes.get(valid).copied().unwrap_or_default() }
    })
}
