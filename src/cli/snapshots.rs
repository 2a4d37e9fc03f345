//! Snapshots of what people see: the help of every command, and every table at 80 and at 120 columns. Review a
//! difference, and accept it by `INSTA_UPDATE=always cargo test -p afterword --lib cli::snapshots`.

use insta::assert_snapshot;

use super::{
    arguments,
    article::view,
    bulk, config,
    doctor::{self, Check, Level},
    model, queue, search,
    text_style::TextStyle,
    token,
};
use crate::{
    articles::{ArticleSummary, DeletedArticle, EmbeddingState, EmbeddingStatus, Revision},
    auth::Token,
    bulk::{BulkRun, BulkRunSummary},
    config::ShownSetting,
    model::InstalledModel,
    queue::{Event, Task},
    search::{Hit, Mode, SearchAnswer},
    time::Timestamp,
};

/// 2026-01-02T03:04:05Z
const THEN: i64 = 1_767_323_045_000;
const MINUTE: i64 = 60_000;

/// A table at both widths, as it is piped, and on a terminal of 80 columns, its colours in angle brackets.
fn shown(table: impl Fn(TextStyle) -> String) -> String {
    let colours = |text: String| text.replace('\u{1b}', "<").replace("<[", "<");
    let at = |width| table(TextStyle::plain(width));
    let coloured = colours(table(TextStyle::coloured(80, THEN + 3 * MINUTE)));
    for (width, text) in [(80, at(80)), (120, at(120))] {
        for line in text.lines() {
            assert_eq!(line, line.trim_end(), "nothing hangs over at {width}");
        }
    }
    format!("80 columns\n{}\n\n120 columns\n{}\n\nterminal\n{coloured}", at(80), at(120))
}

fn embedding(status: EmbeddingState) -> EmbeddingStatus {
    let searchable = status == EmbeddingState::Completed;
    EmbeddingStatus { status, searchable, stale: false, revision: None, task_id: None, error: None }
}

fn summary(slug: &str, title: &str, folder: &str, status: EmbeddingState) -> ArticleSummary {
    ArticleSummary {
        slug: slug.to_owned(),
        title: title.to_owned(),
        folder: folder.to_owned(),
        revision: 12,
        size: 4_321,
        updated_at: Timestamp(THEN),
        embedding: embedding(status),
        tags: Vec::new(),
    }
}

#[test]
fn articles() {
    let stale = EmbeddingStatus { searchable: true, stale: true, ..embedding(EmbeddingState::Pending) };
    let articles = [
        summary("tides", "Tides", "", EmbeddingState::Completed),
        summary(
            "a-slug-that-is-as-long-as-slugs-of-titles-often-are",
            "A title of so many words that it does not stand in a line beside its slug",
            "guides/of-the-sea",
            EmbeddingState::Failed,
        ),
        ArticleSummary {
            embedding: stale, ..summary("zh", "数据库的完整备份", "数据库", EmbeddingState::Missing)
        },
    ];
    assert_snapshot!(shown(|look| view::list(look, &articles)));
}

#[test]
fn deleted_articles() {
    let deleted = |name: &str, slug: &str| DeletedArticle {
        name: name.to_owned(),
        slug: slug.to_owned(),
        title: "What was here before the flood came".to_owned(),
        folder: String::new(),
        revision: 3,
        size: 10,
        deleted_at: Timestamp(THEN),
    };
    let articles = [deleted("id:12", "before-the-flood"), deleted("id:9", "what-was-here-before-the-flood-came")];
    assert_snapshot!(shown(|look| view::deleted(look, &articles)));
}

#[test]
fn history() {
    let revision = |revision, present, deleted| Revision {
        revision,
        slug: "tides".to_owned(),
        title: "The tides of the northern seas, and those of the southern".to_owned(),
        folder: String::new(),
        size: 98_765,
        saved_at: Timestamp(THEN - revision * MINUTE),
        present,
        deleted,
    };
    let revisions = [revision(3, true, false), revision(2, false, true), revision(1, false, false)];
    assert_snapshot!(shown(|look| view::history(look, &revisions)));
}

