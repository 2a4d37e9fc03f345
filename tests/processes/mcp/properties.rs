//! Tags and properties: read from front matter and text at each save, shown, filtered and counted.

use afterword::{
    articles::{NewArticle, folder::Folder, properties::Filter, slug::Slug},
    search::Mode,
};
use afterword_actors::store::sql::Sql;
use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, Era, host, worker},
    support::{OnPostgres, OnSqlite, TOKIO, TestDatabase, TestHost},
};

fn new(slug: &str, front_matter: &str, body: &str, created: &str) -> NewArticle {
    let at =
        time::OffsetDateTime::parse(&format!("{created}T12:00:00Z"), &time::format_description::well_known::Rfc3339);
    let at = at.expect("a time").unix_timestamp() * 1000;
    NewArticle {
        title: format!("Title of {slug}"),
        slug: Some(Slug::parse(slug).expect("a slug")),
        front_matter: format!("---\n{front_matter}\n---\n"),
        body: body.to_owned(),
        created_at: Some(at),
        updated_at: Some(at),
        ..NewArticle::default()
    }
}

async fn fill<P: TestDatabase>(world: &TestHost<P>) {
    let articles = world.articles(None);
    for article in [
        new(
            "one",
            "tags: [Rust, web/server]\nstatus: draft\nrating: 4\naliases: [The First]",
            "text #Todo",
            "2026-01-15",
        ),
        new("two", "tags: rust, async\nstatus: done\nrating: 10\ndue: 2026-03-01", "text", "2026-02-15"),
        new("three", "status: \"In work\"\ndraft: true", "#rust/tokio and `#code`", "2026-03-15"),
        new(
            "four",
            "title: Four\ncode: \"00123\"\nparts: [\"007\", 8]\nphone: \"1234567890\"\ndone: 'true'",
            "nothing",
            "2026-04-15",
        ),
    ] {
        articles.create(article).await.expect("an article");
    }
}

async fn filters<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    fill(&world).await;
    let articles = world.articles(None);
    for (filter, expected) in [
        ("tag:rust", &["one", "three", "two"][..]),
        ("tag:#Rust", &["one", "three", "two"]),
        ("tag:rust/tokio", &["three"]),
        ("tag:web", &["one"]),
        ("tag:todo", &["one"]),
        ("tag:code", &[]),
        ("tag:rus", &[]),
        ("tag:rust -tag:async", &["one", "three"]),
        ("status:DRAFT", &["one"]),
        ("status:\"in work\"", &["three"]),
        ("status:*", &["one", "three", "two"]),
        ("-status:*", &["four"]),
        ("rating:>4", &["two"]),
        ("rating:4", &["one"]),
        ("rating:4..10", &["one", "two"]),
        ("draft:true", &["three"]),
        ("due:2026-03", &["two"]),
        ("due:2026-02", &[]),
        ("due:2026-03..2026-04", &["two"]),
        ("due:2026-03-01", &["two"]),
        ("created:2026-01..2026-02", &["one", "two"]),
        ("created:2026", &["four", "one", "three", "two"]),
        ("updated:>2026-03", &["four"]),
        ("updated:<1d", &[]),
        ("updated:>30d", &["four", "one", "three", "two"]),
        ("alias:\"the first\"", &["one"]),
        ("code:00123", &["four"]),
        ("code:123", &[]),
        ("code:>1", &[]),
        ("parts:007", &["four"]),
        ("parts:8", &["four"]),
        ("parts:7", &[]),
        ("phone:1234567890", &["four"]),
        ("", &["four", "one", "three", "two"]),
    ] {
        let parsed = Filter::parse(filter).unwrap_or_else(|error| panic!("{error}"));
        let page = articles.list_where(&Folder::default(), &parsed, None, 10).await.expect("a page");
        let mut slugs: Vec<_> = page.articles.iter().map(|article| article.slug.as_str()).collect();
        slugs.sort_unstable();
        assert_eq!((slugs.as_slice(), page.total), (expected, Some(expected.len() as i64)), "{filter}");
    }
    for (filter, part) in [
        ("rust", "tag:rust"),
        ("tag:", "no value"),
        (":x", "no key"),
        ("created:soon", "2026-03"),
        ("rating:5..x-y", "range"),
    ] {
        let error = Filter::parse(filter).expect_err("no filter").to_string();
        assert!(error.contains(part), "{filter}: {error}");
    }
    let tags = articles.tags("", 100).await.expect("tags");
    let counted: Vec<_> = tags.iter().map(|tag| (tag.tag.to_lowercase(), tag.articles)).collect();
    assert_eq!(counted[0], ("rust".to_owned(), 2));
    assert_eq!(counted.len(), 5, "{counted:?}");
    assert_eq!(articles.tags("#Rus", 100).await.expect("tags").len(), 2);
    let keys = articles.property_keys(100).await.expect("keys");
    assert_eq!((keys[0].key.as_str(), keys[0].articles, keys[0].values), ("status", 3, 3));
    assert_eq!(articles.property_values("Status", 100).await.expect("values").len(), 3);
    let said = articles.read("four").await.expect("an article").properties;
    let said: serde_json::Value = said.into();
    let quoted = json!({ "code": "00123", "parts": ["007", 8], "phone": "1234567890", "done": "true" });
    assert_eq!(said, quoted, "what is quoted is text");
    // Of a page the total is that of all.
    assert_eq!(articles.tags("", 2).await.expect("tags").total, Some(5));
    assert_eq!(articles.tags("#rus", 1).await.expect("tags").total, Some(2));
    assert_eq!(articles.tags("none", 1).await.expect("tags").total, Some(0));
    assert_eq!(articles.property_values("status", 1).await.expect("values").total, Some(3));
    assert_eq!(articles.property_keys(1).await.expect("keys").total, Some(keys.len() as i64));
}

