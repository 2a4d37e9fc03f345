//! Hostile requests to edits, properties, links and filters.

use afterword::articles::{ArticlePatch, OnConflict, PartEdits, editing::Edit};
use serde_json::json;

use crate::{
    support::agent::{Agent, Era, host, worker},
    support::{OnPostgres, OnSqlite, TOKIO, TestDatabase, TestHost, article},
};

async fn odd_characters<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let host = host(&world);
    let articles = host.articles.clone();
    let agent = Agent::beside(host, Era::Discover).await;
    let odd = json!({
        "title": "Odd", "body": "[x](a%00.md) [[b\u{0}c]] #t\u{0}ag &#0; [y](%ff%fe) [z](../../../../etc/passwd) #\u{202e}evil",
        "properties": { "x": "a\u{0}b\u{1b}[31m", "tags": ["nul\u{0}", "ok", "", "#", "a/b/"], "aliases": ["\u{0}", "", "Ödd"],
                        "status": "line\nbreak", "n": 1e308, "huge": "v".repeat(50_000), "yes": "yes" },
    });
    let saved = agent.answer("create_article", odd).await;
    assert_eq!(saved["slug"], "odd");
    for (filter, total) in [
        ("tag:ok", 1),
        ("tag:a/b", 1),
        ("tag:a", 1),
        ("x:*", 1),
        ("huge:*", 1),
        ("yes:yes", 1),
        ("tag:%", 0),
        ("tag:'", 0),
        ("tag:$1", 0),
        ("tag:{now}", 0),
        ("tag:$?1", 0),
        ("x:{ids", 0),
    ] {
        let page = agent.answer("list_articles", json!({ "filter": filter })).await;
        assert_eq!(page["total"], total, "{filter}");
        let found = agent.answer("search_articles", json!({ "query": "odd", "filter": filter })).await;
        assert_eq!(found["hits"].as_array().map(Vec::len), Some(total), "{filter}: {found}");
    }
    for unknown in ["\"a b\":1", "{ids:$1"] {
        let refusal = agent.refusal("search_articles", json!({ "query": "odd", "filter": unknown })).await;
        assert!(refusal.contains("no article has the property"), "{refusal}");
    }
    for query in ["odd tag:ok", "odd -tag:no", "tag:ok", "tag:a", "created:>2020 tag:ok"] {
        let found = agent.answer("search_articles", json!({ "query": query, "mode": "keyword" })).await;
        assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{query}: {found}");
    }
    let several = json!({ "query": "nothing", "queries": ["nobody", "odd"], "mode": "keyword" });
    let found = agent.answer("search_articles", several).await;
    assert_eq!(found["hits"][0]["questions"], json!([3]), "{found}");
    let alone = json!({ "queries": ["nobody", "odd"], "mode": "keyword" });
    let found = agent.answer("search_articles", alone).await;
    assert_eq!(found["hits"][0]["questions"], json!([2]), "{found}");
    let found = agent.answer("search_articles", json!({ "queries": "odd", "query": "", "mode": "keyword" })).await;
    assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");
    for too_many in [
        json!({ "query": "a", "queries": ["b", "c", "d", "e", "f"] }),
        json!({ "queries": ["a", "b", "c", "d", "e", "f"] }),
    ] {
        let refusal = agent.refusal("search_articles", too_many).await;
        assert!(refusal.starts_with("queries: "), "{refusal}");
    }
    for none in [json!({}), json!({ "queries": [] }), json!({ "mode": "keyword" })] {
        let refusal = agent.refusal("search_articles", none).await;
        assert!(refusal.starts_with("query: is missing") && refusal.contains("queries"), "{refusal}");
    }
    let none = agent.answer("search_articles", json!({ "query": "odd -tag:ok", "mode": "keyword" })).await;
    assert_eq!(none["hits"], json!([]));
    for filter in ["tag:a\u{0}", "x:\u{1b}", &"tag:a ".repeat(31), "tag", ":", "-", "rating:>>5", "created:9999999-01"]
    {
        let refusal = agent.refusal("list_articles", json!({ "filter": filter })).await;
        assert!(refusal.starts_with("filter: ") && refusal.len() < 400, "{filter:?}: {refusal}");
    }
    let key = json!({ "slug": "odd", "properties": { "a\nb: c": 1 } });
    assert!(agent.refusal("update_article", key).await.contains("not the name of a property"));
    let nested = json!({ "slug": "odd", "properties": { "a": [[1]] } });
    assert!(agent.refusal("update_article", nested).await.contains("properties"));
    for name in ["\u{0}", "Ödd", "%", "' OR 1=1 --", &"ö".repeat(5_000)] {
        // Read, or refused; never a failure of the database.
        let result = agent.call("read_article", json!({ "slug": name })).await.expect("an answer");
        let text = serde_json::to_string(&result).expect("JSON");
        assert!(!text.contains("database failed") && text.len() < 8_192, "{name:?}: {text}");
        assert!(articles.linked(name).await.is_ok() == (name == "Ödd"), "{name:?}");
    }
    assert!(articles.tags("\u{0}", 10).await.expect("tags").len() <= 10);
    assert!(articles.property_values("\u{0}", 10).await.expect("values").is_empty());
    let links = articles.links_of(&articles.linked("odd").await.expect("an article"), 100).await.expect("links");
    assert!(links.iter().all(|link| link.slug.is_none()), "{links:?}");
    agent.leave().await;
}

