//! What a refusal means: decided once, here, where the status is read. Nothing secret passes: no address, no header.

use std::time::{Duration, SystemTime};

use afterword_actors::embedder::EmbedError;
use reqwest::{Response, StatusCode, header};
use serde_json::Value;

/// Of a server's own words, as much as is repeated. *Units:* characters.
const SHOWN: usize = 300;
/// Of a server's answer, as much as is read. *Units:* bytes.
const READ: usize = 64 << 10;

/// The request did not come to an answer.
pub(super) fn of_transport(error: reqwest::Error) -> EmbedError {
    let server = error.url().and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
    // The whole address may hold a password.
    let error = error.without_url();
    if error.is_connect() {
        let server = server.unwrap_or_else(|| "embedding.openai.base_url".to_owned());
        return EmbedError::unavailable(format!("cannot reach the embedding server {server}: {}", causes(&error)));
    }
    if error.is_timeout() {
        return EmbedError::transient("the embedding server did not answer in time (embedding.openai.timeout)");
    }
    EmbedError::transient(format!("the connection to the embedding server broke: {}", causes(&error)))
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

/// The server answered with another status than success.
pub(super) async fn of_response(response: Response) -> EmbedError {
    let (status, retry_after) = (response.status(), retry_after(response.headers()));
    let said = said(response).await;
    classify(status, &said).retry_after(retry_after)
}

fn classify(status: StatusCode, said: &str) -> EmbedError {
    let code = status.as_u16();
    let message = |what: &str| format!("{what} (HTTP {code}): {said}");
    match code {
        401 | 403 => EmbedError::config(message("the embedding server refuses the key; set embedding.openai.api_key")),
        402 => EmbedError::config(message("the embedding server wants to be paid")),
        404 | 405 => EmbedError::config(message(
            "the embedding server does not know the model or the address; check embedding.model and \
             embedding.openai.base_url",
        )),
        429 if said.contains("insufficient_quota") || said.contains("exceeded your current quota") => {
            EmbedError::config(message("the quota at the embedding server is used up"))
        }
        429 => EmbedError::unavailable(message("the embedding server asks for a pause")),
        503 => EmbedError::unavailable(message("the embedding server is not available")),
        408 | 409 | 424 | 425 | 500..=599 => EmbedError::transient(message("the embedding server failed")),
        300..=399 => EmbedError::config(message("the embedding server sends elsewhere; correct the address")),
        _ if says_unknown_model(said) => EmbedError::config(message("the embedding server does not know the model")),
        _ => EmbedError::data(message("the embedding server refuses the text")),
    }
}

/// Whether a refusal is about the size of the request and not about a text.
pub(super) fn says_too_many(message: &str) -> bool {
    let said = message.to_lowercase();
    said.contains("(http 413)")
        || [
            "batch size",
            "batch_size",
            "too many inputs",
            "too many texts",
            "maximum number of inputs",
            "array too long",
            "too large",
            "max allowed batch",
        ]
        .iter()
        .any(|words| said.contains(words))
}

fn says_unknown_model(said: &str) -> bool {
    let said = said.to_lowercase();
    said.contains("model") && (said.contains("not found") || said.contains("does not exist"))
}

/// Seconds, or a date.
fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    // A date that has passed asks for no pause.
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The server's own words, shortened.
async fn said(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > READ {
            break;
        }
    }
    let text = match serde_json::from_slice::<Value>(&bytes) {
        Ok(value) => words_of(&value).unwrap_or_else(|| value.to_string()),
        Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { "no reason given".to_owned() } else { text.chars().take(SHOWN).collect() }
}

/// `error.message` with `error.code`, or `error`, `message`, `detail`, as the servers of this protocol have it.
fn words_of(value: &Value) -> Option<String> {
    let error = value.get("error").unwrap_or(value);
    let message = error
        .as_str()
        .or_else(|| ["message", "detail", "error"].iter().find_map(|name| error.get(name).and_then(Value::as_str)))?;
    Some(match error.get("code").and_then(Value::as_str) {
        Some(code) => format!("{message} [{code}]"),
        None => message.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use afterword_actors::embedder::ErrorKind;

    use super::*;

    #[test]
    fn each_status_means_one_thing() {
        let kind = |code: u16, said: &str| classify(StatusCode::from_u16(code).expect("a status"), said).kind;
        assert_eq!(kind(401, ""), ErrorKind::Config);
        assert_eq!(kind(404, ""), ErrorKind::Config);
        assert_eq!(kind(429, "slow down"), ErrorKind::Transient);
        assert_eq!(kind(429, "You exceeded your current quota [insufficient_quota]"), ErrorKind::Config);
        assert_eq!(kind(424, ""), ErrorKind::Transient);
        assert_eq!(kind(502, ""), ErrorKind::Transient);
        assert_eq!(kind(400, "input is too long"), ErrorKind::Data);
        assert_eq!(kind(400, "model \"x\" not found"), ErrorKind::Config);
    }
}
