//! What the types alone cannot say.

use super::{Provider, Settings, Slots, slots};

/// Every rule that does not hold: the key, and what is wrong and what to do.
pub(super) fn faults(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let mut rule = |holds: bool, key: &'static str, message: &str| {
        if !holds {
            faults.push((key, message.to_owned()));
        }
    };
    queue(settings, &mut rule);
    embedding(settings, &mut rule);
    search(settings, &mut rule);
    rule(settings.database.read_connections >= 1, "database.read_connections", "must be at least 1");
    rule(settings.database.write_connections >= 1, "database.write_connections", "must be at least 1");
    rule(settings.articles.max_size.as_u64() >= 1024, "articles.max_size", "must be at least 1KiB");
    rule(settings.articles.max_title >= 1, "articles.max_title", "must be at least 1");
    let url = &settings.database.url;
    rule(
        url.is_empty() || ["sqlite://", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)),
        "database.url",
        "must begin with sqlite:// or postgres://, e.g. sqlite:///home/me/notes.db or postgres://me@localhost/notes, or be \
         empty for an SQLite file in your data folder",
    );
    server(settings, &mut rule);
    auth(settings, &mut rule);
    if let Err(message) = log_level(&settings.log.level) {
        faults.push(("log.level", message));
    }
    faults
}

/// A name that is no level would be taken for a part of the program, and silence everything else.
fn log_level(directives: &str) -> Result<(), String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |text: &str| LEVELS.iter().any(|level| text.trim().eq_ignore_ascii_case(level));
    let wanted = "must be error, warn, info, debug, trace or off, or a list such as \"warn,afterword=debug\"";
    // Fields of spans, in brackets, may hold commas.
    let plain = !directives.contains(['[', '{']);
    for directive in directives.split(',').filter(|directive| plain && !directive.trim().is_empty()) {
        let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
        if !is_level(level) {
            return Err(format!("\"{}\" is no level; it {wanted}", level.trim()));
        }
    }
    match tracing_subscriber::EnvFilter::try_new(directives) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{wanted} ({error})")),
    }
}

type Rule<'a> = dyn FnMut(bool, &'static str, &str) + 'a;

fn server(settings: &Settings, rule: &mut Rule<'_>) {
    let server = &settings.server;
    let bind = server.bind.parse::<std::net::SocketAddr>();
    rule(bind.is_ok(), "server.bind", "must be an address and a port, e.g. 127.0.0.1:8080");
    let http = |url: &str| url.starts_with("http://") || url.starts_with("https://");
    let public = server.public_url.is_empty() || http(&server.public_url);
    rule(public, "server.public_url", "must begin with http:// or https://");
    let collector = &settings.telemetry.otlp_endpoint;
    rule(collector.is_empty() || http(collector), "telemetry.otlp_endpoint", "must begin with http:// or https://");
    let can_export = cfg!(feature = "otel") || collector.is_empty();
    rule(can_export, "telemetry.otlp_endpoint", "needs a program that was built with the feature otel");
    let bare = |origin: &String| http(origin) && origin.matches('/').count() == 2;
    let origins = server.allowed_origins.iter().all(bare);
    rule(origins, "server.allowed_origins", "must be origins without a path, e.g. https://app.example.org");
    let hosts = server.allowed_hosts.iter().all(|host| !host.contains('/'));
    rule(hosts, "server.allowed_hosts", "must be names without a scheme or path, e.g. notes.example.org");
    let fits = server.max_body.as_u64() > settings.articles.max_size.as_u64();
    rule(fits, "server.max_body", "must be above articles.max_size, or the largest articles cannot be sent");
    rule(server.rate_burst >= 1, "server.rate_burst", "must be at least 1");
    rule(server.max_connections >= 1, "server.max_connections", "must be at least 1");
    for (key, time) in [
        ("server.header_timeout", server.header_timeout),
        ("server.body_timeout", server.body_timeout),
        ("server.request_timeout", server.request_timeout),
        ("server.write_timeout", server.write_timeout),
        ("server.idle_timeout", server.idle_timeout),
        ("server.mcp_session_idle", server.mcp_session_idle),
        ("health.interval", settings.health.interval),
    ] {
        rule(!time.is_zero(), key, "must be longer than zero");
    }
}