async fn life<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    fill(&world).await;
    let worker = worker(&world).await;
    let agent = Agent::beside(worker.host.clone(), Era::Discover).await;
    let listed = |filter: &'static str| {
        let agent = &agent;
        async move {
            let page = agent.answer("list_articles", json!({ "filter": filter })).await;
            let slugs = page["articles"].as_array().expect("articles").iter().map(|article| article["slug"].clone());
            slugs.collect::<Vec<Value>>()
        }
    };
    assert_eq!(listed("tag:todo").await, ["one"]);
    let read = agent.text("read_article", json!({ "slug": "The First" })).await;
    assert!(read.contains("slug: one") && read.contains("tags: Rust, Todo, web/server"), "{read}");
    assert!(read.contains("\"rating\":4"), "{read}");

    // A tag that is removed from the text no longer counts; one that comes back counts again.
    agent.answer("update_article", json!({ "slug": "one", "body": "text #later" })).await;
    assert_eq!((listed("tag:todo").await, listed("tag:later").await), (vec![], vec![json!("one")]));
    agent.answer("delete_article", json!({ "slug": "one" })).await;
    assert_eq!(listed("tag:later").await, Vec::<Value>::new());
    worker.host.articles.restore("one", None).await.expect("it comes back");
    assert_eq!(listed("tag:later").await, ["one"]);
    let refusal = agent.refusal("list_articles", json!({ "filter": "rust" })).await;
    assert!(refusal.contains("filter") && refusal.contains("tag:rust"), "{refusal}");
    agent.leave().await;
    worker.stop().await;
}

async fn earlier_articles<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    fill(&world).await;
    // The state that an earlier version left.
    world.run("DELETE FROM article_tags").await;
    world.run("DELETE FROM article_properties").await;
    world.run("INSERT INTO unread_articles (article_id) SELECT id FROM articles").await;
    let articles = host(&world).articles;
    assert_eq!(articles.unread().await.expect("a number"), 4);
    let filter = Filter::parse("tag:rust").expect("a filter");
    let page = articles.list_where(&Folder::default(), &filter, None, 10).await.expect("a page");
    assert_eq!(page.total, Some(0));
    while articles.read_some_again().await.expect("a reading") {}
    let tagged = Filter::parse("tag:*").expect("a filter");
    let page = articles.list_where(&Folder::default(), &tagged, None, 10).await.expect("a page");
    assert_eq!(page.total, Some(3), "any tag");
    assert_eq!(articles.unread().await.expect("a number"), 0);
    let page = articles.list_where(&Folder::default(), &filter, None, 10).await.expect("a page");
    assert_eq!(page.total, Some(3));
    let revisions = world.database.reader().row::<i64>("SELECT max(revision) AS n FROM articles", []);
    assert_eq!(revisions.await.expect("a query").expect("a row"), 1, "reading again is no change");
}

