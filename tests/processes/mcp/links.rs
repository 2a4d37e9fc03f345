//! Links between articles, other names, and the past, as an agent uses them.

use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, Era, host},
    support::{OnPostgres, OnSqlite, TOKIO, TestDatabase, TestHost},
};

async fn create(agent: &Agent, slug: &str, title: &str, body: &str) {
    agent.answer("create_article", json!({ "slug": slug, "title": title, "body": body })).await;
}

async fn links<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let host = host(&world);
    let articles = host.articles.clone();
    let agent = Agent::beside(host, Era::Discover).await;
    let aliased = json!({ "slug": "moon", "title": "The Moon", "body": "See [[tides]].",
                          "properties": { "aliases": ["Luna", "Earth's companion"] } });
    agent.answer("create_article", aliased).await;
    create(&agent, "tides", "Tides", "By the [[Luna]], [[The Moon#Phases|the moon]] and [[nobody]].").await;
    create(&agent, "harbour", "Harbour", "[times](../sea/tides.md) [[Tides]] article://tides <article://tides>").await;
    create(&agent, "plain", "Plain", "`[[tides]]` and https://example.org/tides").await;

    let of = |slug: &'static str| {
        let articles = articles.clone();
        async move {
            let linked = articles.linked(slug).await.expect("an article");
            let links = articles.links_of(&linked, 100).await.expect("links");
            let back = articles.backlinks(&linked, 100).await.expect("backlinks");
            let to: Vec<_> = links.into_iter().map(|link| link.slug.unwrap_or_default()).collect();
            let from: Vec<_> = back.into_iter().map(|link| (link.slug, link.links)).collect();
            (to, from)
        }
    };
    let (to, from) = of("tides").await;
    assert_eq!(to, ["moon", "moon", ""]);
    assert_eq!(from, [("harbour".to_owned(), 3), ("moon".to_owned(), 1)]);
    assert_eq!(of("moon").await.1, [("tides".to_owned(), 2)]);
    assert_eq!(of("plain").await, (vec![], vec![]));
    let broken = articles.broken_links(100).await.expect("links");
    assert_eq!(
        broken.iter().map(|link| (link.slug.as_str(), link.target.as_str())).collect::<Vec<_>>(),
        [("tides", "nobody")]
    );

    let context = agent.text("article_context", json!({ "slug": "tides" })).await;
    for part in
        ["links to:\n- moon: The Moon\n- (nowhere): nobody", "linked from:\n- harbour: Harbour\n- moon: The Moon"]
    {
        assert!(context.contains(part), "{context}");
    }
    // Nothing is embedded here: words alone say what is near.
    let near = context.split("links to:").next().expect("a beginning");
    assert!(near.starts_with("nearest") && near.contains("\n- plain: Plain"), "{context}");
    for budget in [1, 40, 200, 700] {
        let cut = agent.text("article_context", json!({ "slug": "tides", "budget": budget })).await;
        assert!(cut.chars().count() <= budget, "{budget}: {} characters", cut.chars().count());
        let is_told = ["…", "more", "go on with"].iter().any(|sign| cut.contains(sign));
        assert!(cut == context || is_told && cut.starts_with(['n', '…']), "{cut}");
    }
    assert_eq!(agent.text("article_context", json!({ "slug": "tides", "budget": 1_000_000 })).await, context);
    let read = agent.text("read_article", json!({ "slug": "tides" })).await;
    assert!(read.contains("linked from: harbour, moon"), "{read}");

    // Another title: links by the former slug and by the alias still lead there.
    agent.answer("update_article", json!({ "slug": "tides", "title": "Ebb and flow" })).await;
    let renamed =
        agent.answer("rename_article", json!({ "slug": "tides", "to": "ebb-and-flow", "update_links": true })).await;
    assert_eq!(renamed["mended"], json!(["harbour", "moon"]));
    let body = articles.read("harbour").await.expect("an article").body;
    assert_eq!(body, "[times](../sea/ebb-and-flow.md) [[ebb-and-flow]] article://tides <article://ebb-and-flow>");
    assert_eq!(articles.read("moon").await.expect("an article").body, "See [[ebb-and-flow]].");
    assert_eq!(of("ebb-and-flow").await.1.len(), 2);
    // Its own links as well.
    create(&agent, "loop", "Loop", "See [[loop#Part]] and [[harbour]].").await;
    let renamed = agent.answer("rename_article", json!({ "slug": "loop", "to": "ring", "update_links": true })).await;
    assert_eq!((&renamed["mended"], &renamed["revision"]), (&json!(["ring"]), &json!(3)));
    assert_eq!(articles.read("ring").await.expect("an article").body, "See [[ring#Part]] and [[harbour]].");
    let before = articles.history("harbour").await.expect("a history").len();
    assert_eq!(before, 2, "one revision for each article that links");

    // What names a former slug is mended by the same rename again.
    create(&agent, "late", "Late", "See [[loop]] and [[ring]].").await;
    let again = agent.answer("rename_article", json!({ "slug": "ring", "to": "ring", "update_links": true })).await;
    assert_eq!(again["mended"], json!(["late"]));
    assert_eq!(articles.read("late").await.expect("an article").body, "See [[ring]] and [[ring]].");
    agent.answer("delete_article", json!({ "slug": "late" })).await;

    // What was broken leads somewhere as soon as there is an article.
    create(&agent, "nobody", "Nobody", "text").await;
    assert!(articles.broken_links(100).await.expect("links").is_empty());
    agent.answer("delete_article", json!({ "slug": "moon" })).await;
    assert_eq!(articles.broken_links(100).await.expect("links").len(), 2);
    let first = articles.broken_links(1).await.expect("links");
    assert_eq!((first.len(), first.total), (1, Some(2)));
    agent.leave().await;
}

