//! The order of a reranker: what is sent, what it changes, and what it never does.

use afterword::{
    config::Rerank,
    reranking::Reranker,
    search::{Mode, Query, Search, SearchAnswer},
};
use afterword_actors::{Runtime, embedder::EmbedError};
use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

use super::TestHost;
use crate::support::{
    DRAIN, article,
    reranker::{Judge, asked, named, reranker as server},
};

const QUESTION: &str = "bees dance";

/// Six articles about bees, of which the reranker likes the later ones better.
async fn six() -> (TestHost, Runtime) {
    let world = TestHost::new().await;
    for worth in 1..=6 {
        let body = format!("# Bees\n\nBees dance{}. This is worth {worth}.", " and dance".repeat(worth));
        world.articles(None).create(article(&format!("bees-{worth}"), &body)).await.expect("a save");
    }
    let runtime = world.start().await;
    world.settled(&runtime).await;
    (world, runtime)
}

fn reranked(world: &TestHost, server: &MockServer, top: usize, weight: f64) -> Search {
    world.search.clone().reranking(Reranker::of(&Rerank { top, weight, ..named(server) }))
}

async fn ask(search: &Search, limit: usize) -> SearchAnswer {
    let query = Query { explain: true, ..Query::new(QUESTION, Mode::Hybrid, limit) };
    search.search(&query).await.expect("an answer")
}