/// Front matter at the beginning of a text, and properties that are set beside it.
async fn two_places<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let articles = world.articles(None);
    let agent = Agent::beside(host(&world), Era::Discover).await;
    let with = |lines: &str| format!("---\n{lines}\n---\nText.\n");
    let is = async |body: String, tags: &[&str], properties: Value| {
        let read = articles.read("hi").await.expect("an article");
        let found = (read.body, read.tags, Value::from(read.properties));
        assert_eq!(found, (body, tags.iter().map(ToString::to_string).collect(), properties));
    };
    let update = async |mut asked: Value| {
        asked["slug"] = "hi".into();
        agent.answer("update_article", asked).await
    };
    let new = json!({ "title": "Hi", "body": with("tags: [a, b]"), "properties": { "status": "done" } });
    agent.answer("create_article", new).await;
    is(with("tags: [a, b]"), &["a", "b"], json!({ "status": "done" })).await;

    update(json!({ "body": with("tags: [q]") })).await;
    is(with("tags: [q]"), &["q"], json!({ "status": "done" })).await;
    assert_eq!(agent.answer("list_articles", json!({ "filter": "tag:q status:done" })).await["total"], 1);
    assert_eq!(agent.answer("list_articles", json!({ "filter": "tag:a" })).await["total"], 0);
    let edit = json!([{ "action": "replace_text", "find": "[q]", "text": "[r]" }]);
    agent.answer("edit_article", json!({ "slug": "hi", "edits": edit })).await;
    is(with("tags: [r]"), &["r"], json!({ "status": "done" })).await;

    // What the text names is set in the text, the rest beside it.
    let saved = update(json!({ "properties": { "tags": ["s"], "rating": 3 } })).await;
    is(with("tags: [s]"), &["s"], json!({ "status": "done", "rating": 3 })).await;
    update(json!({ "properties": { "rating": 4 } })).await;
    let since = json!({ "slug": "hi", "since_revision": saved["revision"] });
    let changes = agent.answer("article_history", since).await["changes"].to_string();
    assert!(changes.contains("-rating: 3") && changes.contains("+rating: 4"), "{changes}");
    assert_eq!(world.found("text rating:4", Mode::Keyword).await, ["hi"]);
    assert_eq!(world.found("text rating:5", Mode::Keyword).await, [""; 0]);

    update(json!({ "body": with("tags: [s]\nstatus: open") })).await;
    is(with("tags: [s]\nstatus: open"), &["s"], json!({ "status": "open", "rating": 4 })).await;
    update(json!({ "body": "Text." })).await;
    is("Text.".to_owned(), &[], json!({ "rating": 4 })).await;
    update(json!({ "body": with("rating: 1"), "properties": { "rating": 5 } })).await;
    is(with("rating: 5"), &[], json!({ "rating": 5 })).await;
    update(json!({ "properties": { "rating": null } })).await;
    assert_eq!(articles.read("hi").await.expect("an article").properties.len(), 0);

    // An earlier version copied the block beside the text, and read it there from then on.
    world
        .run(
            "UPDATE articles SET body = '---\ntags: [new]\n---\nText.\n',
                                 front_matter = '---\ntags: [old]\nstatus: done\n---\n'",
        )
        .await;
    update(json!({ "properties": { "rating": 6 } })).await;
    is(with("tags: [new]"), &["new"], json!({ "status": "done", "rating": 6 })).await;
    update(json!({ "body": "Text." })).await;
    is("Text.".to_owned(), &[], json!({ "status": "done", "rating": 6 })).await;
    agent.leave().await;
}

