//! A remote server as a provider of embeddings.

use std::sync::Arc;

use afterword_actors::embedder::ModelIdentity;
use reqwest::Url;

use super::OpenAiEmbedder;
use crate::{
    config::{self, Embedding, Secret},
    embedding::{
        back_end::{BackEnd, BackEndError, KeepTo, ModelFacts, Opened},
        set_settings::SetSettings,
        turns::Limit,
    },
};

/// Any server that speaks OpenAI's embeddings protocol.
pub(in crate::embedding) struct OpenAi;

impl BackEnd for OpenAi {
    fn facts(&self, settings: &Embedding) -> Result<ModelFacts, BackEndError> {
        let dimension = settings.openai.dimension;
        let asked_dimension = dimension.filter(|_| settings.openai.send_dimensions);
        Ok(ModelFacts { dimension, asked_dimension, max_tokens: usize::MAX })
    }

    fn open(&self, settings: &Embedding, identity: ModelIdentity) -> Result<Opened, BackEndError> {
        let embedder = OpenAiEmbedder::new(identity, &settings.openai);
        let embedder = embedder.map_err(|error| BackEndError::Provider(error.into()))?;
        let limited = embedder.clone();
        let keep_to: KeepTo = Arc::new(move |turns| Arc::new(limited.keeping_to(turns)));
        Ok(Opened { keep_to: Some(keep_to), ..Opened::ready(Arc::new(embedder)) })
    }

    fn keep(&self, settings: &Embedding, kept: &mut SetSettings) {
        let openai = &settings.openai;
        kept.base_url = without_secrets(&openai.base_url);
        kept.dimension = openai.dimension;
        kept.send_dimensions = openai.send_dimensions;
    }

    fn reach(&self, kept: &SetSettings, settings: &mut Embedding) {
        let openai = &mut settings.openai;
        // Of the same address, this host's own also has user, password and query.
        let other = kept.base_url.as_ref().filter(|kept| without_secrets(&openai.base_url).as_ref() != Some(*kept));
        if let Some(base_url) = other.cloned() {
            openai.api_key = key_for(&base_url, openai);
            openai.base_url = base_url;
        }
        openai.dimension = kept.dimension;
        openai.send_dimensions = kept.send_dimensions;
        openai.encoding = kept.encoding;
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn limit(&self, settings: &Embedding) -> Option<Limit> {
        let config::OpenAi { base_url, requests_per_minute, .. } = &settings.openai;
        // What is no address cannot be reached either.
        let provider = without_secrets(base_url).unwrap_or_default();
        Some(Limit { provider, per_minute: *requests_per_minute })
    }
}

/// A key is given to the server it is for and to no other.
fn key_for(base_url: &str, settings: &config::OpenAi) -> Secret {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    let own = origin(&settings.base_url);
    if own.is_some() && own == origin(base_url) { settings.api_key.clone() } else { settings.former_api_key.clone() }
}

fn without_secrets(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Provider;

    fn openai(base_url: &str) -> Embedding {
        let openai = config::OpenAi {
            base_url: base_url.to_owned(),
            api_key: "its-key".to_owned().into(),
            ..Default::default()
        };
        Embedding { provider: Provider::OpenAi, model: "m".to_owned(), openai, ..Embedding::default() }
    }

    fn kept_of(settings: &Embedding) -> SetSettings {
        let mut kept = SetSettings::of(settings);
        OpenAi.keep(settings, &mut kept);
        kept
    }

    fn reached_by(kept: &SetSettings, own: &Embedding) -> Embedding {
        let mut settings = kept.apply(&identity(), own);
        OpenAi.reach(kept, &mut settings);
        settings
    }

    fn identity() -> ModelIdentity {
        ModelIdentity {
            provider: "openai".to_owned(),
            model: "old".to_owned(),
            dimension: None,
            asked_dimension: None,
            document_prefix: String::new(),
            query_prefix: "query: ".to_owned(),
            chunker: String::new(),
        }
    }

    #[test]
    fn no_secret_is_kept() {
        let kept = kept_of(&openai("https://me:its-password@old.example/v1/?token=its-token"));
        let text = serde_json::to_string(&kept).expect("JSON");
        assert!(!text.contains("its-"), "{text}");
        assert!(text.contains("https://old.example/v1"), "{text}");
        assert_eq!(SetSettings::from_json(&text), Some(kept));
    }

    #[test]
    fn another_model_at_the_same_address_is_reached_with_what_the_address_has() {
        let mut now = openai("https://me:its-password@one.example/v1?api-version=2");
        now.openai.send_dimensions = true;
        let kept = kept_of(&openai("https://one.example/v1/"));
        let reached = reached_by(&kept, &now).openai;
        assert_eq!(reached.base_url, "https://me:its-password@one.example/v1?api-version=2");
        assert_eq!(reached.api_key.expose(), Some("its-key"));
        assert!(!reached.send_dimensions, "the rest is the set's own");
    }

    #[test]
    fn an_old_set_is_asked_for_at_its_old_address_and_no_key_goes_astray() {
        let kept = kept_of(&openai("https://old.example/v1"));
        let mut now = openai("https://new.example/v1");
        let reached = reached_by(&kept, &now);
        assert_eq!((reached.model.as_str(), reached.openai.base_url.as_str()), ("old", "https://old.example/v1"));
        assert_eq!(reached.openai.api_key.expose(), None, "the new server's key is not for the old one");
        now.openai.former_api_key = "former".to_owned().into();
        assert_eq!(reached_by(&kept, &now).openai.api_key.expose(), Some("former"));
        let same = reached_by(&kept_of(&openai("https://new.example/other")), &now);
        assert_eq!(same.openai.api_key.expose(), Some("its-key"), "the same server by another path");
    }
}
