//! What a refusal means: decided once, here, where the status is read. No secret is passed on: no address, no header.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::form::Form;
use crate::{
    remote::{self, Failure, MAX_SHOWN_CHARS, Meaning, Server, meaning_of, stated_pause, words_of},
    secrets,
};

const SERVER: Server =
    Server { name: "the reranker", address: "search.rerank.base_url", time: "search.rerank.deadline" };

/// Why there are no scores.
#[derive(Debug)]
pub(super) struct RerankError {
    /// What to tell people.
    pub(super) message: String,
    pub(super) cause: Cause,
    /// The pause that the server asks for.
    pub(super) pause: Option<Duration>,
}

/// What is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server, the way to it, or the settings: the next question most likely has no better luck.
    Server,
    /// This question or its documents.
    Question,
    /// The server speaks the other form of the protocol.
    Form,
}

impl RerankError {
    fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { message: message.into(), cause, pause: None }
    }

    /// The answer breaks the protocol.
    pub(super) fn wrong(message: String) -> Self {
        Self::new(Cause::Server, secrets::strike(&message))
    }

    /// The request got no answer.
    pub(super) fn without_answer(error: reqwest::Error) -> Self {
        let (Failure::Unreachable(message) | Failure::Broken(message)) = remote::failure(error, &SERVER);
        Self::new(Cause::Server, message)
    }

    /// The server answered a request of this form with another status than success.
    pub(super) async fn of(response: Response, form: Form) -> Self {
        let (status, pause) = (response.status(), remote::retry_after(response.headers()));
        let said = remote::said_in(response).await;
        let pause = pause.or_else(|| stated_pause(&said).filter(|_| status == StatusCode::TOO_MANY_REQUESTS));
        Self { pause, ..classify(status, &said, form) }
    }

    /// The server answered with success, and no scores.
    pub(super) fn in_success(answer: &Value) -> Self {
        let is_error = answer.get("error").is_some_and(|error| !error.is_null());
        let said = words_of(answer).filter(|_| is_error).map(|said| secrets::strike(&said).into_owned());
        let message = match said {
            Some(said) => {
                format!("the reranker answers an error: {}", said.chars().take(MAX_SHOWN_CHARS).collect::<String>())
            }
            None => "the reranker's answer has no scores (no `results`); check search.rerank.base_url".to_owned(),
        };
        Self::new(Cause::Server, message)
    }
}

fn classify(status: StatusCode, said: &str, form: Form) -> RerankError {
    let code = status.as_u16();
    if matches!(code, 400 | 422) && said.contains(form.other().field()) {
        return RerankError::new(Cause::Form, format!("the reranker refuses the request (HTTP {code}): {said}"));
    }
    let (cause, what) = match (code, meaning_of(said)) {
        (429, _) => (Cause::Server, "the reranker asks for a pause"),
        (_, Some(Meaning::Key)) | (401, _) => {
            (Cause::Server, "the reranker refuses the key; set search.rerank.api_key")
        }
        (_, Some(Meaning::Quota)) | (402, _) => (Cause::Server, "the account at the reranker has no credit left"),
        (_, Some(Meaning::Loading)) => (Cause::Server, "the reranker is loading its model"),
        (_, Some(Meaning::Model)) => (Cause::Server, "the reranker does not have the model; check search.rerank.model"),
        (413, _) | (400..=499, Some(Meaning::TooLarge)) => {
            (Cause::Question, "the question or its passages are too long or too many for the reranker")
        }
        (403, _) => {
            (Cause::Server, "the reranker, or a proxy before it, refuses the request; check search.rerank.api_key")
        }
        (404 | 405, _) | (_, Some(Meaning::Endpoint)) => {
            (Cause::Server, "the reranker does not know the address; check search.rerank.base_url")
        }
        (300..=399, _) => (
            Cause::Server,
            "the reranker sends the request elsewhere, and a key must not follow; correct search.rerank.base_url",
        ),
        (400 | 422, _) => (Cause::Question, "the reranker refuses the request"),
        _ => (Cause::Server, "the reranker failed"),
    };
    RerankError::new(cause, format!("{what} (HTTP {code}): {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_means_one_thing() {
        let told = |code: u16, said: &str| {
            let refused = classify(StatusCode::from_u16(code).expect("a status"), said, Form::Documents);
            (refused.cause, refused.message)
        };
        for (code, said, cause, part) in [
            (401, "invalid api token", Cause::Server, "search.rerank.api_key"),
            (429, "slow down", Cause::Server, "a pause"),
            (402, "no credit", Cause::Server, "no credit"),
            (404, "model 'x' not found", Cause::Server, "search.rerank.model"),
            (404, "not found", Cause::Server, "search.rerank.base_url"),
            (302, "", Cause::Server, "elsewhere"),
            (503, "Loading model", Cause::Server, "loading"),
            (502, "", Cause::Server, "failed"),
            (413, "", Cause::Question, "too long"),
            (422, "batch size 33 > maximum allowed batch size 32", Cause::Question, "too many"),
            (400, "something odd", Cause::Question, "something odd"),
            (422, "missing field `texts` at line 1 column 70", Cause::Form, "texts"),
        ] {
            let (found, message) = told(code, said);
            assert_eq!(found, cause, "{code} {said}");
            assert!(message.contains(part) && message.contains(&code.to_string()), "{message}");
        }
    }
}
