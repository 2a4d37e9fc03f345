//! Which sets of vectors this host makes: that of its own model, and that of the model in use if the host can reach its
//! provider. So both are kept up to date while one replaces the other.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    embedder::{Model, ModelIdentity},
    requests::Requests,
    store::{
        claim::HostSets,
        models::{Set, WantedSets},
    },
    supervision::Trouble,
};

/// A host's model, and how it can make others.
#[derive(Clone)]
pub struct Offer {
    /// The model that the settings ask for.
    pub model: Model,
    /// How to reach its provider, without secrets: stored with the set, for hosts with settings for another model.
    pub settings: Option<String>,
    /// Makes the models of other sets.
    pub others: Arc<dyn OtherModels>,
}

/// Makes the models of sets that were made with other settings.
pub trait OtherModels: Send + Sync + 'static {
    /// Returns the model of exactly this identity, reached as `settings` say; `None` if it cannot be reached from here.
    fn model_of(&self, identity: &ModelIdentity, settings: Option<&str>) -> Option<Model>;
}

/// Makes none.
struct NoOthers;

impl OtherModels for NoOthers {
    fn model_of(&self, _: &ModelIdentity, _: Option<&str>) -> Option<Model> {
        None
    }
}

impl From<Model> for Offer {
    /// Offers this model and no other.
    fn from(model: Model) -> Self {
        Self { model, settings: None, others: Arc::new(NoOthers) }
    }
}

/// The sets that one runtime makes.
pub(crate) struct RuntimeSets {
    /// `embedding_models.id` of the host's own model.
    own: i64,
    model: SetModel,
    others: Arc<dyn OtherModels>,
    /// Most requests at the same time for one set.
    requests: usize,
    /// The model of the set in use, if that is not the host's own; made once.
    active: Mutex<Option<ActiveSet>>,
}

/// The set in use, and its model if this host can make it.
struct ActiveSet {
    set: Set,
    model: Option<SetModel>,
}

/// A model, and the requests that attempts at its set share.
#[derive(Clone)]
pub(crate) struct SetModel {
    pub(crate) model: Model,
    pub(crate) requests: Arc<Requests>,
}

impl SetModel {
    /// Allows at most `requests` at the same time.
    fn new(model: Model, requests: usize) -> Self {
        Self { requests: Requests::new(Arc::clone(&model.embedder), requests), model }
    }
}

impl RuntimeSets {
    /// Allows at most `requests` at the same time for each set.
    pub(crate) fn new(own: i64, offer: Offer, requests: usize) -> Self {
        let model = SetModel::new(offer.model, requests);
        Self { own, model, others: offer.others, requests, active: Mutex::default() }
    }

    /// Returns which of the wanted sets this host makes.
    pub(crate) fn makes(&self, wanted: &WantedSets) -> HostSets {
        let building = wanted.building.as_ref().map_or(0, |set| set.id);
        let Some(active) = &wanted.active else {
            return HostSets { building, makes_building: building == self.own, ..HostSets::default() };
        };
        HostSets {
            active: active.id,
            makes_active: active.id == self.own || self.can_make(active),
            building,
            makes_building: building == self.own,
        }
    }

    /// Why this host makes none of the wanted sets, for people; `None` if it makes one.
    pub(crate) fn unwanted_because(&self, wanted: &WantedSets) -> Option<String> {
        if !self.makes(wanted).nothing() {
            return None;
        }
        let (own, wanted) = (self.own_name(), in_words(wanted));
        Some(format!(
            "this host's model {own} is neither in use nor being built: {wanted}; give this host the settings of that \
             model, or run `afterword model switch` with the settings of {own}"
        ))
    }

    /// The trouble to report if the host's own set is none of the wanted ones: the host makes none of them, or it works
    /// for the model of other settings.
    pub(crate) fn mismatch(&self, wanted: &WantedSets) -> Option<Trouble> {
        if let Some(message) = self.unwanted_because(wanted) {
            return Some(Trouble::Unwanted { message });
        }
        let is_own = |set: &Option<Set>| set.as_ref().is_some_and(|set| set.id == self.own);
        if is_own(&wanted.active) || is_own(&wanted.building) {
            return None;
        }
        let (own, wanted) = (self.own_name(), in_words(wanted));
        Some(Trouble::NotInEffect {
            message: format!(
                "embedding.model {own} of this host is not in effect: {wanted}, and this host embeds for it; \
                 `afterword model switch` changes to {own}"
            ),
        })
    }

    fn own_name(&self) -> &str {
        &self.model.model.embedder.identity().model
    }

