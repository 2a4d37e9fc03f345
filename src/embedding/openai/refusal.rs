//! What a refusal means: decided once, here, where the status is read. No secret is passed on: no address, no header.

use std::time::Duration;

use afterword_actors::embedder::{EmbedError, ErrorKind, Fault};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::{
    remote::{
        self, MAX_SHOWN_CHARS, Meaning, ends_by_itself, is_about_size, meaning_of, never_fits, stated_limit,
        stated_pause, words_of,
    },
    secrets,
};

/// Why a request returned no vectors.
#[derive(Debug)]
pub(super) enum RequestError {
    /// It has too many texts or tokens; `limit` is the number of texts that the server says it takes.
    TooLarge { limit: Option<usize>, error: EmbedError },
    /// Its content is refused, in words that are not known: perhaps for its length.
    Unexplained(EmbedError),
    /// Any other failure.
    Otherwise(EmbedError),
}

impl RequestError {
    /// The same, of a request that took this long from the moment it was sent.
    pub(super) fn took(self, time: Duration) -> Self {
        match self {
            Self::TooLarge { limit, error } => Self::TooLarge { limit, error: error.took(time) },
            Self::Unexplained(error) => Self::Unexplained(error.took(time)),
            Self::Otherwise(error) => Self::Otherwise(error.took(time)),
        }
    }
}

impl From<EmbedError> for RequestError {
    fn from(error: EmbedError) -> Self {
        Self::Otherwise(error)
    }
}

/// The server answered a request of `texts` texts with another status than success.
pub(super) async fn of_response(response: Response, texts: usize) -> RequestError {
    let (status, retry_after) = (response.status(), remote::retry_after(response.headers()));
    let said = remote::said_in(response).await;
    let retry_after = retry_after.or_else(|| stated_pause(&said).filter(|_| status == StatusCode::TOO_MANY_REQUESTS));
    match classify(status, &said, texts) {
        RequestError::Otherwise(error) => RequestError::Otherwise(asking(error, status, retry_after)),
        of_the_texts @ (RequestError::TooLarge { .. } | RequestError::Unexplained(_)) => of_the_texts,
    }
}

/// The same failure with the pause that the server asks for. Whoever asks for one is not about to blame a text: a short
/// probe may pass where the request did not, and would be followed by many more.
fn asking(error: EmbedError, status: StatusCode, retry_after: Option<Duration>) -> EmbedError {
    let asks = status == StatusCode::TOO_MANY_REQUESTS && error.fault == Fault::Provider;
    let pause = retry_after.or(asks.then_some(Duration::ZERO));
    let fault = if pause.is_some() && error.kind == ErrorKind::Transient { Fault::Provider } else { error.fault };
    EmbedError { fault, ..error }.retry_after(pause)
}

/// The server answered a request of `texts` texts with success, and an error inside it.
pub(super) fn of_success(body: &Value, texts: usize) -> RequestError {
    let said = words_of(body).unwrap_or_else(|| body.to_string());
    let said: String = secrets::strike(&said).chars().take(MAX_SHOWN_CHARS).collect();
    classify(StatusCode::OK, &said, texts)
}