fn slugs(answer: &SearchAnswer) -> Vec<&str> {
    answer.hits.iter().map(|hit| hit.slug.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rerankers_order_is_blended_with_the_searchs_own_and_explained() {
    let (world, runtime) = six().await;
    let server = server(Judge::OfDocuments).await;
    let plain = ask(&world.search, 10).await;
    assert!(plain.hits.iter().all(|hit| hit.explanation.as_ref().is_some_and(|why| why.reranked.is_none())));
    let whole = ask(&reranked(&world, &server, 20, 1.0), 10).await;
    assert_eq!(slugs(&whole), ["bees-6", "bees-5", "bees-4", "bees-3", "bees-2", "bees-1"]);
    assert_eq!((whole.degraded, whole.mode), (None, Mode::Hybrid));
    for (place, hit) in whole.hits.iter().enumerate() {
        let why = hit.explanation.as_ref().and_then(|why| why.reranked).expect("what the reranker did");
        let before = plain.hits.iter().position(|before| before.slug == hit.slug).expect("a place");
        assert_eq!((why.from, why.to, why.score), (before + 1, place + 1, 6.0 - place as f64));
        assert_eq!(why.fused, plain.hits[before].score);
        assert!((why.share - (5.0 - place as f64) / 5.0).abs() < 1e-9, "{why:?}");
    }
    let apart = whole.hits[0].score - plain.hits[0].score;
    assert!(apart.abs() < 1e-9, "on the scale that the answer has without it");
    let none = ask(&reranked(&world, &server, 20, 0.0), 10).await;
    assert_eq!(slugs(&none), slugs(&plain), "a weight of 0 changes nothing");
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn title_headings_and_the_best_passage_are_sent_and_never_a_whole_body() {
    let (world, runtime) = six().await;
    let filler = "Nothing of interest is said here, at some length, over and over again. ".repeat(200);
    let long = format!("# Long\n\n{filler}\n\n## Dancing\n\nHere bees dance at last, worth 7.\n\n{filler}");
    world.articles(Some(&runtime)).create(article("long", &long)).await.expect("a save");
    world.settled(&runtime).await;
    runtime.stop(DRAIN).await;
    world.articles(None).create(article("new", &format!("{long} Bees."))).await.expect("a save");
    let server = server(Judge::OfDocuments).await;
    let found = ask(&reranked(&world, &server, 20, 1.0), 10).await;
    assert_eq!(found.degraded, None);
    let requests = asked(&server).await;
    let documents: Vec<_> = requests[0]["documents"].as_array().expect("documents").iter().collect();
    assert_eq!((documents.len(), &requests[0]["query"]), (8, &json!(QUESTION)));
    let texts: Vec<_> = documents.iter().map(|document| document.as_str().expect("a text")).collect();
    assert!(texts.iter().all(|text| text.chars().count() < 1_500), "{texts:?}");
    for slug in ["long", "new"] {
        let text = texts.iter().find(|text| text.starts_with(&format!("Title of {slug}"))).expect("the article");
        assert!(text.contains("bees dance at last"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_answer_begins_with_the_shorter_one_and_what_is_beyond_keeps_its_order() {
    let (world, runtime) = six().await;
    let server = server(Judge::OfDocuments).await;
    let (plain, search) = (ask(&world.search, 10).await, reranked(&world, &server, 3, 1.0));
    let whole = ask(&search, 10).await;
    assert_eq!(slugs(&whole)[3..], slugs(&plain)[3..]);
    assert!(whole.hits[3..].iter().all(|hit| hit.explanation.as_ref().is_some_and(|why| why.reranked.is_none())));
    assert!(whole.hits.windows(2).all(|two| two[0].score >= two[1].score), "{:?}", whole.hits);
    for limit in 1..=6 {
        assert_eq!(slugs(&ask(&search, limit).await), slugs(&whole)[..limit]);
    }
    assert_eq!(asked(&server).await.len(), 1, "further pages cost nothing");
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_the_order_stands_and_the_answer_says_so() {
    let (world, runtime) = six().await;
    let plain = ask(&world.search, 10).await;
    for (answer, part) in [
        (ResponseTemplate::new(500), "failed"),
        (ResponseTemplate::new(401), "search.rerank.api_key"),
        (ResponseTemplate::new(200).set_body_json(json!([{ "index": 0, "score": 1 }])), "1 scores for 6"),
        (ResponseTemplate::new(200).set_body_string("<html><title>Hello</title>"), "Hello"),
    ] {
        let server = server(answer).await;
        let search = reranked(&world, &server, 20, 1.0);
        for _ in 0..2 {
            let found = ask(&search, 10).await;
            assert_eq!((slugs(&found), found.mode), (slugs(&plain), Mode::Hybrid));
            let why = found.degraded.clone().expect("a reason");
            assert!(why.starts_with("not reranked: ") && why.contains(part), "{why}");
        }
        assert_eq!(asked(&server).await.len(), 1, "it has a rest");
    }
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}", silent.local_addr().expect("an address"));
    let settings = Rerank { base_url, deadline: std::time::Duration::from_millis(20), ..Rerank::default() };
    let found = ask(&world.search.clone().reranking(Reranker::of(&settings)), 10).await;
    assert_eq!(slugs(&found), slugs(&plain));
    assert!(found.degraded.is_some_and(|why| why.contains("within 20ms")));
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_by_words_for_a_list_or_for_one_article_asks_no_reranker() {
    let (world, runtime) = six().await;
    let server = server(Judge::OfDocuments).await;
    let search = reranked(&world, &server, 20, 1.0);
    search.search(&Query::new(QUESTION, Mode::Keyword, 10)).await.expect("an answer");
    search.search(&Query::new("slug:bees-*", Mode::Hybrid, 10)).await.expect("an answer");
    search.search(&Query::new("slug:bees-2 bees", Mode::Hybrid, 10)).await.expect("an answer");
    search.related("bees-1", 5).await.expect("an answer");
    assert_eq!(asked(&server).await.len(), 0);
    assert!(Reranker::of(&Rerank::default()).is_none(), "off, unless it is named");
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_model_it_orders_what_the_words_find() {
    let (world, runtime) = six().await;
    world.embedder.outage(Some(EmbedError::unavailable("away")));
    let server_ = server(Judge::OfTexts).await;
    let found = ask(&reranked(&world, &server_, 20, 1.0), 10).await;
    assert_eq!(found.hits[0].slug, "bees-6");
    assert_eq!((found.degraded.as_deref(), found.mode), (Some("away"), Mode::Keyword));
    let broken = server(ResponseTemplate::new(500)).await;
    let found = ask(&reranked(&world, &broken, 20, 1.0), 10).await;
    assert!(found.degraded.is_some_and(|why| why.starts_with("away; not reranked: ")));
    runtime.stop(DRAIN).await;
}