    /// The model of the set `id`, if this host makes it.
    pub(crate) fn set_model(&self, id: i64) -> Option<SetModel> {
        if id == self.own {
            return Some(self.model.clone());
        }
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.as_ref().filter(|active| active.set.id == id)?.model.clone()
    }

    fn can_make(&self, set: &Set) -> bool {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        if active.as_ref().is_none_or(|active| active.set != *set) {
            let model = set.identity().and_then(|identity| self.others.model_of(&identity, set.settings.as_deref()));
            *active =
                Some(ActiveSet { set: set.clone(), model: model.map(|model| SetModel::new(model, self.requests)) });
        }
        active.as_ref().is_some_and(|active| active.model.is_some())
    }
}

/// Which models are wanted, for people.
fn in_words(wanted: &WantedSets) -> String {
    let name = |set: &Set| set.identity().map_or_else(|| format!("set {}", set.id), |identity| identity.model);
    let in_use =
        wanted.active.as_ref().map_or_else(|| "none is in use".to_owned(), |set| format!("{} is in use", name(set)));
    let built = wanted.building.as_ref().map(|set| format!(" and {} is being built", name(set))).unwrap_or_default();
    format!("{in_use}{built}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedder::{BatchLimits, Chunk, Chunker, EmbedError, Embedder, Purpose, Source, Vector};

    struct Named(ModelIdentity);

    #[async_trait::async_trait]
    impl Embedder for Named {
        fn identity(&self) -> &ModelIdentity {
            &self.0
        }

        fn limits(&self) -> BatchLimits {
            BatchLimits { texts: 1, tokens: 1 }
        }

        async fn embed(&self, _: &[String], _: Purpose) -> Result<Vec<Vector>, EmbedError> {
            Ok(Vec::new())
        }
    }

    impl Chunker for Named {
        fn chunk(&self, _: Source<'_>) -> Result<Vec<Chunk>, EmbedError> {
            Ok(Vec::new())
        }
    }

    fn identity(name: &str) -> ModelIdentity {
        ModelIdentity {
            provider: "test".to_owned(),
            model: name.to_owned(),
            dimension: None,
            asked_dimension: None,
            document_prefix: String::new(),
            query_prefix: String::new(),
            chunker: String::new(),
        }
    }

    fn model(name: &str) -> Model {
        let named = Arc::new(Named(identity(name)));
        Model { embedder: Arc::clone(&named) as _, chunker: named }
    }

    fn set(id: i64, name: &str) -> Set {
        Set::of(id, &identity(name))
    }

    struct Knows(&'static str);

    impl OtherModels for Knows {
        fn model_of(&self, identity: &ModelIdentity, _: Option<&str>) -> Option<Model> {
            (identity.model == self.0).then(|| model(self.0))
        }
    }

    #[test]
    fn a_host_makes_its_own_set_and_the_one_in_use_if_it_reaches_it() {
        let wanted = WantedSets { active: Some(set(1, "old")), building: Some(set(2, "new")) };
        let alone = RuntimeSets::new(2, model("new").into(), 1);
        let makes = alone.makes(&wanted);
        assert_eq!((makes.makes_active, makes.makes_building), (false, true));
        let offer = Offer { model: model("new"), settings: None, others: Arc::new(Knows("old")) };
        let both = RuntimeSets::new(2, offer, 1);
        let makes = both.makes(&wanted);
        assert_eq!((makes.makes_active, makes.makes_building), (true, true));
        assert!(both.set_model(1).is_some_and(|old| old.model.embedder.identity().model == "old"));
        let stranger = RuntimeSets::new(3, model("third").into(), 1);
        assert!(stranger.makes(&wanted).nothing());
        let message = stranger.unwanted_because(&wanted).unwrap_or_default();
        assert!(
            message.starts_with("this host's model third is neither in use nor being built: old is in use and new is")
        );
        assert_eq!(both.unwanted_because(&wanted), None);
        assert_eq!(both.mismatch(&wanted), None);
        assert!(matches!(stranger.mismatch(&wanted), Some(Trouble::Unwanted { .. })));
        let former =
            RuntimeSets::new(3, Offer { model: model("third"), settings: None, others: Arc::new(Knows("old")) }, 1);
        let message = former.mismatch(&wanted).map(|trouble| trouble.to_string()).unwrap_or_default();
        assert!(message.starts_with("embedding.model third of this host is not in effect: old is in use"), "{message}");
        assert!(stranger.set_model(1).is_none());
    }
}