async fn past_and_several<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let agent = Agent::beside(host(&world), Era::Handshake).await;
    for n in 1..=6 {
        let body = format!("# Train {n}\n\n{}", "Carriages. ".repeat(200));
        let tagged = json!({ "slug": format!("train-{n}"), "title": format!("Train {n}"), "body": body,
                             "properties": { "tags": if n % 2 == 0 { "even" } else { "odd" } } });
        agent.answer("create_article", tagged).await;
    }
    let several = agent.text("read_articles", json!({ "slugs": ["train-*", "nothing"] })).await;
    assert_eq!(several.matches("slug: train-").count(), 6);
    assert!(several.contains("there is no article \"nothing\"") && several.len() <= 8_000, "{}", several.len());
    let tagged = agent.text("read_articles", json!({ "filter": "tag:even", "limit": 30 })).await;
    assert_eq!(tagged.matches("slug: train-").count(), 3);
    assert!(tagged.len() < 1_500 && tagged.contains("go on with offset 30"), "{tagged}");
    assert!(agent.refusal("read_articles", json!({})).await.contains("slugs"));

    agent.answer("update_article", json!({ "slug": "train-1", "body": "Sleepers." })).await;
    let changed = agent.answer("list_articles", json!({ "filter": "updated:<1d" })).await;
    assert_eq!((&changed["total"], &changed["articles"][0]["slug"]), (&json!(6), &json!("train-1")));
    let history = agent.answer("article_history", json!({ "slug": "train-1" })).await;
    let revisions = history["revisions"].as_array().expect("revisions").iter().map(|row| row["revision"].clone());
    assert_eq!(revisions.collect::<Vec<Value>>(), [2, 1]);
    let since = agent.answer("article_history", json!({ "slug": "train-1", "since_revision": 1 })).await;
    assert!(since["changes"].as_str().is_some_and(|changes| changes.contains("+Sleepers.")), "{since}");
    assert!(
        agent
            .refusal("article_history", json!({ "slug": "train-1", "since_revision": 9 }))
            .await
            .contains("no revision 9")
    );
    let restored = agent.answer("restore_article", json!({ "slug": "train-1", "revision": 1 })).await;
    assert_eq!(restored["revision"], 3);
    agent.answer("delete_article", json!({ "slug": "train-1" })).await;
    assert_eq!(agent.answer("restore_article", json!({ "slug": "train-1" })).await["slug"], "train-1");

    // Properties are front matter, and a change of them alone embeds nothing.
    let status = agent
        .answer(
            "update_article",
            json!({ "slug": "train-2", "properties": { "status": "done", "tags": ["even", "ready"] } }),
        )
        .await;
    assert_eq!((&status["revision"], &status["changed"]), (&json!(2), &json!(true)));
    let tasks = world.number(
        "SELECT count(*) AS n FROM embedding_tasks WHERE article_id = (SELECT id FROM articles WHERE slug = 'train-2')",
    );
    assert_eq!(tasks.await, 1);
    let found = agent.answer("list_articles", json!({ "filter": "tag:ready status:done" })).await;
    assert_eq!((&found["total"], &found["articles"][0]["tags"]), (&json!(1), &json!(["even", "ready"])));
    agent.answer("update_article", json!({ "slug": "train-2", "properties": { "status": null } })).await;
    assert_eq!(agent.answer("list_articles", json!({ "filter": "-status:*" })).await["total"], 6);
    let refusal =
        agent.refusal("update_article", json!({ "slug": "train-2", "properties": { "a": { "b": 1 } } })).await;
    assert!(refusal.contains("properties") && refusal.contains("\"a\""), "{refusal}");

    let peer = agent.peer();
    let tags = peer.complete_resource_simple("articles://tag/{+tag}", "tag", "e").await.expect("tags");
    assert_eq!(tags, ["even"]);
    agent.leave().await;
}

#[test]
fn links_lead_by_every_name_and_are_mended_after_a_rename_on_sqlite() {
    TOKIO.block_on(links::<OnSqlite>());
}

#[test]
fn links_lead_by_every_name_and_are_mended_after_a_rename_on_postgresql() {
    TOKIO.block_on(links::<OnPostgres>());
}

#[test]
fn several_are_read_and_the_past_is_at_hand_on_sqlite() {
    TOKIO.block_on(past_and_several::<OnSqlite>());
}

#[test]
fn several_are_read_and_the_past_is_at_hand_on_postgresql() {
    TOKIO.block_on(past_and_several::<OnPostgres>());
}
