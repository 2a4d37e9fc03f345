//! Requests to a remote provider.

use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::config::{
    rules::{Rules, is_http},
    secret::Secret,
    section::{section, times::SECOND},
};

/// Articles processed for two texts of the requests that run, if each has one text only: while their answers are on the
/// way, the next requests are filled.
const FOR_TWO_TEXTS: usize = 3;

/// How vectors come over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As JSON numbers.
    #[default]
    Float,
    /// As base64 of little-endian `f32`.
    Base64,
}

section! {
    /// A server that speaks OpenAI's embeddings protocol.
    OpenAi {
        /// Address up to, not including, /embeddings.
        base_url: String = "https://api.openai.com/v1".to_owned(),
        /// API key, if the server wants one; better in the environment: OPENAI_API_KEY.
        api_key: Secret = Secret::default(),
        /// After a change of server: the API key of the former one, until the new vectors are complete.
        former_api_key: Secret = Secret::default(),
        /// Length of a vector; if not given, the first answer decides.
        dimension: Option<u32> = None => "1536",
        /// Ask the server for vectors of that length.
        send_dimensions: bool = false,
        /// Longest time for a request.
        #[serde(with = "humantime_serde")]
        timeout: Duration = 60 * SECOND,
        /// Most texts in a request.
        batch_texts: usize = 96,
        /// Most tokens in a request.
        batch_tokens: usize = 8_000,
        /// Requests at the same time.
        concurrency: usize = 4,
        /// Requests in any minute, by all hosts on the database together; 0: no limit.
        requests_per_minute: u32 = 0,
        /// How vectors come: float or base64.
        encoding: Encoding = Encoding::Float,
    }
}

impl OpenAi {
    /// Most requests at the same time.
    pub(crate) const MAX_CONCURRENCY: usize = 1_024;

    pub(in crate::config) fn slots(&self) -> usize {
        self.concurrency.saturating_mul(self.batch_texts).saturating_mul(FOR_TWO_TEXTS) / 2
    }

    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        let address = is_http(&self.base_url) && Url::parse(&self.base_url).is_ok_and(|url| url.has_host());
        rules.check(address, "embedding.openai.base_url", "must be an address that begins with http:// or https://");
        rules.at_least_one(self.batch_texts as u64, "embedding.openai.batch_texts");
        rules.at_least_one(self.batch_tokens as u64, "embedding.openai.batch_tokens");
        let concurrency = (1..=Self::MAX_CONCURRENCY).contains(&self.concurrency);
        rules.check(concurrency, "embedding.openai.concurrency", "must be from 1 to 1024");
        rules.longer_than_zero(&[("embedding.openai.timeout", self.timeout)]);
        rules.check(self.dimension != Some(0), "embedding.openai.dimension", "must be at least 1");
        let said = !self.send_dimensions || self.dimension.is_some();
        rules.check(said, "embedding.openai.send_dimensions", "needs embedding.openai.dimension");
    }
}