#[test]
fn hits() {
    let hit = |slug: &str, title: &str, heading_path: &str, snippet: &str, status| Hit {
        slug: slug.to_owned(),
        title: title.to_owned(),
        folder: "sea".to_owned(),
        score: 0.5,
        similarity: Some(0.654),
        questions: Vec::new(),
        heading_path: heading_path.to_owned(),
        snippet: snippet.to_owned(),
        matches: found(snippet, "water"),
        passages: Vec::new(),
        explanation: None,
        embedding: embedding(status),
    };
    let long = "…the moon pulls the water towards itself, and the water on the other side is left behind, so that there are two \
                high waters a day: see https://example.org/a-long-address/that-is-not-broken/anywhere.html for more…";
    let answer = SearchAnswer {
        hits: vec![
            hit("tides", "Tides", "Tides > The moon", long, EmbeddingState::Completed),
            hit("bees", "Bees", "Bees", "Bees: They bring water into the hive.", EmbeddingState::Pending),
            hit("beesway", "Bees", "Beesway > x", "Beesway: no title stands here", EmbeddingState::Completed),
        ],
        mode: Mode::Hybrid,
        degraded: None,
        low_confidence: false,
        no_good_match: false,
        corrections: Vec::new(),
        without: Vec::new(),
        cut_to: None,
        weights: None,
    };
    assert_snapshot!(shown(|look| search::text_of(look, &answer)));
}

/// Where `word` is in `text`. *Units:* characters.
fn found(text: &str, word: &str) -> Vec<(usize, usize)> {
    let places = text.match_indices(word).map(|(at, _)| text[..at].chars().count());
    places.map(|from| (from, from + word.len())).collect()
}

fn task(id: i64, status: &str, error: Option<&str>) -> Task {
    Task {
        id,
        article_id: 7,
        slug: "tides-of-the-northern-seas".to_owned(),
        operation: "update".to_owned(),
        status: status.to_owned(),
        priority: "normal".to_owned(),
        revision: 2,
        attempts: 3,
        max_attempts: 3,
        created_at: Timestamp(THEN),
        updated_at: Timestamp(THEN),
        scheduled_at: Timestamp(THEN),
        started_at: None,
        completed_at: None,
        error_kind: error.map(|_| "data".to_owned()),
        error_message: error.map(str::to_owned),
        cause: "saved".to_owned(),
        incarnation: None,
        slot: None,
        lease_expires_at: None,
        trace_id: None,
    }
}

#[test]
fn tasks() {
    let refused =
        "section \"The moon\" is refused by the provider: the input holds a character that the model does not know";
    let tasks = [task(123_456, "failed", Some(refused)), task(17, "pending", None)];
    assert_snapshot!(shown(|look| queue::list_of(look, &tasks, THEN + 5 * MINUTE)));
}

#[test]
fn audit_trail() {
    let event = |id, event: &str, status: Option<&str>, detail: &str| Event {
        id,
        at: Timestamp(THEN),
        task_id: status.map(|_| 17),
        article_id: Some(7),
        slug: Some("tides".to_owned()),
        event: event.to_owned(),
        from_status: status.map(|_| "processing".to_owned()),
        to_status: status.map(str::to_owned),
        attempt: Some(1),
        incarnation: None,
        slot: None,
        error_kind: None,
        detail: Some(detail.to_owned()),
    };
    let retry = "transient: the embedding server answered 503: the model is being loaded, try again in a minute or two";
    let events = [
        event(1, "article saved", None, "tides, revision 2 (by laptop)"),
        event(2, "retry scheduled", Some("pending"), retry),
        event(3, "completed", Some("completed"), ""),
    ];
    assert_snapshot!(shown(|look| queue::events::events_table(look, &events)));
}

