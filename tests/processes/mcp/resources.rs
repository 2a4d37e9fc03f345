//! Articles as resources, and being told when they change.

use std::collections::BTreeSet;

use afterword::articles::{ArticlePatch, ChangeFeed, ChangeKind, NewArticle, slug::Slug};
use rmcp::model::{
    ErrorCode, ReadResourceRequestParams, ResourceContents, ServerNotification, SubscribeRequestParams,
    SubscriptionFilter, UnsubscribeRequestParams,
};
use serde_json::json;

use crate::{
    support::agent::{Agent, AgentNotice, ERAS, Era, host},
    support::{self, OnPostgres, OnSqlite, SqliteTestHost as TestHost, TOKIO, TestDatabase, article},
};

#[test]
fn articles_are_listed_read_and_completed_as_resources() {
    TOKIO.block_on(async {
        for era in ERAS {
            let world = TestHost::new().await;
            let service = world.articles(None);
            const MANY: usize = 120;
            for n in 0..MANY {
                service.create(article(&format!("note-{n:03}"), "# Note")).await.expect("a save");
            }
            let agent = Agent::beside(host(&world), era).await;
            let peer = agent.peer();
            let first = peer.list_resources(None).await.expect("a page");
            assert!(first.next_cursor.is_some() && first.resources.len() < MANY);
            let all = peer.list_all_resources().await.expect("resources");
            let uris: BTreeSet<_> = all.iter().map(|resource| resource.uri.clone()).collect();
            assert_eq!((all.len(), uris.len()), (MANY, MANY));
            let one = all.iter().find(|resource| resource.uri == "article://note-007").expect("a resource");
            assert_eq!((one.mime_type.as_deref(), one.size), (Some("text/markdown"), Some(6)));

            let read = peer.read_resource(ReadResourceRequestParams::new("article://note-007")).await.expect("a text");
            let [ResourceContents::TextResourceContents { uri, mime_type, text, .. }] = &read.contents[..] else {
                panic!("{read:?}")
            };
            assert_eq!(
                (uri.as_str(), mime_type.as_deref(), text.as_str()),
                ("article://note-007", Some("text/markdown"), "# Note")
            );
            for absent in ["article://absent", "file:///etc/passwd", "article://", "article://../x"] {
                let error = Agent::error(peer.read_resource(ReadResourceRequestParams::new(absent)).await);
                let expected =
                    if era == Era::Handshake { ErrorCode::RESOURCE_NOT_FOUND } else { ErrorCode::INVALID_PARAMS };
                assert_eq!(error.code, expected, "{absent}");
            }

            let templates = peer.list_all_resource_templates().await.expect("templates");
            let templates: Vec<_> = templates.iter().map(|template| template.uri_template.as_str()).collect();
            let expected = ["article://{slug}", "articles://tag/{+tag}", "articles://folder/{+folder}"];
            assert_eq!(templates, expected);
            let slugs = peer.complete_resource_simple("article://{slug}", "slug", "note-01").await.expect("slugs");
            assert_eq!(slugs, (10..20).map(|n| format!("note-0{n}")).collect::<Vec<_>>());
            assert!(peer.complete_resource_simple("article://{slug}", "slug", "x").await.expect("none").is_empty());
            agent.leave().await;
        }
    });
}

#[test]
fn lists_of_a_tag_or_a_folder_are_read_by_every_spelling_of_their_address() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Discover).await;
        let new = json!({ "title": "Maß", "body": "x", "folder": "Größe mit Blank/unten", "properties": { "tags": ["two words", "a/b"] } });
        agent.answer("create_article", new).await;
        let peer = agent.peer();
        for address in [
            "articles://folder/Größe mit Blank",
            "articles://folder/Gr%C3%B6%C3%9Fe%20mit%20Blank",
            "articles://folder/Gr%C3%B6%C3%9Fe%20mit%20Blank%2Funten",
            "articles://folder/",
            "articles://tag/two%20words",
            "articles://tag/two words",
            "articles://tag/a%2Fb",
            "articles://tag/a",
        ] {
            let read = peer.read_resource(ReadResourceRequestParams::new(address)).await.expect("a list");
            let text = serde_json::to_string(&read).expect("JSON");
            assert!(text.contains("- [Maß](article://"), "{address}: {text}");
        }
        for address in ["articles://tag/none", "articles://folder/none", "articles://tag/%FF", "articles://tag/a%22%20tag:%22x"] {
            let error = Agent::error(peer.read_resource(ReadResourceRequestParams::new(address)).await);
            assert!(error.message.contains("there is no resource"), "{address}: {error}");
        }
        for template in ["articles://tag/{+tag}", "articles://tag/{tag}"] {
            let tags = peer.complete_resource_simple(template, "tag", "two").await.expect("tags");
            assert_eq!(tags, ["two words"], "{template}");
        }
        agent.leave().await;
    });
}

