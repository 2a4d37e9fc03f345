//! Parts of articles are changed without sending the rest, by an agent and over HTTP alike.

use afterword::articles::NewArticle;
use serde_json::{Value, json};

use crate::{
    support::agent::{Agent, ERAS, Era, host, worker},
    support::{OnPostgres, OnSqlite, TOKIO, TestDatabase, TestHost},
};

fn long_article() -> String {
    let section = |n: usize| format!("## Part {n}\n\n{}\n\n", format!("Words of part {n}. ").repeat(60));
    format!("# Handbook\n\n{}", (1..=28).map(section).collect::<String>())
}

fn aliased_article(front_matter: &str) -> NewArticle {
    NewArticle { title: "Aliased".to_owned(), front_matter: front_matter.to_owned(), ..NewArticle::default() }
}

async fn edits_of_an_article<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let worker = worker(&world).await;
    let agent = Agent::beside(worker.host.clone(), Era::Discover).await;
    let body = long_article();
    assert!(body.len() > 30_000);
    let created = agent.answer("create_article", json!({ "title": "Handbook", "body": body })).await;
    assert_eq!(created.get("body"), None, "what was sent does not come back");
    agent.until("handbook", "completed").await;
    let parts_before = world.embedder.times_embedded("Part 16");

    let edit = json!({ "action": "replace_section", "section": "Handbook > Part 17", "text": "Rewritten." });
    let request = json!({ "slug": "handbook", "expected_revision": 1, "edits": [edit] });
    let answer = agent.answer("edit_article", request.clone()).await;
    let traffic = request.to_string().len() + 2 * answer.to_string().len();
    assert!(traffic < 4_000, "{traffic} bytes: {answer}");
    assert_eq!((&answer["revision"], &answer["changed"], &answer["merged"]), (&json!(2), &json!(true), &json!(false)));
    let changes = answer["changes"].as_str().expect("changes");
    assert!(changes.contains("+Rewritten.") && changes.contains(" ## Part 17"), "{changes}");
    let (total, to_embed) = (answer["chunks"]["total"].as_u64(), answer["chunks"]["to_embed"].as_u64());
    assert!(to_embed == Some(1) && total > Some(28), "{answer}");
    let expected = body.replace(&format!("{}\n", "Words of part 17. ".repeat(60)), "Rewritten.\n");
    assert_eq!(worker.host.articles.read("handbook").await.expect("an article").body, expected);
    agent.until("handbook", "completed").await;
    assert_eq!(world.embedder.times_embedded("Rewritten."), 1);
    assert_eq!(world.embedder.times_embedded("Part 16"), parts_before, "what did not change is not embedded again");

    // An alias may have been another article's slug: reading follows it, changing does not.
    let aliased = "---\naliases: [guide]\n---\n";
    worker.host.articles.create(aliased_article(aliased)).await.expect("a save");
    agent.text("read_article", json!({ "slug": "guide" })).await;
    let append = json!([{ "action": "append", "text": "More." }]);
    agent.refusal("edit_article", json!({ "slug": "guide", "edits": append })).await;

    // Several are one revision, or none.
    let edits =
        json!([{ "action": "append", "text": "The end." }, { "action": "delete_section", "section": "Part 99" }]);
    let refusal = agent.refusal("edit_article", json!({ "slug": "handbook", "edits": edits })).await;
    assert!(refusal.contains("edit 2 of 2") && refusal.contains("Handbook > Part 1 |"), "{refusal}");
    let edits =
        json!([{ "action": "append", "text": "The end." }, { "action": "delete_section", "section": "Part 2" }]);
    let answer = agent.answer("edit_article", json!({ "slug": "handbook", "edits": edits })).await;
    assert_eq!(answer["revision"], 3);
    let same = json!([{ "action": "replace_text", "find": "The end.", "text": "The end." }]);
    let answer = agent.answer("edit_article", json!({ "slug": "handbook", "edits": same })).await;
    assert_eq!((&answer["revision"], &answer["changed"]), (&json!(3), &json!(false)));
    agent.leave().await;
    worker.stop().await;
}

async fn changes_of_others<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let agent = Agent::beside(host(&world), Era::Handshake).await;
    let body = "# Plan\n\n## Monday\n\nrest\n\n## Tuesday\n\nwork\n";
    agent.answer("create_article", json!({ "title": "Plan", "body": body })).await;
    let on = |day: &str, text: &str, merge: bool| {
        let edit = json!({ "action": "replace_section", "section": day, "text": text });
        json!({ "slug": "plan", "expected_revision": 1, "edits": [edit], "merge": merge })
    };
    agent.answer("edit_article", on("Monday", "walk", false)).await;
    let refusal = agent.refusal("edit_article", on("Tuesday", "swim", false)).await;
    assert!(refusal.contains("revision 2, not 1") && refusal.contains("+walk"), "it shows what changed: {refusal}");
    let merged = agent.answer("edit_article", on("Tuesday", "swim", true)).await;
    assert_eq!((&merged["revision"], &merged["merged"]), (&json!(3), &json!(true)));
    let refusal = agent.refusal("edit_article", on("Monday", "read", true)).await;
    assert!(refusal.contains("revision 3, not 1") && refusal.contains("+walk"), "both changed it: {refusal}");
    let read = agent.text("read_article", json!({ "slug": "plan" })).await;
    assert!(read.ends_with("## Monday\n\nwalk\n\n## Tuesday\n\nswim\n"), "{read}");
    agent.leave().await;
}