fn run() -> BulkRunSummary {
    BulkRunSummary {
        id: 3,
        scope: "needed".to_owned(),
        folder: "guides/of-the-sea".to_owned(),
        state: "completed".to_owned(),
        requested_at: Timestamp(THEN),
        finished_at: Some(Timestamp(THEN + 2 * MINUTE)),
    }
}

#[test]
fn bulk_runs() {
    let runs = [BulkRunSummary { id: 4, state: "running".to_owned(), finished_at: None, ..run() }, run()];
    assert_snapshot!(shown(|look| bulk::list_of(look, &runs)));
}

#[test]
fn bulk_run() {
    let run = BulkRun {
        summary: run(),
        duration_ms: 125_000,
        total: Some(12),
        queued: 12,
        open: 0,
        succeeded: 11,
        failed: 1,
        cancelled: 0,
        skipped: Some(2),
        per_second: Some(0.1),
        waits_because: None,
        shares_with: Vec::new(),
        remaining_ms: None,
        failures: Vec::new(),
    };
    assert_snapshot!(shown(|look| bulk::text_of(look, &run)));
}

#[test]
fn tokens() {
    let token = |id, name: &str, revoked| Token {
        id,
        name: name.to_owned(),
        scope: "write".to_owned(),
        created_at: Timestamp(THEN),
        expires_at: Some(Timestamp(THEN + 90 * 24 * 60 * MINUTE)),
        last_used_at: Some(Timestamp(THEN)),
        revoked_at: revoked,
    };
    let tokens = [token(1, "laptop", None), token(2, "the scraper of the library", Some(Timestamp(THEN)))];
    assert_snapshot!(shown(|look| token::list_of(look, &tokens)));
}

#[test]
fn findings() {
    let check = |name, level, message: &str| Check { name, level, message: message.to_owned() };
    let checks = [
        check("settings", Level::Ok, "valid, 3 of them set"),
        check("queue", Level::Warning, "3 tasks wait and no host is running; `afterword bulk start` embeds them"),
        check("database", Level::Fault, "there is no database at /home/me/.local/share/afterword/afterword.db"),
    ];
    assert_snapshot!(shown(|look| doctor::list_of(look, &checks)));
}

#[test]
fn settings() {
    let row = |key: &str, value: &str, origin: &str| ShownSetting {
        key: key.to_owned(),
        value: value.to_owned(),
        origin: origin.to_owned(),
        comes_to: None,
    };
    let rows = [
        row("database.url", "sqlite:///home/me/.local/share/afterword/afterword.db", "default"),
        row("embedding.openai.max_requests_per_minute", "60", "/home/me/.config/afterword/config.toml"),
        row("log.level", "warn,afterword=info,afterword_actors=info", "AFTERWORD_LOG__LEVEL"),
    ];
    assert_snapshot!(shown(|look| config::list_of(look, &rows)));
}

#[test]
fn models() {
    let models = [InstalledModel {
        name: "all-MiniLM-L6-v2",
        dimension: 384,
        max_tokens: 256,
        installed: true,
        directory: Some("/home/me/.cache/afterword/models/all-MiniLM-L6-v2".into()),
    }];
    assert_snapshot!(shown(|look| model::list_of(look, &models)));
}

/// One file for each command of the first level, with all below it.
#[test]
fn help() {
    let mut program = arguments::command().term_width(80).disable_help_subcommand(true);
    program.build();
    let mut overview = program.clone();
    assert_snapshot!("help", overview.render_long_help());
    for command in program.get_subcommands() {
        let name = format!("help_{}", command.get_name());
        assert_snapshot!(name, all_help(command).join("\n\n────────\n\n"));
    }
}

fn all_help(command: &clap::Command) -> Vec<String> {
    let own = command.clone().term_width(80).render_long_help().to_string();
    std::iter::once(own).chain(command.get_subcommands().flat_map(all_help)).collect()
}