async fn a_large_text<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let worker = worker(&world).await;
    let agent = Agent::beside(worker.host.clone(), Era::Handshake).await;
    let section = |n: usize| format!("## Section {n}\r\n\r\n{} [[s{n}]] #t{n}\r\n\r\n", "word ".repeat(100));
    let body = format!("# Large\r\n\r\n{}", (0..2_000).map(section).collect::<String>());
    assert!(body.len() > 1 << 20);
    agent.answer("create_article", json!({ "title": "Large", "body": body, "skip_embedding": true })).await;
    let edit = json!([{ "action": "replace_section", "section": "Section 1000", "text": "short\nand new" }]);
    let answer = agent.answer("edit_article", json!({ "slug": "large", "edits": edit })).await;
    assert_eq!(answer["revision"], 2);
    let stored = worker.host.articles.read("large").await.expect("an article").body;
    let at = body.find("## Section 1000").expect("there") + "## Section 1000\r\n\r\n".len();
    let end = body.find("\r\n\r\n## Section 1001").expect("there");
    assert!(stored == format!("{}short\r\nand new{}", &body[..at], &body[end..]), "nothing else changes");
    // An edit of everything, and impossible ones: neither answer nor refusal grows with the text.
    let whole = json!([{ "action": "replace_text", "find": "word ", "text": "WORD ", "count": 199_900 }]);
    assert_eq!(agent.answer("edit_article", json!({ "slug": "large", "edits": whole })).await["revision"], 3);
    for edits in [
        json!([{ "action": "delete_section", "section": "nowhere" }]),
        json!([{ "action": "replace_text", "find": "WORD", "text": "x" }]),
        json!([{ "action": "replace_text", "find": "y".repeat(100_000), "text": "x" }]),
        json!([{ "action": "replace_text", "find": "W", "text": "x".repeat(100_000), "count": 199_900 }]),
        json!(vec![json!({ "action": "append", "text": "x" }); 101]),
    ] {
        let refusal = agent.refusal("edit_article", json!({ "slug": "large", "edits": edits })).await;
        assert!(refusal.len() < 4_000, "{} bytes", refusal.len());
    }
    let all = agent.text("read_article", json!({ "slug": "large", "limit": u32::MAX })).await;
    assert!(all.len() < (1 << 20) + 4_096, "{} bytes, whatever is asked for", all.len());
    assert!(all.contains("go on with offset"), "{}", &all[..400]);
    let context = agent.text("article_context", json!({ "slug": "large" })).await;
    let several = agent.text("read_articles", json!({ "slugs": vec!["*"; 5_000] })).await;
    assert!(context.len() < 8_192 && several.len() < 8_192);
    let history = agent.answer("article_history", json!({ "slug": "large", "since_revision": 1 })).await;
    assert_eq!(history["total"], 3);
    assert_eq!(worker.host.articles.read("large").await.expect("an article").revision, 3);
    agent.leave().await;
    worker.stop().await;
}

