//! What is stored with a set of vectors about its provider: enough to ask it again when the settings name another, and
//! no secret.

use std::path::PathBuf;

use afterword_actors::embedder::ModelIdentity;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::config::{Embedding, Encoding, OpenAi, Provider, Secret};

/// The address and options of a set's provider. Missing fields have their defaults; unknown ones come from a newer
/// version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    provider: Provider,
    #[serde(default)]
    model_dir: Option<PathBuf>,
    #[serde(default)]
    max_tokens: Option<usize>,
    /// Without user, password and query.
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    dimension: Option<u32>,
    #[serde(default)]
    send_dimensions: bool,
    #[serde(default)]
    encoding: Encoding,
}

impl Kept {
    /// What is kept of `settings`.
    pub(super) fn of(settings: &Embedding) -> Self {
        let openai = &settings.openai;
        let is_openai = settings.provider == Provider::OpenAi;
        Self {
            provider: settings.provider,
            model_dir: settings.model_dir.clone().filter(|_| settings.provider == Provider::Local),
            max_tokens: Some(settings.max_tokens),
            base_url: is_openai.then(|| without_secrets(&openai.base_url)).flatten(),
            dimension: match settings.provider {
                Provider::OpenAi => openai.dimension,
                Provider::Scripted => Some(settings.scripted.dimension),
                Provider::Local => None,
            },
            send_dimensions: is_openai && openai.send_dimensions,
            encoding: openai.encoding,
        }
    }

    pub(super) fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The settings by which the model of `identity` is reached from a host with `settings` of its own.
    pub(super) fn apply(&self, identity: &ModelIdentity, settings: &Embedding) -> Embedding {
        let base_url = self.base_url.clone().unwrap_or_else(|| settings.openai.base_url.clone());
        let mut scripted = settings.scripted.clone();
        scripted.dimension = self.dimension.unwrap_or(scripted.dimension);
        Embedding {
            provider: self.provider,
            model: identity.model.clone(),
            model_dir: self.model_dir.clone(),
            max_tokens: self.max_tokens.unwrap_or(settings.max_tokens),
            document_prefix: identity.document_prefix.clone(),
            query_prefix: identity.query_prefix.clone(),
            openai: OpenAi {
                api_key: key_for(&base_url, &settings.openai),
                base_url,
                dimension: self.dimension,
                send_dimensions: self.send_dimensions,
                encoding: self.encoding,
                ..settings.openai.clone()
            },
            scripted,
            ..settings.clone()
        }
    }
}

/// A key is given to the server it is for and to no other.
fn key_for(base_url: &str, settings: &OpenAi) -> Secret {
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

    fn openai(base_url: &str) -> Embedding {
        let openai =
            OpenAi { base_url: base_url.to_owned(), api_key: "its-key".to_owned().into(), ..OpenAi::default() };
        Embedding { provider: Provider::OpenAi, model: "m".to_owned(), openai, ..Embedding::default() }
    }

    fn identity() -> ModelIdentity {
        ModelIdentity {
            provider: "openai".to_owned(),
            model: "old".to_owned(),
            dimension: None,
            document_prefix: String::new(),
            query_prefix: "query: ".to_owned(),
            chunker: String::new(),
        }
    }

    #[test]
    fn no_secret_is_kept() {
        let kept = Kept::of(&openai("https://me:its-password@old.example/v1/?token=its-token"));
        let text = serde_json::to_string(&kept).expect("JSON");
        assert!(!text.contains("its-"), "{text}");
        assert!(text.contains("https://old.example/v1"), "{text}");
        assert_eq!(Kept::from_json(&text), Some(kept));
    }

    #[test]
    fn an_old_set_is_asked_for_at_its_old_address_and_no_key_goes_astray() {
        let kept = Kept::of(&openai("https://old.example/v1"));
        let mut now = openai("https://new.example/v1");
        let reached = kept.apply(&identity(), &now);
        assert_eq!((reached.model.as_str(), reached.openai.base_url.as_str()), ("old", "https://old.example/v1"));
        assert_eq!(reached.openai.api_key.expose(), None, "the new server's key is not for the old one");
        now.openai.former_api_key = "former".to_owned().into();
        assert_eq!(kept.apply(&identity(), &now).openai.api_key.expose(), Some("former"));
        let same = Kept::of(&openai("https://new.example/other")).apply(&identity(), &now);
        assert_eq!(same.openai.api_key.expose(), Some("its-key"), "the same server by another path");
    }

    #[test]
    fn what_a_newer_version_keeps_is_passed_over() {
        assert!(Kept::from_json(r#"{"provider":"local","later":1}"#).is_some());
        assert!(Kept::from_json(r#"{"provider":"later"}"#).is_none());
    }
}
