//! What a server says of itself, each in its own form.

use reqwest::Response;
use serde_json::Value;

use super::body;
use crate::secrets;

/// Characters of a server's own words that are repeated.
pub(crate) const MAX_SHOWN_CHARS: usize = 300;
/// Characters of another answer that are shown.
const MAX_BEGINNING_CHARS: usize = 60;
/// Bytes of a refusal that are read.
const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// The server's own words in a refusal, shortened and without secrets; for a web page, its title.
pub(crate) async fn said_in(refusal: Response) -> String {
    words(&body::at_most(refusal, MAX_REFUSAL_BYTES).await.unwrap_or_default())
}

/// The server's own words, shortened; for a web page, its title.
fn words(bytes: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => words_of(&value).unwrap_or_else(|| value.to_string()),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    };
    let text = page_title(&text).unwrap_or(text);
    // A server may repeat the key. It is struck out before the cut, which could leave a part of it.
    let text = secrets::strike(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { "no reason given".to_owned() } else { text.chars().take(MAX_SHOWN_CHARS).collect() }
}

/// How an answer begins that is not what it should be, shortened and without secrets.
pub(crate) fn beginning(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_REFUSAL_BYTES)]).into_owned();
    let text = secrets::strike(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().take(MAX_BEGINNING_CHARS).collect::<String>() {
        none if none.is_empty() => "it is empty".to_owned(),
        text => format!("it begins with {text:?}"),
    }
}

/// The title of a web page, or how it begins; `None` if `text` is not one.
pub(crate) fn page_title(text: &str) -> Option<String> {
    let start = text.trim_start().get(..MAX_SHOWN_CHARS).unwrap_or(text).to_ascii_lowercase();
    if !start.trim_start().starts_with("<!doctype") && !start.trim_start().starts_with("<html") {
        return None;
    }
    let Some(title) = text.to_ascii_lowercase().find("<title>") else {
        return Some(format!("a web page without a title; {}", beginning(text.as_bytes())));
    };
    let after = &text[title + "<title>".len()..];
    let title = after.split('<').next().unwrap_or_default();
    Some(format!("a web page, \"{}\"", title.trim()))
}

/// `error.message` with `error.code`, or `error`, `message`, `detail`, `detail[0].msg`: each server has its own form.
pub(crate) fn words_of(value: &Value) -> Option<String> {
    let error = value.get("error").unwrap_or(value);
    let message = error
        .as_str()
        .or_else(|| ["message", "detail", "error"].iter().find_map(|name| error.get(name).and_then(Value::as_str)))
        .or_else(|| error.pointer("/detail/0/msg").and_then(Value::as_str))?;
    Some(match error.get("code").and_then(Value::as_str) {
        Some(code) => format!("{message} [{code}]"),
        None => message.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_words_are_found_in_every_form() {
        for (body, said) in [
            (r#"{"error": {"message": "no", "code": "bad"}}"#, "no [bad]"),
            (r#"{"error": "no"}"#, "no"),
            (r#"{"object": "error", "message": "no", "code": "3210"}"#, "no [3210]"),
            (r#"{"detail": "no"}"#, "no"),
            (r#"{"detail": [{"loc": ["body"], "msg": "no"}]}"#, "no"),
            ("<!doctype html><head><title> Sign in </title>", "a web page, \"Sign in\""),
            ("", "no reason given"),
        ] {
            assert_eq!(words(body.as_bytes()), said);
        }
    }
}