#[test]
#[expect(deprecated, reason = "the way of the older era")]
fn a_client_with_a_handshake_is_told_of_changes_by_other_processes() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let elsewhere = world.beside().await.articles(None);
        elsewhere.create(article("watched", "one")).await.expect("a save");
        elsewhere.create(article("other", "one")).await.expect("a save");
        let mut agent = Agent::beside(host(&world), Era::Handshake).await;
        let subscribe = |uri: &str| agent.peer().subscribe(SubscribeRequestParams::new(uri));
        subscribe("article://watched").await.expect("a subscription");
        let error = Agent::error(subscribe("file:///etc/passwd").await);
        assert_eq!(error.code, ErrorCode::RESOURCE_NOT_FOUND);
        let changes = |body: &str| ArticlePatch { body: Some(body.to_owned()), ..Default::default() };
        elsewhere.update("other", changes("two")).await.expect("a save");
        elsewhere.update("watched", changes("two")).await.expect("a save");
        while agent.told().await != AgentNotice::Updated("article://watched".to_owned()) {}
        elsewhere.delete("other", None).await.expect("a deletion");
        while agent.told().await != AgentNotice::ListChanged {}
        agent.peer().unsubscribe(UnsubscribeRequestParams::new("article://watched")).await.expect("an end");
        elsewhere.update("watched", changes("three")).await.expect("a save");
        elsewhere.create(article("last", "one")).await.expect("a save");
        assert_eq!(agent.told().await, AgentNotice::ListChanged, "it has unsubscribed from the other change");
        agent.leave().await;
    });
}

#[test]
#[expect(deprecated, reason = "the way of the older era")]
fn who_watches_an_article_by_a_former_name_is_told_of_its_changes() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let elsewhere = world.beside().await.articles(None);
        elsewhere.create(article("watch-me", "one")).await.expect("a save");
        let mut agent = Agent::beside(host(&world), Era::Handshake).await;
        let subscribe = |uri: &str| agent.peer().subscribe(SubscribeRequestParams::new(uri));
        subscribe("article://watch%2Dme").await.expect("a subscription");
        let error = Agent::error(subscribe("articles://tag/t1").await);
        assert!(error.message.contains("cannot be subscribed to"), "{error}");
        let told = AgentNotice::Updated("article://watch%2Dme".to_owned());
        let slug = Slug::parse("watched").expect("a slug");
        elsewhere.rename("watch-me", slug, None).await.expect("a new name");
        while agent.told().await != told {}
        let changes = ArticlePatch { body: Some("two".to_owned()), ..Default::default() };
        elsewhere.update("watched", changes).await.expect("a save");
        while agent.told().await != told {}
        elsewhere.delete("watched", None).await.expect("a deletion");
        while agent.told().await != told {}
        agent.leave().await;
    });
}

