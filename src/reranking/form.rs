//! The two forms of the protocol. Which one a server speaks is found out by asking: one that wants the other form says
//! that a field is missing.
//!
//! *Sources:* <https://docs.cohere.com/reference/rerank>, <https://jina.ai/reranker>, the OpenAPI description of
//! text-embeddings-inference, the manuals of vLLM and of llama.cpp's server.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

/// A form of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `documents`: Cohere, Jina, vLLM, llama.cpp.
    Documents,
    /// `texts`: text-embeddings-inference.
    Texts,
}

/// A question about documents.
#[derive(Debug, Clone, Copy)]
pub(super) struct RerankInput<'a> {
    /// `None` if the server is not told which.
    pub(super) model: Option<&'a str>,
    pub(super) query: &'a str,
    pub(super) documents: &'a [String],
}

/// A request as it is sent.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Request<'a> {
    Documents {
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<&'a str>,
        query: &'a str,
        documents: &'a [String],
        top_n: usize,
    },
    Texts {
        query: &'a str,
        texts: &'a [String],
        /// Without it, one text that is too long fails the request.
        truncate: bool,
    },
}

impl Form {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Documents => Self::Texts,
            Self::Texts => Self::Documents,
        }
    }

    /// The field that only this form has.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Texts => "texts",
        }
    }

    pub(super) fn request<'a>(self, input: RerankInput<'a>) -> Request<'a> {
        let RerankInput { model, query, documents } = input;
        match self {
            Self::Documents => Request::Documents { model, query, documents, top_n: documents.len() },
            Self::Texts => Request::Texts { query, texts: documents, truncate: true },
        }
    }
}

/// The form that was understood last.
#[derive(Default)]
pub(super) struct KnownForm {
    is_texts: AtomicBool,
}

impl KnownForm {
    pub(super) fn form(&self) -> Form {
        if self.is_texts.load(Ordering::Relaxed) { Form::Texts } else { Form::Documents }
    }

    pub(super) fn note(&self, form: Form) {
        self.is_texts.store(form == Form::Texts, Ordering::Relaxed);
    }
}
