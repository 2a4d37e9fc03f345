//! Passages, and more of the same.

use std::{sync::Arc, time::Duration};

use afterword::{
    articles::ArticlePatch,
    embedding::scripted::ScriptedEmbedder,
    search::{Mode, Query, QueryModels, Search, SearchError, SearchSettings},
};
use afterword_actors::embedder::{BatchLimits, EmbedError, Embedder, ModelIdentity, Purpose, Readiness, Vector};
use async_trait::async_trait;
use tokio::sync::watch;

use super::TestHost;
use crate::support::{DRAIN, article};

#[tokio::test(flavor = "multi_thread")]
async fn the_passage_that_answers_is_shown_and_others_on_request() {
    let world = TestHost::new().await;
    let filler = "Nothing of interest is said here, at some length, over and over again. ".repeat(12);
    let body = format!(
        "# Intro\n\n{filler}\n\n# Rust\n\nA borrow ends early.\n\n# More\n\n{filler}\n\n# Last\n\nAnother borrow."
    );
    world.articles(None).create(article("long", &body)).await.expect("a save");
    let runtime = world.start().await;
    world.settled(&runtime).await;
    let query = Query { passages: 2, ..Query::new("borrow ends", Mode::Hybrid, 5) };
    let answer = world.search.search(&query).await.expect("an answer");
    let hit = &answer.hits[0];
    assert!(hit.snippet.contains("borrow ends"), "{hit:?}");
    assert!(hit.heading_path.contains("Rust"), "{hit:?}");
    assert_eq!(hit.passages.len(), 1);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_from_earlier_searches_never_hides_a_change_by_this_host_or_another() {
    let world = TestHost::new().await;
    let other = world.beside().await;
    world.articles(None).create(article("note", "Bees know the colour grey.")).await.expect("a save");
    let runtime = world.start().await;
    world.settled(&runtime).await;
    for (number, colour) in ["blue", "green", "yellow", "orange"].into_iter().enumerate() {
        let writer = if number % 2 == 0 { &world } else { &other };
        let body = Some(format!("Bees know the colour {colour}."));
        writer.articles(None).update("note", ArticlePatch { body, ..ArticlePatch::default() }).await.expect("a save");
        for searcher in [&world, &other] {
            let answer = searcher.find("bees colour", Mode::Hybrid).await;
            assert!(answer.hits[0].snippet.contains(colour), "{:?} before {colour} is embedded", answer.hits);
        }
        world.settled(&runtime).await;
        for searcher in [&world, &other, &world, &other] {
            for mode in [Mode::Hybrid, Mode::Keyword] {
                let answer = searcher.find("bees colour", mode).await;
                assert!(answer.hits[0].snippet.contains(colour), "{:?} after {colour} was embedded", answer.hits);
            }
        }
        assert_eq!(world.found(colour, Mode::Keyword).await, ["note"]);
    }
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_costs_the_model_once_and_is_answered_again_while_the_model_is_away() {
    let world = TestHost::new().await;
    world.articles(None).create(article("note", "Bees know colours.")).await.expect("a save");
    let runtime = world.start().await;
    world.settled(&runtime).await;
    for _ in 0..3 {
        assert_eq!(world.find("what do insects see", Mode::Hybrid).await.degraded, None);
    }
    let calls = world.embedder.calls();
    assert_eq!(calls.iter().filter(|call| call.purpose == Purpose::Query).count(), 1, "{calls:?}");
    world.embedder.outage(Some(EmbedError::unavailable("away")));
    assert_eq!(world.find("what do insects see", Mode::Hybrid).await.degraded, None);
    assert!(world.find("what do birds see", Mode::Hybrid).await.degraded.is_some());
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_another_version_describes_in_its_own_way_leaves_the_words() {
    let world = TestHost::new().await;
    world.articles(None).create(article("note", "Bees know colours.")).await.expect("a save");
    let runtime = world.start().await;
    world.settled(&runtime).await;
    runtime.stop(DRAIN).await;
    world.run("UPDATE embedding_models SET identity = '{\"of\": \"tomorrow\"}'").await;
    let answer = world.find("bees", Mode::Hybrid).await;
    assert!(answer.degraded.is_some_and(|why| why.contains("described")), "it says why");
    assert_eq!(answer.hits.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn related_articles_share_rare_words_and_are_never_the_article_itself() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    for (slug, body) in [
        ("bread", "Sourdough bread rises overnight in the fridge."),
        ("pizza", "Sourdough pizza wants dough that rises."),
        ("bees", "Bees live in hives and make honey."),
        ("boats", "Boats sail on the sea."),
    ] {
        articles.create(article(slug, body)).await.expect("a save");
    }
    for embedded in [false, true] {
        let runtime = world.start().await;
        if embedded {
            world.settled(&runtime).await;
        }
        let related = world.search.related("bread", 3).await.expect("an answer");
        let slugs: Vec<_> = related.hits.iter().map(|hit| hit.slug.as_str()).collect();
        assert_eq!(slugs.first(), Some(&"pizza"), "{slugs:?}");
        assert!(!slugs.contains(&"bread"));
        runtime.stop(DRAIN).await;
    }
    assert!(matches!(world.search.related("nobody", 3).await, Err(SearchError::NoArticle(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_far_down_in_a_long_article_are_shown_where_they_stand() {
    let world = TestHost::new().await;
    let section = |n: usize| {
        let word = if n == 90 { "zanzibar" } else { "kites" };
        format!("# Part {n}\n\nkites kites {word} kites kites\n\n")
    };
    world.articles(None).create(article("long", &(0..100).map(section).collect::<String>())).await.expect("a save");
    let runtime = world.start().await;
    world.settled(&runtime).await;
    assert!(world.number("SELECT count(*) AS n FROM article_chunks").await >= 100);
    for mode in [Mode::Keyword, Mode::Hybrid, Mode::Keyword] {
        let query = Query { passages: 2, ..Query::new("zanzibar", mode, 5) };
        let answer = world.search.search(&query).await.expect("an answer");
        let hit = &answer.hits[0];
        assert_eq!(hit.heading_path, "Part 90", "{mode}: {hit:?}");
        assert!(hit.snippet.contains("zanzibar") && hit.matches.len() == 1, "{mode}: {hit:?}");
        assert_eq!(hit.passages.len(), 1, "{mode}: {hit:?}");
    }
    let listed = world.find("slug:long", Mode::Keyword).await;
    assert_eq!(listed.hits[0].heading_path, "Part 0");
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_answer_begins_as_a_shorter_one_however_long_the_nearest_articles_are() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    for n in 0..6 {
        let section = |part: usize| format!("# Part {part}\n\nkites kites kites fly\n\n");
        let body: String = (0..100).map(section).collect();
        articles.create(article(&format!("long-{n}"), &body)).await.expect("a save");
    }
    for n in 0..40 {
        let body = format!("kites {} {}", "sail ".repeat(1 + n % 7), "boat ".repeat(1 + n % 5));
        articles.create(article(&format!("short-{n:02}"), &body)).await.expect("a save");
    }
    let runtime = world.start().await;
    world.settled(&runtime).await;
    for mode in [Mode::Hybrid, Mode::Semantic] {
        let asked = async |limit| {
            let answer = world.search.search(&Query::new("kites sail", mode, limit)).await.expect("an answer");
            answer.hits.into_iter().map(|hit| (hit.slug, hit.score)).collect::<Vec<_>>()
        };
        let all = asked(100).await;
        assert_eq!(all.len(), 46, "{mode}");
        for limit in [1, 3, 5, 10, 30] {
            assert_eq!(asked(limit).await, all[..limit], "{mode}, {limit}");
        }
    }
    let related = async |limit| {
        let answer = world.search.related("short-00", limit).await.expect("an answer");
        answer.hits.into_iter().map(|hit| (hit.slug, hit.score)).collect::<Vec<_>>()
    };
    assert_eq!(related(5).await, related(100).await[..5]);
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passage_is_chosen_by_what_is_shown_of_it() {
    let world = TestHost::new().await;
    let unseen = |n| format!("[{n}]: https://example.org/std/zebra/struct.Zebra.html\n");
    let unseen: String = (0..30).map(unseen).collect();
    let body = format!(
        "# First\n\nNothing of it, but a [link](zebra/zebra.html), <!-- zebra zebra --> and \
         [another](https://zebra.example/zebra).\n\n# Second\n\nA zebra is striped.\n\n# Third\n\nSee [1].\n\n{unseen}"
    );
    world.articles(None).create(article("animals", &body)).await.expect("a save");
    let shown = async |mode| {
        for _ in 0..2 {
            let hit = world.find("zebra", mode).await.hits.remove(0);
            assert!(hit.snippet.contains("A zebra is striped") && !hit.matches.is_empty(), "{mode}: {hit:?}");
            assert_eq!(hit.heading_path, "Second", "{mode}: {hit:?}");
        }
    };
    let runtime = world.start().await;
    world.settled(&runtime).await;
    shown(Mode::Keyword).await;
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn front_matter_is_no_text_and_no_heading_and_a_second_section_of_a_name_has_its_number() {
    let world = TestHost::new().await;
    let body = "---\ntags: [quay]\nstatus: draft\n---\nA mooring.\n\n# Log\n\n## Notes\n\nFirst tide.\n\n## Notes\n\nSecond ebb.\n";
    world.articles(None).create(article("harbour", body)).await.expect("a save");
    let shown = async || {
        let mooring = world.find("mooring", Mode::Keyword).await.hits.remove(0);
        let ebb = world.find("ebb", Mode::Keyword).await.hits.remove(0);
        assert_eq!((mooring.heading_path.as_str(), ebb.heading_path.as_str()), ("", "Log > Notes [2]"));
        let snippet = mooring.snippet;
        assert!(snippet.contains("mooring") && !snippet.contains("status") && !snippet.contains("draft"), "{snippet}");
    };
    shown().await;
    let runtime = world.start().await;
    world.settled(&runtime).await;
    shown().await;
    runtime.stop(DRAIN).await;
    let given: Vec<_> = world.embedder.calls().into_iter().flat_map(|call| call.texts).collect();
    assert!(!given.is_empty() && given.iter().all(|text| !text.contains("status:")), "{given:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_given_a_question_as_it_was_written() {
    let world = TestHost::new().await;
    world.articles(None).create(article("note", "The receiver knows lifetimes.")).await.expect("a save");
    let runtime = world.start().await;
    world.settled(&runtime).await;
    let answer = world.find("lifetmes of receivers", Mode::Hybrid).await;
    assert_eq!(answer.corrections[0].to, "lifetimes");
    let calls = world.embedder.calls();
    let asked: Vec<_> =
        calls.iter().filter(|call| call.purpose == Purpose::Query).flat_map(|call| &call.texts).collect();
    assert_eq!(asked, ["lifetmes of receivers"]);
    runtime.stop(DRAIN).await;
}

/// The world's model as a host has it that has just started: it is still being loaded.
struct Loading {
    model: Arc<ScriptedEmbedder>,
    state: watch::Sender<Readiness>,
}

#[async_trait]
impl Embedder for Loading {
    fn identity(&self) -> &ModelIdentity {
        self.model.identity()
    }

    fn limits(&self) -> BatchLimits {
        self.model.limits()
    }

    fn readiness(&self) -> Option<watch::Receiver<Readiness>> {
        Some(self.state.subscribe())
    }

    async fn embed(&self, texts: &[String], purpose: Purpose) -> Result<Vec<Vector>, EmbedError> {
        match &*self.state.borrow() {
            Readiness::Ready => {}
            Readiness::Loading(how) | Readiness::Failed(how) => return Err(EmbedError::unavailable(how.clone())),
        }
        self.model.embed(texts, purpose).await
    }
}

struct Offered(Arc<Loading>);

impl QueryModels for Offered {
    fn embedder_for(&self, _: &ModelIdentity, _: Option<&str>) -> Option<Arc<dyn Embedder>> {
        Some(Arc::clone(&self.0) as _)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_waits_for_a_model_that_is_being_loaded_and_no_longer_than_it_may() {
    let world = TestHost::new().await;
    world.articles(None).create(article("note", "Bees know colours.")).await.expect("a save");
    let runtime = world.start().await;
    world.settled(&runtime).await;
    runtime.stop(DRAIN).await;
    let search = |deadline: Duration| {
        let state = watch::Sender::new(Readiness::Loading("the model is being loaded".to_owned()));
        let model = Arc::new(Loading { model: Arc::clone(&world.embedder), state });
        let settings = SearchSettings { query_deadline: deadline, ..SearchSettings::default() };
        (Search::new(world.database.clone(), Arc::new(Offered(Arc::clone(&model))), settings), model)
    };
    let query = Query::new("bees", Mode::Hybrid, 5);

    for ready in [true, false] {
        let (patient, model) = search(Duration::from_secs(600));
        let answer = tokio::spawn({
            let query = query.clone();
            async move { patient.search(&query).await.expect("an answer") }
        });
        while model.state.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
        let end = if ready { Readiness::Ready } else { Readiness::Failed("it is damaged".to_owned()) };
        model.state.send_replace(end);
        let answer = answer.await.expect("an end");
        assert_eq!(answer.degraded.is_none(), ready, "{:?}", answer.degraded);
        assert_eq!(answer.hits.len(), 1);
    }

    let (hurried, _model) = search(Duration::from_millis(1));
    let answer = hurried.search(&query).await.expect("an answer");
    assert_eq!(answer.degraded.as_deref(), Some("the model is being loaded"));
    assert_eq!((answer.hits.len(), answer.mode), (1, Mode::Keyword), "by its words");
}
