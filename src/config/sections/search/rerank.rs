//! A server that orders the best hits again.

use std::time::Duration;

use reqwest::Url;

use crate::config::{
    rules::{Rules, is_http},
    secret::Secret,
    section::section,
};

/// More documents than this no server is asked about.
const MAX_DOCUMENTS: usize = 100;

section! {
    /// A server with a /rerank endpoint that orders the best hits again (Cohere, Jina, TEI, vLLM, llama.cpp).
    Rerank {
        /// Address up to, not including, /rerank, e.g. "https://api.cohere.com/v2"; empty: off.
        base_url: String = String::new(),
        /// Name of the model at that server; empty: it is not named, for servers that have one only.
        model: String = String::new(),
        /// API key, if the server wants one; better in the environment: AFTERWORD_SEARCH__RERANK__API_KEY.
        api_key: Secret = Secret::default(),
        /// How many of the best hits it orders, up to 100.
        top: usize = 20,
        /// A search whose hits it has not ordered by then keeps its own order.
        #[serde(with = "humantime_serde")]
        deadline: Duration = Duration::from_millis(800),
        /// How much its scores count beside those of words and meaning: from 0 to 1.
        weight: f64 = 0.5,
    }
}

impl Rerank {
    /// Whether there is such a server.
    pub fn is_on(&self) -> bool {
        !self.base_url.is_empty()
    }

    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        let has_host = || Url::parse(&self.base_url).is_ok_and(|url| url.has_host());
        let address = !self.is_on() || is_http(&self.base_url) && has_host();
        rules.check(
            address,
            "search.rerank.base_url",
            "must begin with http:// or https:// and name a server, or be empty",
        );
        let key = self.api_key.expose().is_none_or(|key| key.chars().all(|letter| matches!(letter, ' '..='~')));
        rules.check(
            key,
            "search.rerank.api_key",
            "has characters that cannot be sent; perhaps it was pasted with a line break",
        );
        rules.check((1..=MAX_DOCUMENTS).contains(&self.top), "search.rerank.top", "must be from 1 to 100");
        rules.longer_than_zero(&[("search.rerank.deadline", self.deadline)]);
        rules.check((0.0..=1.0).contains(&self.weight), "search.rerank.weight", "must be from 0 to 1");
    }
}