/// Several programs write one log: each adds to the revision that it has read.
async fn one_log_of_several<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let agent = Agent::beside(host(&world), Era::Handshake).await;
    agent.answer("create_article", json!({ "title": "Log", "body": "# Log\n\n- begun\n" })).await;
    for line in ["- first", "- second", "- third"] {
        let edit = json!([{ "action": "append", "text": line }]);
        let request = json!({ "slug": "log", "expected_revision": 1, "edits": edit, "merge": true });
        let answer = agent.answer("edit_article", request).await;
        assert_eq!((&answer["changed"], &answer["merged"]), (&json!(true), &json!(line != "- first")), "{answer}");
    }
    let newer = json!([{ "action": "replace_text", "find": "# Log", "text": "# Log of today" }]);
    agent.answer("edit_article", json!({ "slug": "log", "edits": newer })).await;
    let above = json!([{ "action": "prepend", "text": "Above all." }]);
    agent.answer("edit_article", json!({ "slug": "log", "expected_revision": 1, "edits": above, "merge": true })).await;
    let read = agent.text("read_article", json!({ "slug": "log" })).await;
    let expected = "Above all.\n\n# Log of today\n\n- begun\n- first\n- second\n- third\n";
    assert!(read.ends_with(expected), "{read}");
    agent.leave().await;
}

/// Whoever is refused learns what has changed, also if that is not the text.
async fn changes_besides_the_text<P: TestDatabase>() {
    let world = TestHost::<P>::new().await;
    let agent = Agent::beside(host(&world), Era::Handshake).await;
    let created = json!({ "title": "Plan", "body": "text\n", "properties": { "status": "draft", "rank": 1 } });
    agent.answer("create_article", created).await;
    let changed = json!({ "slug": "plan", "title": "Plans", "properties": { "status": "done", "tags": ["x"] } });
    agent.answer("update_article", changed).await;
    let told = ["-title: Plan\n+title: Plans\n", "-status: draft\n", "+status: done\n", "x"];
    let edits = json!([{ "action": "append", "text": "more" }]);
    for (tool, arguments) in [
        ("edit_article", json!({ "slug": "plan", "edits": edits, "expected_revision": 1 })),
        ("update_article", json!({ "slug": "plan", "body": "other", "expected_revision": 1 })),
        ("delete_article", json!({ "slug": "plan", "expected_revision": 1 })),
    ] {
        let refusal = agent.refusal(tool, arguments).await;
        assert!(told.iter().all(|told| refusal.contains(told)), "{tool}: {refusal}");
    }
    agent.answer("edit_article", json!({ "slug": "plan", "edits": edits })).await;
    let refusal = agent.refusal("delete_article", json!({ "slug": "plan", "expected_revision": 1 })).await;
    assert!(refusal.contains("+more") && refusal.contains("+title: Plans"), "{refusal}");
    let history = agent.answer("article_history", json!({ "slug": "plan", "since_revision": 1 })).await;
    assert!(history["changes"].as_str().is_some_and(|changes| changes.contains("+title: Plans")), "{history}");
    agent.leave().await;
}

#[test]
fn a_part_is_changed_in_one_small_call_on_sqlite() {
    TOKIO.block_on(edits_of_an_article::<OnSqlite>());
}

#[test]
fn a_part_is_changed_in_one_small_call_on_postgresql() {
    TOKIO.block_on(edits_of_an_article::<OnPostgres>());
}

#[test]
fn an_edit_is_merged_with_what_others_changed_or_shows_it_on_sqlite() {
    TOKIO.block_on(changes_of_others::<OnSqlite>());
}

#[test]
fn an_edit_is_merged_with_what_others_changed_or_shows_it_on_postgresql() {
    TOKIO.block_on(changes_of_others::<OnPostgres>());
}

#[test]
fn several_add_to_one_log_on_sqlite() {
    TOKIO.block_on(one_log_of_several::<OnSqlite>());
}

#[test]
fn several_add_to_one_log_on_postgresql() {
    TOKIO.block_on(one_log_of_several::<OnPostgres>());
}

#[test]
fn a_conflict_says_what_changed_besides_the_text_on_sqlite() {
    TOKIO.block_on(changes_besides_the_text::<OnSqlite>());
}

#[test]
fn a_conflict_says_what_changed_besides_the_text_on_postgresql() {
    TOKIO.block_on(changes_besides_the_text::<OnPostgres>());
}

#[test]
fn edits_are_understood_as_clients_write_them() {
    TOKIO.block_on(async {
        for era in ERAS {
            let world = TestHost::<OnSqlite>::new().await;
            let agent = Agent::beside(host(&world), era).await;
            agent.answer("create_article", json!({ "title": "T", "body": "text" })).await;
            let one = json!({ "action": "append", "text": "more" });
            for edits in [json!([one]), one.clone(), json!(json!([one]).to_string())] {
                let answer = agent.answer("edit_article", json!({ "slug": "t", "edits": edits })).await;
                assert_eq!(answer["changed"], true);
            }
            for (edits, part) in [
                (json!([]), "there is no edit"),
                (json!("append"), "list of objects"),
                (json!([{ "action": "fold" }]), "must be one of append, prepend"),
                (json!([{ "action": "append" }]), "append needs \"text\""),
                (json!([{ "action": "replace_section", "text": "x" }]), "needs \"section\""),
                (json!([{ "action": "append", "text": "x", "section": "S" }]), "takes no \"section\""),
                (json!([{ "action": "append", "text": "x", "colour": "red" }]), "colour"),
                (json!([{ "action": "replace_text", "find": "more", "text": "x" }]), "3 times, not once"),
            ] {
                let refusal = agent.refusal("edit_article", json!({ "slug": "t", "edits": edits })).await;
                assert!(refusal.contains(part), "{edits}: {refusal}");
            }
            let read: Value = json!(agent.text("read_article", json!({ "slug": "t" })).await);
            assert!(read.as_str().is_some_and(|read| read.ends_with("text\n\nmore\n\nmore\n\nmore")), "{read}");
            agent.leave().await;
        }
    });
}