fn classify(status: StatusCode, said: &str, texts: usize) -> RequestError {
    let code = status.as_u16();
    let message = |what: &str| format!("{what} (HTTP {code}): {said}");
    let meaning = meaning_of(said).filter(|meaning| *meaning != Meaning::TooLarge || may_be_about_size(code, said));
    let error = match (code, meaning) {
        (429, Some(Meaning::Quota)) if !ends_by_itself(said) => EmbedError::config(message(QUOTA)),
        // It is for no pause: as large as it is, it is never taken.
        (429, Some(Meaning::TooLarge)) if never_fits(said) => return too_large(message, stated_limit(said, texts)),
        (402, _) => unclear(EmbedError::config(message(QUOTA))),
        (429, _) => EmbedError::unavailable(message("the embedding server asks for a pause")),
        (503, Some(Meaning::Loading) | None) => {
            EmbedError::unavailable(message("the embedding server is not available"))
        }
        (200 | 400..=599, Some(meaning)) => return understood(meaning, message, stated_limit(said, texts)),
        (401, None) => EmbedError::config(message(KEY)),
        // A proxy in front of the server may also refuse one text: a probe tells.
        (403, None) => unclear(EmbedError::config(message(
            "the embedding server, or a proxy before it, refuses the request; check embedding.openai.api_key",
        ))),
        (404 | 405, None) => EmbedError::config(message(ADDRESS)),
        (413, None) => return too_large(message, stated_limit(said, texts)),
        (408 | 409 | 424 | 425 | 500..=599, None) => EmbedError::transient(message("the embedding server failed")),
        (300..=399, _) => EmbedError::config(message(
            "the embedding server sends the request elsewhere, and a key must not follow; correct \
             embedding.openai.base_url",
        )),
        (200..=299, _) => EmbedError::transient(message("the embedding server answers an error instead of vectors")),
        (400 | 422, None) => {
            return RequestError::Unexplained(EmbedError::data(message("the embedding server refuses the text")));
        }
        _ => EmbedError::data(message("the embedding server refuses the text")),
    };
    error.into()
}

/// Whether a server that answers this status, in words about size, may mean the request. One that failed does not: in
/// "the upstream took too long to respond" nothing is said of a text, and in "the queue is too long" neither.
fn may_be_about_size(code: u16, said: &str) -> bool {
    match code {
        408 | 409 | 425 | 501..=599 => false,
        200..=299 | 424 | 500 => is_about_size(said),
        _ => true,
    }
}

const KEY: &str = "the embedding server refuses the key; set embedding.openai.api_key";
const QUOTA: &str = "the account at the embedding server has no credit left; top it up, or set another \
                     embedding.openai.api_key";
const ADDRESS: &str = "the embedding server does not know the address; check embedding.openai.base_url, which most \
                       often ends in /v1, and embedding.model";

fn understood(meaning: Meaning, message: impl Fn(&str) -> String, limit: Option<usize>) -> RequestError {
    let error = match meaning {
        Meaning::TooLarge => return too_large(message, limit),
        Meaning::Key => EmbedError::config(message(KEY)),
        Meaning::Model => EmbedError::config(message(
            "the embedding server does not have the model; check embedding.model, or load it there",
        )),
        Meaning::Quota => EmbedError::config(message(QUOTA)),
        Meaning::Loading => EmbedError::unavailable(message("the embedding server is loading the model")),
        Meaning::Endpoint => EmbedError::config(message(ADDRESS)),
    };
    error.into()
}

fn too_large(message: impl Fn(&str) -> String, limit: Option<usize>) -> RequestError {
    RequestError::TooLarge { limit, error: EmbedError::data(message("the text is too long for the embedding server")) }
}