/// What was read and is sent back is what it was, however long it is and however many there are.
async fn sent_back<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let articles = world.articles(None);
    let agent = Agent::beside(host(&world), Era::Discover).await;
    let long = "A long summary. ".repeat(225);
    let many: Vec<String> = (0..1_300).map(|n| format!("value {n}")).collect();
    let tags: Vec<String> = (0..700).map(|n| format!("tag{n:03}")).collect();
    let others = "padded: \"  two blanks before\"\nempty: \"\"\nnone: []\nlarge: 12345678901234567890\nflag: tRUE\n\
                  folded: |\n  one\n  two\ntime: \"2026-01-01\"\nversion: 1.10";
    let head = format!("summary: {long:?}\nmany: [{}]\ntags: [{}]\n{others}", many.join(", "), tags.join(", "));
    articles.create(new("hi", &head, "#intext", "2026-01-15")).await.expect("an article");
    let before = articles.read("hi").await.expect("an article");
    let read = &before.properties;
    assert_eq!(read["summary"], long);
    assert_eq!(read["many"], json!(many));
    assert_eq!(
        (&before.tags[..700], before.tags.len()),
        (&[vec!["intext".to_owned()], tags.clone()].concat()[..700], 701)
    );
    let small = json!([read["padded"], read["empty"], read["none"], read["large"], read["flag"], read["folded"]]);
    assert_eq!(small, json!(["  two blanks before", "", [], "12345678901234567890", "tRUE", "one\ntwo"]));
    for _ in 0..2 {
        let saved = agent.answer("update_article", json!({ "slug": "hi", "properties": read })).await;
        assert_eq!(saved["changed"], false, "{saved}");
    }
    let after = articles.read("hi").await.expect("an article");
    assert_eq!(after.front_matter, before.front_matter);
    // Beside the text, as in a text: a change of one leaves the others.
    let changes = json!({ "slug": "hi", "properties": { "many": null, "summary": format!("  {long}") } });
    agent.answer("update_article", changes).await;
    let after = articles.read("hi").await.expect("an article");
    assert_eq!((&after.properties["summary"], after.tags.len()), (&json!(format!("  {long}")), 701));
    for (filter, total) in [("-empty:*", 1), ("-none:*", 1), ("padded:\"two blanks before\"", 1), ("tag:tag001", 1)] {
        let page = agent.answer("list_articles", json!({ "filter": filter })).await;
        assert_eq!(page["total"], total, "{filter}");
    }
    let numbers = json!({ "huge": 1e300, "stamp": 1_700_000_000_000_000_i64, "small": -9e20 });
    let saved = agent.answer("update_article", json!({ "slug": "hi", "properties": numbers })).await;
    assert_eq!(saved["changed"], true);
    let read = articles.read("hi").await.expect("an article").properties;
    assert_eq!(json!([read["huge"], read["stamp"], read["small"]]), json!([1e300, 1_700_000_000_000_000_i64, -9e20]));
    let saved = agent.answer("update_article", json!({ "slug": "hi", "properties": read })).await;
    assert_eq!(saved["changed"], false, "{saved}");
    for (filter, total) in
        [("huge:>5", 1), ("stamp:1700000000000000", 1), ("stamp:1700000000000001", 0), ("small:<0", 1), ("large:>5", 1)]
    {
        let page = agent.answer("list_articles", json!({ "filter": filter })).await;
        assert_eq!(page["total"], total, "{filter}");
    }
    for number in [json!(12345678901234567890_u64), json!([1, 9007199254740993_i64])] {
        let refused = agent.refusal("update_article", json!({ "slug": "hi", "properties": { "n": number } })).await;
        assert!(refused.contains("\"n\"") && refused.contains("send it as a text"), "{refused}");
    }
    agent.leave().await;
}

#[test]
fn what_was_read_and_is_sent_back_stays_on_sqlite() {
    TOKIO.block_on(sent_back::<OnSqlite>());
}

#[test]
fn what_was_read_and_is_sent_back_stays_on_postgresql() {
    TOKIO.block_on(sent_back::<OnPostgres>());
}

#[test]
fn front_matter_of_a_text_counts_and_properties_beside_it_stay_on_sqlite() {
    TOKIO.block_on(two_places::<OnSqlite>());
}

#[test]
fn front_matter_of_a_text_counts_and_properties_beside_it_stay_on_postgresql() {
    TOKIO.block_on(two_places::<OnPostgres>());
}

#[test]
fn filters_choose_by_tags_properties_and_times_on_sqlite() {
    TOKIO.block_on(filters::<OnSqlite>());
}

#[test]
fn filters_choose_by_tags_properties_and_times_on_postgresql() {
    TOKIO.block_on(filters::<OnPostgres>());
}

#[test]
fn tags_follow_the_article_on_sqlite() {
    TOKIO.block_on(life::<OnSqlite>());
}

#[test]
fn tags_follow_the_article_on_postgresql() {
    TOKIO.block_on(life::<OnPostgres>());
}

#[test]
fn what_an_earlier_version_saved_is_read_in_the_background_on_sqlite() {
    TOKIO.block_on(earlier_articles::<OnSqlite>());
}

#[test]
fn what_an_earlier_version_saved_is_read_in_the_background_on_postgresql() {
    TOKIO.block_on(earlier_articles::<OnPostgres>());
}
