//! What the types alone cannot say.

use super::{Settings, rules::Rules};

/// Every rule that does not hold: the key, and what is wrong and what to do.
pub(super) fn faults(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut rules = Rules::default();
    settings.database.check(&mut rules);
    settings.queue.check(&mut rules);
    settings.retention.check(&mut rules);
    settings.embedding.check(&mut rules);
    settings.search.check(&mut rules);
    settings.articles.check(&mut rules);
    settings.server.check(&mut rules);
    settings.auth.check(&mut rules);
    settings.health.check(&mut rules);
    settings.telemetry.check(&mut rules);
    settings.log.check(&mut rules);
    between_sections(settings, &mut rules);
    rules.0
}

fn between_sections(settings: &Settings, rules: &mut Rules) {
    let fits = settings.server.max_body.as_u64() > settings.articles.max_size.as_u64();
    rules.check(fits, "server.max_body", "must be above articles.max_size, or the largest articles cannot be sent");
}