/// The same failure where one text may be to blame.
fn unclear(error: EmbedError) -> EmbedError {
    EmbedError { fault: Fault::Unclear, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_means_one_thing() {
        let kind = |code: u16, said: &str| match classify(StatusCode::from_u16(code).expect("a status"), said, 1) {
            RequestError::TooLarge { error, .. }
            | RequestError::Unexplained(error)
            | RequestError::Otherwise(error) => error.kind,
        };
        assert_eq!(kind(401, ""), ErrorKind::Config);
        assert_eq!(kind(404, ""), ErrorKind::Config);
        assert_eq!(kind(429, "slow down"), ErrorKind::Transient);
        assert_eq!(kind(429, "Rate limit reached: too many tokens per minute"), ErrorKind::Transient);
        assert_eq!(kind(429, "You exceeded your current quota [insufficient_quota]"), ErrorKind::Config);
        assert_eq!(kind(424, ""), ErrorKind::Transient);
        assert_eq!(kind(502, ""), ErrorKind::Transient);
        assert_eq!(kind(400, "input is too long"), ErrorKind::Data);
        assert_eq!(kind(400, "model \"x\" not found"), ErrorKind::Config);
        assert_eq!(kind(400, "API key not valid. Please pass a valid API key."), ErrorKind::Config);
        assert_eq!(kind(503, "Loading model"), ErrorKind::Transient);
    }

    #[test]
    fn a_server_that_fails_blames_no_text_whatever_words_it_has() {
        for (code, said) in [
            (504, "upstream took too long to respond"),
            (503, "request queue is too long, try later"),
            (502, "response headers too large"),
            (500, "the operation took too long"),
            (500, "queue too large"),
            (408, "the request took too long"),
            (200, "upstream took too long to respond"),
            (504, "deadline exceeds maximum context length of the gateway"),
        ] {
            let refused = classify(StatusCode::from_u16(code).expect("a status"), said, 8);
            let RequestError::Otherwise(error) = refused else { panic!("{code} {said}: {refused:?}") };
            assert_eq!(error.kind, ErrorKind::Transient, "{code} {said}");
        }
        for (code, said) in [
            (500, "input is too large to process. increase the physical batch size"),
            (500, "the input length exceeds the context length"),
            (500, "The size of tensor a (700) must match the size of tensor b (512)"),
            (400, "input is too long"),
            (413, "too large"),
            (422, "batch size 33 > maximum allowed batch size 32"),
        ] {
            let refused = classify(StatusCode::from_u16(code).expect("a status"), said, 64);
            assert!(matches!(refused, RequestError::TooLarge { .. }), "{code} {said}: {refused:?}");
        }
    }

    #[test]
    fn a_limit_that_ends_by_itself_is_no_lack_of_credit() {
        for said in [
            "You exceeded your current quota, please check your plan and billing details. Quota exceeded for metric: \
             embed_content_free_tier_requests, limit: 100. Please retry in 2s.",
            "You exceeded your current quota. Quota exceeded for quota metric 'Embed requests' and limit 'requests per minute'",
        ] {
            let RequestError::Otherwise(error) = classify(StatusCode::TOO_MANY_REQUESTS, said, 1) else {
                panic!("{said}")
            };
            assert_eq!((error.kind, error.fault), (ErrorKind::Transient, Fault::Provider), "{said}");
        }
    }

    #[test]
    fn a_request_that_never_fits_into_a_minute_is_too_large_and_waits_for_no_pause() {
        for said in [
            "Request too large for text-embedding-3-small in organization org-a on tokens per min (TPM): Limit 3000, \
             Requested 7000. The input or output tokens must be reduced in order to run successfully.",
            "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 12000 [rate_limit_exceeded]",
        ] {
            let refused = classify(StatusCode::TOO_MANY_REQUESTS, said, 32);
            assert!(matches!(refused, RequestError::TooLarge { limit: None, .. }), "{said}: {refused:?}");
        }
        for said in ["Rate limit reached: too many tokens per minute", "Too many requests; the queue is too long"] {
            let refused = classify(StatusCode::TOO_MANY_REQUESTS, said, 32);
            assert!(matches!(refused, RequestError::Otherwise(_)), "{said}: {refused:?}");
        }
    }

    #[test]
    fn who_asks_for_a_pause_gets_one_and_no_text_is_suspected() {
        let asked = |code: u16, after: Option<u64>| {
            let status = StatusCode::from_u16(code).expect("a status");
            let RequestError::Otherwise(error) = classify(status, "", 8) else {
                panic!("{code} is no refusal of a size")
            };
            let error = asking(error, status, after.map(Duration::from_secs));
            (error.fault, error.retry_after)
        };
        assert_eq!(asked(429, None), (Fault::Provider, Some(Duration::ZERO)));
        assert_eq!(asked(429, Some(7)), (Fault::Provider, Some(Duration::from_secs(7))));
        assert_eq!(asked(502, Some(30)), (Fault::Provider, Some(Duration::from_secs(30))));
        assert_eq!(asked(502, None).1, None, "a probe tells");
        assert_ne!(asked(502, None).0, Fault::Provider);
    }

    #[test]
    fn what_one_text_may_have_caused_is_not_blamed_on_the_provider_unasked() {
        for code in [402, 403] {
            let RequestError::Otherwise(error) = classify(StatusCode::from_u16(code).expect("a status"), "", 1) else {
                panic!("{code} is not about size")
            };
            assert_eq!(error.fault, Fault::Unclear, "{code}");
        }
    }
}