#[test]
fn a_client_without_a_handshake_listens() {
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let elsewhere = world.beside().await.articles(None);
        elsewhere.create(article("watched", "one")).await.expect("a save");
        let agent = Agent::beside(host(&world), Era::Discover).await;
        let filter = SubscriptionFilter::builder()
            .resources_list_changed()
            .tools_list_changed()
            .resource_subscriptions(["article://watched", "file:///etc/passwd"])
            .build();
        let mut listening = agent.peer().listen(filter).await.expect("a subscription");
        let accepted = listening.acknowledged();
        assert_eq!(accepted.resource_subscriptions, Some(vec!["article://watched".to_owned()]));
        assert_eq!((accepted.resources_list_changed, accepted.tools_list_changed), (Some(true), None));
        let changed = ArticlePatch { body: Some("two".to_owned()), ..Default::default() };
        elsewhere.update("watched", changed).await.expect("a save");
        loop {
            match listening.next().await.expect("a change") {
                Some(ServerNotification::ResourceUpdatedNotification(told)) => {
                    assert_eq!(told.params.uri, "article://watched");
                    break;
                }
                Some(ServerNotification::ResourceListChangedNotification(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        agent.answer("create_article", json!({ "title": "Another", "body": "text" })).await;
        while !matches!(
            listening.next().await.expect("a change"),
            Some(ServerNotification::ResourceListChangedNotification(_))
        ) {}
        listening.cancel().await.expect("an end");
        agent.leave().await;
    });
}

#[test]
#[expect(deprecated, reason = "the way of the older era")]
fn a_session_follows_so_many_resources_and_no_more() {
    const SUBSCRIPTIONS: usize = 256;
    TOKIO.block_on(async {
        let world = TestHost::new().await;
        let agent = Agent::beside(host(&world), Era::Handshake).await;
        let uri = |n: usize| format!("article://note-{n}");
        let subscribe = |n: usize| agent.peer().subscribe(SubscribeRequestParams::new(uri(n)));
        for n in 0..SUBSCRIPTIONS {
            subscribe(n).await.expect("a subscription");
        }
        let refused = Agent::error(subscribe(SUBSCRIPTIONS).await);
        assert!(refused.message.contains("at most 256"), "{refused:?}");
        subscribe(0).await.expect("one that it has already");
        agent.peer().unsubscribe(UnsubscribeRequestParams::new(uri(7))).await.expect("an end");
        subscribe(SUBSCRIPTIONS).await.expect("room again");
        Agent::error(subscribe(SUBSCRIPTIONS + 1).await);
        agent.leave().await;

        let agent = Agent::beside(host(&world), Era::Discover).await;
        let filter = SubscriptionFilter::builder().resource_subscriptions((0..SUBSCRIPTIONS + 50).map(uri)).build();
        let mut listening = agent.peer().listen(filter).await.expect("a subscription");
        let accepted = listening.acknowledged().resource_subscriptions.as_ref().map(Vec::len);
        assert_eq!(accepted, Some(SUBSCRIPTIONS));
        listening.cancel().await.expect("an end");
        agent.leave().await;
    });
}

#[test]
fn an_article_that_is_too_long_for_a_resource_is_refused_with_the_way_to_read_it() {
    const MAX_BYTES: usize = 1 << 20;
    TOKIO.block_on(async {
        for era in ERAS {
            let world = TestHost::new().await;
            let service = world.articles(None);
            for (slug, size) in [("fits", MAX_BYTES), ("too-long", MAX_BYTES + 1)] {
                let body = "A line.\n".repeat(size / 8) + &"x".repeat(size % 8);
                let new = NewArticle { skip_embedding: true, ..article(slug, &body) };
                service.create(new).await.expect("a save");
            }
            let agent = Agent::beside(host(&world), era).await;
            let read = |uri: &str| agent.peer().read_resource(ReadResourceRequestParams::new(uri));
            read("article://fits").await.expect("a text");
            let refused = Agent::error(read("article://too-long").await);
            assert!(
                refused.message.contains("1048577 bytes") && refused.message.contains("read_article"),
                "{refused:?}"
            );
            agent.leave().await;
        }
    });
}

async fn every_change_is_told_once<P: TestDatabase>() {
    let world = support::TestHost::<P>::new().await;
    let elsewhere = world.beside().await.articles(None);
    let mut feed = world.articles(None).changes();
    let told = async |feed: &mut ChangeFeed| {
        let changes = feed.next().await.expect("changes");
        changes.into_iter().map(|change| (change.slug, change.kind)).collect::<Vec<_>>()
    };
    let is = |slug: &str, kind| (slug.to_owned(), kind);
    assert_eq!(told(&mut feed).await, []);
    elsewhere.create(article("one", "text")).await.expect("a save");
    elsewhere.create(article("two", "text")).await.expect("a save");
    let both = told(&mut feed).await;
    assert!(both.len() == 2 && both.contains(&is("one", ChangeKind::Appeared)), "{both:?}");
    assert_eq!(told(&mut feed).await, []);
    let edit = ArticlePatch { body: Some("other".to_owned()), ..Default::default() };
    elsewhere.update("one", edit).await.expect("a save");
    assert_eq!(told(&mut feed).await, [is("one", ChangeKind::Saved)]);
    let slug = Slug::parse("three").expect("a slug");
    elsewhere.rename("two", slug, None).await.expect("a save");
    assert_eq!(told(&mut feed).await, [is("three", ChangeKind::Appeared)]);
    elsewhere.delete("one", None).await.expect("a deletion");
    assert_eq!(told(&mut feed).await, [is("one", ChangeKind::Gone)]);
    elsewhere.restore("one", None).await.expect("a save");
    assert!(told(&mut feed).await.contains(&is("one", ChangeKind::Appeared)));
    assert_eq!(told(&mut feed).await, []);
    // One whose commit took long is told, too.
    elsewhere.create(article("late", "text")).await.expect("a save");
    world.run("UPDATE articles SET updated_at = updated_at - 20000 WHERE slug = 'late'").await;
    let late = loop {
        let late = told(&mut feed).await;
        if !late.is_empty() {
            break late;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(late, [is("late", ChangeKind::Appeared)]);
    assert_eq!(told(&mut world.articles(None).changes()).await, [], "to who came later it is old");
}

#[test]
fn every_change_on_sqlite_is_told_once() {
    TOKIO.block_on(every_change_is_told_once::<OnSqlite>());
}

#[test]
fn every_change_on_postgresql_is_told_once() {
    TOKIO.block_on(every_change_is_told_once::<OnPostgres>());
}