async fn many_at_once<P: TestDatabase>() {
    const WRITERS: usize = 16;
    let world = TestHost::<P>::new().await;
    let host = host(&world);
    host.articles.create(article("log", "# Log\n\n- start\n")).await.expect("a save");
    let writers = (0..WRITERS).map(|n| {
        let host = host.clone();
        async move {
            let asked = PartEdits { edits: vec![Edit::Append(format!("- line {n}"))], ..PartEdits::default() };
            host.edit("log", asked).await.expect("an edit without a revision waits for no one's");
        }
    });
    futures_util::future::join_all(writers).await;
    let log = host.articles.read("log").await.expect("an article");
    assert_eq!(log.revision, 1 + WRITERS as i64);
    for n in 0..WRITERS {
        assert_eq!(log.body.matches(&format!("- line {n}\n")).count(), 1, "{}", log.body);
    }
    // Of edits to the same lines of one revision, one wins; edits to other lines are merged.
    let named = |find: &str, on_conflict| PartEdits {
        edits: vec![Edit::Replace { find: find.to_owned(), replace: "changed".to_owned(), count: 1 }],
        expected_revision: Some(log.revision),
        on_conflict,
    };
    let merge = OnConflict::Merge;
    let (one, two) = tokio::join!(host.edit("log", named("- start", merge)), host.edit("log", named("- start", merge)));
    assert_eq!(one.is_ok() as usize + two.is_ok() as usize, 2, "the same change of both is one: {one:?} {two:?}");
    let refused = host.edit("log", named("# Log", OnConflict::Refuse)).await.expect_err("it has moved on");
    assert!(refused.to_string().contains("-- start") || refused.to_string().contains("+changed"), "{refused}");
    assert!(host.edit("log", named("# Log", merge)).await.expect("other lines").merged);

    // A property that is set while the text is changed: neither is lost.
    let tagged = |n: usize| ArticlePatch {
        properties: vec![(format!("key{n}"), Some(afterword::articles::front_matter::Setting::Number(n.to_string())))],
        ..ArticlePatch::default()
    };
    let writers = (0..8).map(|n| {
        let host = host.clone();
        async move { host.articles.update("log", tagged(n)).await.expect("a property") }
    });
    let edit = host.edit("log", PartEdits { edits: vec![Edit::Append("last".to_owned())], ..PartEdits::default() });
    let (_, edited) = tokio::join!(futures_util::future::join_all(writers), edit);
    edited.expect("an edit");
    let log = host.articles.read("log").await.expect("an article");
    assert_eq!(log.properties.len(), 8, "{:?}", log.properties);
    assert!(log.body.ends_with("last\n") && log.body.contains("changed"));
}

#[test]
fn odd_characters_are_kept_or_refused_on_sqlite() {
    TOKIO.block_on(odd_characters::<OnSqlite>());
}

#[test]
fn odd_characters_are_kept_or_refused_on_postgresql() {
    TOKIO.block_on(odd_characters::<OnPostgres>());
}

#[test]
fn a_large_text_is_edited_in_its_part_and_answers_stay_small_on_sqlite() {
    TOKIO.block_on(a_large_text::<OnSqlite>());
}

#[test]
fn a_large_text_is_edited_in_its_part_and_answers_stay_small_on_postgresql() {
    TOKIO.block_on(a_large_text::<OnPostgres>());
}

#[test]
fn many_edit_one_article_and_nothing_is_lost_on_sqlite() {
    TOKIO.block_on(many_at_once::<OnSqlite>());
}

#[test]
fn many_edit_one_article_and_nothing_is_lost_on_postgresql() {
    TOKIO.block_on(many_at_once::<OnPostgres>());
}