fn auth(settings: &Settings, rule: &mut Rule<'_>) {
    let auth = &settings.auth;
    // Whoever stands between could otherwise put keys of its own in place of the issuer's.
    let safe = |url: &str| {
        let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        url.is_empty()
            || url.starts_with("https://")
            || here.iter().any(|here| {
                url.strip_prefix(here).is_some_and(|rest| matches!(rest.chars().next(), None | Some(':' | '/')))
            })
    };
    rule(safe(&auth.issuer), "auth.issuer", "must begin with https://, e.g. https://login.example.org");
    rule(safe(&auth.jwks_url), "auth.jwks_url", "must begin with https://");
    let for_us = auth.issuer.is_empty() || !auth.audience.trim().is_empty();
    rule(for_us, "auth.audience", "must be set with auth.issuer, or tokens for others would be let in");
}

fn queue(settings: &Settings, rule: &mut Rule<'_>) {
    let queue = &settings.queue;
    let slots = match queue.slots {
        Slots::Auto => true,
        Slots::Number(number) => (1..=slots::MOST).contains(&number),
    };
    rule(slots, "queue.slots", "must be auto, or a number from 1 to 1024");
    rule(queue.claim_batch >= 1, "queue.claim_batch", "must be at least 1");
    rule((1..=100).contains(&queue.max_attempts), "queue.max_attempts", "must be from 1 to 100");
    rule(queue.retry_max >= queue.retry_base, "queue.retry_max", "must not be shorter than queue.retry_base");
    rule(queue.circuit_max >= queue.circuit_base, "queue.circuit_max", "must not be shorter than queue.circuit_base");
    rule(queue.sweep_batch >= 1, "queue.sweep_batch", "must be at least 1");
    rule(
        queue.lease >= 3 * queue.heartbeat_interval,
        "queue.lease",
        "must be at least three times queue.heartbeat_interval, or a lease runs out when one renewal is late",
    );
    for (key, interval) in [
        ("queue.poll_interval", queue.poll_interval),
        ("queue.heartbeat_interval", queue.heartbeat_interval),
        ("queue.metrics_interval", queue.metrics_interval),
        ("queue.sweep_interval", queue.sweep_interval),
        ("queue.max_processing_time", queue.max_processing_time),
        ("queue.retry_base", queue.retry_base),
        ("queue.circuit_base", queue.circuit_base),
        ("queue.restart_window", queue.restart_window),
        ("retention.cleanup_interval", settings.retention.cleanup_interval),
        ("embedding.query_deadline", settings.embedding.query_deadline),
    ] {
        rule(!interval.is_zero(), key, "must be longer than zero");
    }
}

fn embedding(settings: &Settings, rule: &mut Rule<'_>) {
    let embedding = &settings.embedding;
    rule(!embedding.model.trim().is_empty(), "embedding.model", "must not be blank");
    rule(embedding.max_tokens >= 32, "embedding.max_tokens", "must be at least 32");
    rule(embedding.max_chunks >= 1, "embedding.max_chunks", "must be at least 1");
    rule(embedding.scripted.dimension >= 1, "embedding.scripted.dimension", "must be at least 1");
    if embedding.provider == Provider::OpenAi {
        let openai = &embedding.openai;
        let url = &openai.base_url;
        let http = url.starts_with("http://") || url.starts_with("https://");
        rule(http, "embedding.openai.base_url", "must begin with http:// or https://");
        rule(openai.batch_texts >= 1, "embedding.openai.batch_texts", "must be at least 1");
        rule(openai.batch_tokens >= 1, "embedding.openai.batch_tokens", "must be at least 1");
        rule(openai.concurrency >= 1, "embedding.openai.concurrency", "must be at least 1");
        rule(!openai.timeout.is_zero(), "embedding.openai.timeout", "must be longer than zero");
        rule(openai.dimension != Some(0), "embedding.openai.dimension", "must be at least 1");
        let said = !openai.send_dimensions || openai.dimension.is_some();
        rule(said, "embedding.openai.send_dimensions", "needs embedding.openai.dimension");
    }
}

fn search(settings: &Settings, rule: &mut Rule<'_>) {
    let search = &settings.search;
    rule(search.max_limit >= 1, "search.max_limit", "must be at least 1");
    let default = (1..=search.max_limit).contains(&search.default_limit);
    rule(default, "search.default_limit", "must be from 1 to search.max_limit");
    rule(search.candidates >= 1, "search.candidates", "must be at least 1");
    let weight = |weight: f64| weight.is_finite() && weight >= 0.0;
    rule(weight(search.keyword_weight), "search.keyword_weight", "must not be negative");
    rule(weight(search.semantic_weight), "search.semantic_weight", "must not be negative");
    let any = search.keyword_weight + search.semantic_weight > 0.0;
    rule(any, "search.semantic_weight", "must not be zero together with search.keyword_weight");
    rule(search.rrf_k.is_finite() && search.rrf_k > 0.0, "search.rrf_k", "must be above zero");
}
