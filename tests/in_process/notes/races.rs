//! Simultaneous changes: one of them is first, the others are told so, and nothing is lost.

use std::{future::Future, sync::Arc, time::Duration};

use afterword::articles::{
    ArticleError, ArticlePatch, Articles, NewArticle, PartEdits, SaveResult, editing::Edit, slug::Slug,
};
use afterword_actors::{
    Retention, RuntimeSettings,
    store::{Engine, StoreError, advisory_locks, retention, sql::Sql},
};
use tokio::{sync::Barrier, task::JoinSet};

use super::TestHost;
use crate::{
    notes::vault::{Vault, import},
    support::{DRAIN, article},
};

/// Rounds of each race.
const ROUNDS: usize = 12;
/// Runners in each.
const RUNNERS: usize = 6;

/// Starts `RUNNERS` at the same moment, half of them on connections of their own, like another process.
async fn race<F, T>(world: &TestHost, run: impl Fn(Articles, usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let beside = world.beside().await;
    let start = Arc::new(Barrier::new(RUNNERS));
    let mut runners = JoinSet::new();
    for runner in 0..RUNNERS {
        let service = if runner % 2 == 0 { world.articles(None) } else { beside.articles(None) };
        let (start, running) = (Arc::clone(&start), run(service, runner));
        runners.spawn(async move {
            start.wait().await;
            running.await
        });
    }
    runners.join_all().await
}

fn body(text: &str) -> ArticlePatch {
    ArticlePatch { body: Some(text.to_owned()), ..ArticlePatch::default() }
}

/// An error that a door would answer with 500.
fn is_fault(error: &ArticleError) -> bool {
    matches!(error, ArticleError::Store(StoreError::Constraint(_) | StoreError::Unexpected(_) | StoreError::Failed(_)))
}

fn one_wins(results: &[Result<SaveResult, ArticleError>]) {
    let won = results.iter().flatten().filter(|saved| saved.changed).count();
    assert_eq!(won, 1, "{results:?}");
    assert!(!results.iter().filter_map(|result| result.as_ref().err()).any(is_fault), "{results:?}");
}

fn slug(text: &str) -> Slug {
    Slug::parse(text).expect("a slug")
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_of_one_idempotency_key_all_get_the_first_article() {
    let world = TestHost::new().await;
    for round in 0..ROUNDS {
        let results = race(&world, |service, _| async move {
            let key = Some(format!("key {round}"));
            service.create(NewArticle { idempotency_key: key, ..article(&format!("a-{round}"), "text") }).await
        })
        .await;
        one_wins(&results);
        let ids: Vec<_> = results.iter().map(|result| result.as_ref().map(|saved| saved.article.id)).collect();
        assert!(ids.iter().all(|id| id.is_ok() && *id == ids[0]), "{ids:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn creates_of_one_title_make_one_article_and_of_different_titles_each_its_own() {
    let world = TestHost::new().await;
    for round in 0..ROUNDS {
        let titled = |title: String| NewArticle { title, ..NewArticle::default() };
        let results =
            race(&world, move |service, _| async move { service.create(titled(format!("Same {round}"))).await }).await;
        one_wins(&results);
        let refused = results.into_iter().filter_map(Result::err);
        assert!(refused.into_iter().all(|error| matches!(error, ArticleError::Exists { same_title: true, .. })));
        // C, C+, C++ …: one slug, different articles.
        let results = race(&world, move |service, runner| async move {
            service.create(titled(format!("C {round} {}", "+".repeat(runner)))).await
        })
        .await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }
    let distinct = world.number("SELECT count(DISTINCT title) AS n FROM articles").await;
    assert_eq!(distinct, (ROUNDS * (1 + RUNNERS)) as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_renames_to_one_slug_one_wins() {
    let world = TestHost::new().await;
    for round in 0..ROUNDS {
        for runner in 0..RUNNERS {
            world.articles(None).create(article(&format!("from-{round}-{runner}"), "text")).await.expect("a save");
        }
        let results = race(&world, |service, runner| async move {
            service.rename(&format!("from-{round}-{runner}"), slug(&format!("to-{round}")), None).await
        })
        .await;
        one_wins(&results);
        let refused = results.into_iter().filter_map(Result::err);
        assert!(refused.into_iter().all(|error| matches!(error, ArticleError::Exists { .. })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_name_is_never_taken_by_a_create_that_comes_with_the_rename() {
    let world = TestHost::new().await;
    for round in 0..ROUNDS {
        world.articles(None).create(article(&format!("old-{round}"), "renamed")).await.expect("a save");
        let results = race(&world, |service, runner| async move {
            match runner {
                0 => service.rename(&format!("old-{round}"), slug(&format!("new-{round}")), None).await,
                _ => service.create(article(&format!("old-{round}"), "created")).await,
            }
        })
        .await;
        assert!(!results.iter().filter_map(|result| result.as_ref().err()).any(is_fault), "{results:?}");
        let read = world.articles(None).read(&format!("old-{round}")).await.expect("the renamed article");
        assert_eq!((read.slug, read.body.as_str()), (format!("new-{round}"), "renamed"));
    }
    let shadowed = "SELECT count(*) AS n FROM slug_aliases s JOIN articles a ON a.slug = s.slug";
    assert_eq!(world.number(shadowed).await, 0);
}

/// What waits for an article by its name holds no other one meanwhile. On SQLite nothing waits so.
#[tokio::test(flavor = "multi_thread")]
async fn saves_that_wait_for_names_that_are_swapped_end_well() {
    let world = TestHost::new().await;
    if world.database.reader().engine() == Engine::Sqlite {
        return;
    }
    let service = world.articles(None);
    for name in ["one", "two"] {
        service.create(article(name, &format!("text of {name}"))).await.expect("a save");
    }
    let (held, holding) = tokio::sync::oneshot::channel();
    let (go_on, going_on) = tokio::sync::oneshot::channel::<()>();
    let database = world.database.clone();
    // As renames do it: alone with all names.
    let swap = tokio::spawn(async move {
        let swapped = database.write(async move |transaction| {
            transaction.run(advisory_locks::EXCLUDE_FROM_NAMES, []).await?;
            for (from, to) in [("one", "aside"), ("two", "one"), ("aside", "two")] {
                let sql = "UPDATE articles SET slug = $2 WHERE slug = $1";
                transaction.run(sql, [from.into(), to.into()]).await?;
            }
            let _ = held.send(());
            let _ = going_on.await;
            Ok::<_, StoreError>(())
        });
        swapped.await
    });
    holding.await.expect("it holds both");
    let saves = ["one", "two"].map(|name| {
        let service = service.clone();
        tokio::spawn(async move {
            let body = Some(format!("saved as {name}"));
            service.update(name, ArticlePatch { body, ..ArticlePatch::default() }).await
        })
    });
    let waiting = "SELECT count(*) AS n FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while world.database.reader().row::<i64>(waiting, []).await.expect("a row").expect("a row") < 2 {
        tokio::task::yield_now().await;
    }
    go_on.send(()).expect("it waits");
    swap.await.expect("an end").expect("a commit");
    for save in saves {
        save.await.expect("an end").expect("a save");
    }
    for name in ["one", "two"] {
        assert_eq!(service.read(name).await.expect("an article").body, format!("saved as {name}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_restores_one_brings_it_back_and_none_fails() {
    let world = TestHost::new().await;
    for round in 0..ROUNDS {
        let name = format!("gone-{round}");
        world.articles(None).create(article(&name, "text")).await.expect("a save");
        world.articles(None).delete(&name, None).await.expect("a deletion");
        let results = race(&world, |service, _| {
            let name = name.clone();
            async move { service.restore(&name, None).await }
        })
        .await;
        one_wins(&results);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(world.articles(None).read(&name).await.expect("an article").revision, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_undoes_the_last_change_and_no_earlier_one() {
    let world = TestHost::new().await;
    for round in 0..ROUNDS {
        let name = format!("changed-{round}");
        world.articles(None).create(article(&name, "first")).await.expect("a save");
        for text in ["second", "third"] {
            world.articles(None).update(&name, body(text)).await.expect("a save");
        }
        race(&world, |service, runner| {
            let name = name.clone();
            async move {
                match runner {
                    0 => service.restore(&name, None).await.map(drop),
                    1 => service.update(&name, body("fourth")).await.map(drop),
                    _ => Ok(()),
                }
            }
        })
        .await;
        // The save first: its change is undone. The restore first: "second", and then the save.
        let last = world.articles(None).read(&name).await.expect("an article").body;
        assert!(["third", "fourth"].contains(&last.as_str()), "round {round}: {last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_up_takes_no_past_of_an_article_that_comes_back() {
    let world = TestHost::new().await;
    for round in 0..ROUNDS {
        let name = format!("expired-{round}");
        world.articles(None).create(article(&name, "first")).await.expect("a save");
        world.articles(None).update(&name, body("second")).await.expect("a save");
        world.articles(None).delete(&name, None).await.expect("a deletion");
        world.run("UPDATE article_versions SET superseded_at = superseded_at - 1000000 WHERE deleted").await;
        let expires = Retention { deleted_articles: Duration::from_secs(500), ..RuntimeSettings::default().retention };
        let cleaned = retention::clean(&world.database, &expires);
        let service = world.articles(None);
        let (restored, cleaned) = tokio::join!(service.restore(&name, None), cleaned);
        cleaned.expect("a clean-up");
        match restored {
            Ok(_) => {
                assert_eq!(world.articles(None).history(&name).await.expect("a history").len(), 3, "round {round}")
            }
            Err(error) => assert!(!is_fault(&error), "round {round}: {error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_restores_creates_and_renames_of_one_name_end_well() {
    let world = TestHost::new().await;
    let _ = world.articles(None).create(article("busy", "text")).await;
    for round in 0..ROUNDS * 2 {
        let results = race(&world, |service, runner| async move {
            match (runner + round) % 5 {
                0 => service.delete("busy", None).await.map(drop),
                1 => service.create(article("busy", &format!("{round} {runner}"))).await.map(drop),
                2 => service.rename("busy", slug("busier"), None).await.map(drop),
                3 => service.rename("busier", slug("busy"), None).await.map(drop),
                _ => service.restore("busy", None).await.map(drop),
            }
        })
        .await;
        let faults: Vec<_> = results.into_iter().filter_map(Result::err).filter(is_fault).collect();
        assert!(faults.is_empty(), "round {round}: {faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_restored_while_its_last_attempt_ends_has_one_waiting_task() {
    let world = TestHost::new().await;
    let runtime = world.start().await;
    let service = world.articles(Some(&runtime));
    for round in 0..ROUNDS {
        let name = format!("settling-{round}");
        world.embedder.hold();
        service.create(article(&name, "text")).await.expect("a save");
        while world.number("SELECT count(*) AS n FROM embedding_tasks WHERE status = 'processing'").await == 0 {
            tokio::task::yield_now().await;
        }
        service.delete(&name, None).await.expect("a deletion");
        let fails = afterword_actors::embedder::EmbedError::transient("503");
        world.embedder.fail(afterword::embedding::scripted::Rule::containing("text", fails).times(1));
        let restored = {
            let (service, name) = (service.clone(), name.clone());
            tokio::spawn(async move { service.restore(&name, None).await })
        };
        world.embedder.release();
        restored.await.expect("an end").expect("a restore");
        let stats = world.settled(&runtime).await;
        assert_eq!(stats.failed, 0, "round {round}");
        let missing = "SELECT count(*) AS n FROM articles a WHERE NOT EXISTS (
            SELECT 1 FROM article_embeddings e WHERE e.article_id = a.id)";
        assert_eq!(world.number(missing).await, 0, "round {round}");
    }
    runtime.stop(DRAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_past_under_a_name_that_is_taken_again_can_be_reached() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    service.create(article("tides", "first")).await.expect("a save");
    service.delete("tides", None).await.expect("a deletion");
    service.create(article("tides", "second")).await.expect("a save");
    let deleted = service.deleted(&Default::default(), None, 10).await.expect("a list").articles;
    let [gone] = deleted.as_slice() else { panic!("one article is deleted: {deleted:?}") };
    assert_eq!(gone.slug, "tides");
    let refused = service.restore("tides", None).await.expect_err("nothing to undo").to_string();
    assert!(refused.contains(&gone.name), "{refused}");
    assert_eq!(service.read_revision(&gone.name, 1).await.expect("a revision").body, "first");
    assert_eq!(service.history(&gone.name).await.expect("a history").len(), 1);
    let back = service.restore(&gone.name, None).await.expect("a restore").article;
    assert_eq!(back.body, "first");
    assert!(back.slug.starts_with("tides-"), "{}", back.slug);
    assert_eq!(service.read("tides").await.expect("an article").body, "second");
    assert!(service.deleted(&Default::default(), None, 10).await.expect("a list").articles.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_calls_its_article_leads_to_it_again_after_a_deletion() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let vault = Vault::of(&[("note.md", "---\nformer_slugs: [before, elsewhere]\n---\ntext")]);
    import(&articles, &vault.root()).await;
    assert_eq!(articles.read("before").await.expect("a former slug").slug, "note");
    articles.delete("note", None).await.expect("a deletion");
    articles.create(article("elsewhere", "another")).await.expect("an article");
    articles.restore("note", None).await.expect("it comes back");
    assert_eq!(articles.read("before").await.expect("a former slug").slug, "note");
    assert_eq!(articles.read("elsewhere").await.expect("the other").body, "another");
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_edit_one_article_at_once_all_succeed() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    articles.create(article("list", "begin\n")).await.expect("an article");
    let mut editors = JoinSet::new();
    for editor in 0..150 {
        let articles = articles.clone();
        let line = Edit::Append(format!("line {editor}"));
        editors.spawn(async move {
            articles.edit("list", PartEdits { edits: vec![line], ..PartEdits::default() }).await.expect("an edit");
        });
    }
    editors.join_all().await;
    let body = articles.read("list").await.expect("the article").body;
    assert_eq!(
        (0..150).filter(|editor| body.lines().any(|line| line == format!("line {editor}"))).count(),
        150,
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_comes_back_is_found_by_its_former_slugs_unless_they_lead_elsewhere() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let slug = |text: &str| Slug::parse(text).expect("a slug");
    articles.create(article("one", "text")).await.expect("an article");
    articles.rename("one", slug("two"), None).await.expect("a rename");
    articles.rename("two", slug("three"), None).await.expect("a rename");
    articles.delete("three", None).await.expect("a deletion");
    articles.create(article("two", "another")).await.expect("an article");
    articles.restore("three", None).await.expect("it comes back");
    assert_eq!(articles.read("one").await.expect("a former slug").slug, "three");
    assert_eq!(articles.read("two").await.expect("the other").body, "another");
}
