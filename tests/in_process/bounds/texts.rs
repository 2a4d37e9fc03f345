//! Texts that are hard on databases.

use afterword::{
    articles::{ArticleError, ArticlePatch, NewArticle, front_matter::Setting, slug::Slug},
    database,
    search::Mode,
};

use super::TestHost;
use crate::support::article;

/// Letters and digits that look like a checksum, another for each number.
fn checksum(number: usize) -> String {
    (0..8_u64)
        .map(|part| format!("{:016x}", (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 + 2 * part)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_with_more_words_than_one_index_entry_holds_is_saved_and_found() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let hashes: Vec<_> = (0..8_000).map(checksum).collect();
    let long: Vec<_> = (0..1_000).map(|n| format!("{n}{}", "long".repeat(499))).collect();
    for (slug, body) in [("hashes", hashes.join("\n")), ("long-words", long.join(" "))] {
        service.create(article(slug, &format!("firstword {body} lastword"))).await.expect("a save");
        service
            .update(
                slug,
                ArticlePatch { body: Some(format!("firstword {body}\n\nlastword")), ..ArticlePatch::default() },
            )
            .await
            .expect("another save");
    }
    for look in 0..2 {
        for word in ["firstword", "lastword"] {
            assert_eq!(world.found(word, Mode::Keyword).await.len(), 2, "{word}");
        }
        for n in [0, 1_999, 2_000, 4_321, 7_999] {
            assert_eq!(world.found(&hashes[n], Mode::Keyword).await, ["hashes"], "line {n}");
        }
        if look == 0 {
            database::rebuild(&world.database, "english", &|_| {}).await.expect("an index");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_whatever_is_asked_for_is_an_answer_and_no_failure_of_the_database() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    service.create(article("bees", "They dance.")).await.expect("a save");
    let not_found =
        |what: &str, error: ArticleError| assert!(matches!(error, ArticleError::NotFound { .. }), "{what}: {error:?}");
    for slug in ["bees\0", "\0", "be\0es"] {
        assert!(Slug::parse(slug).is_err());
        not_found("read", service.read(slug).await.expect_err("nothing"));
        not_found("update", service.update(slug, ArticlePatch::default()).await.expect_err("nothing"));
        not_found("delete", service.delete(slug, None).await.expect_err("nothing"));
        not_found("rename", service.rename(slug, Slug::from_title("new"), None).await.expect_err("nothing"));
        not_found("restore", service.restore(slug, None).await.expect_err("nothing"));
        not_found("history", service.history(slug).await.expect_err("nothing"));
        not_found("revision", service.read_revision(slug, 1).await.expect_err("nothing"));
        assert!(service.slugs(slug, 5).await.expect("slugs").is_empty());
        for mode in [Mode::Keyword, Mode::Hybrid] {
            world.find(slug, mode).await;
        }
    }
    let new = || NewArticle {
        title: "W\0asps".to_owned(),
        body: "st\0ing".to_owned(),
        front_matter: "key: \"\0\"\n".to_owned(),
        idempotency_key: Some("k\0".to_owned()),
        ..NewArticle::default()
    };
    let first = service.create(new()).await.expect("a save").article;
    let again = service.create(new()).await.expect("the same").article;
    assert_eq!(first.slug, again.slug);
    let read = service.read(&first.slug).await.expect("an article");
    assert!(!format!("{}{}{}", read.title, read.body, read.front_matter).contains('\0'), "{read:?}");
    assert_eq!(world.found("sting", Mode::Keyword).await, [first.slug]);
}

#[tokio::test(flavor = "multi_thread")]
async fn front_matter_of_very_many_keys_costs_no_more_than_its_length() {
    let world = TestHost::new().await;
    let service = world.articles(None);
    let keys: String = (0..50_000).map(|number| format!("key{number}: {number}\n")).collect();
    let new = article("keys", &format!("---\n{keys}key7: last\n---\nText."));
    service.create(new).await.expect("a save");
    let properties = service.read("keys").await.expect("an article").properties;
    assert_eq!(
        properties.get("key7").map(ToString::to_string).as_deref(),
        Some("\"last\""),
        "the last of a name counts"
    );
    let many = (0..1_000).map(|number| (format!("key{number}"), Some(Setting::Switch(true)))).collect();
    let refused = service.update("keys", ArticlePatch { properties: many, ..ArticlePatch::default() }).await;
    assert!(matches!(&refused, Err(ArticleError::Invalid { field, .. }) if *field == "properties"), "{refused:?}");
}
