//! Names, addresses, parts of words and signs: what people paste, and what they remember of it.

use afterword::{
    articles::properties::Filter,
    database,
    search::{Mode, Query, SearchAnswer, SearchError},
};

use super::TestHost;
use crate::support::article;

async fn with(texts: &[(&str, &str)]) -> TestHost {
    let world = TestHost::new().await;
    for (slug, body) in texts {
        world.articles(None).create(article(slug, body)).await.expect("a save");
    }
    database::renew_words(&world.database, "english").await.expect("new words");
    world
}

fn corrected(answer: &SearchAnswer) -> Vec<(&str, &str)> {
    answer.corrections.iter().map(|correction| (correction.from.as_str(), correction.to.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_is_told_and_numbers_and_quoted_flags_are_looked_for() {
    let world = with(&[
        ("freezer", "The freezer is kept at -18 °C."),
        ("scales", "The scales show -5kg when they are empty."),
        ("archive", "Unpack with tar -xzf archive.tar.gz."),
        ("tomato", "A tomato soup without a freezer."),
    ])
    .await;
    for question in ["tomato soup freezer -18", "freezer at -18 °C"] {
        let answer = world.find(question, Mode::Keyword).await;
        assert!(answer.hits.iter().any(|hit| hit.slug == "freezer"), "{question}");
        assert!(answer.without.is_empty(), "{question}: {:?}", answer.without);
    }
    let answer = world.find("scales show -5kg", Mode::Keyword).await;
    assert_eq!((answer.hits[0].slug.as_str(), answer.without.len()), ("scales", 0));
    assert_eq!(world.find("show freezer -\"5kg\"", Mode::Keyword).await.without, ["5kg"]);
    assert!(!world.found("show freezer -\"5kg\"", Mode::Keyword).await.contains(&"scales".to_owned()));
    let answer = world.find("tomato -soup archive -\"two words\"", Mode::Keyword).await;
    assert_eq!(answer.without, ["soup", "two words"]);
    assert_eq!(world.found("tar \"-xzf\" archive", Mode::Keyword).await, ["archive"]);
    let query = Query::new("soup", Mode::Keyword, 5);
    let several = world.search.search_several(&query, &["tomato -soup".to_owned()]).await.expect("an answer");
    assert_eq!(several.without, ["soup"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_option_that_an_article_has_in_the_same_command_excludes_nothing() {
    let world = with(&[
        ("tar", "# Cheat sheet\n\n    tar -xzf archive.tar.gz\n"),
        ("rust", "Clean with `rm -rf target`, find with `grep -rn foo .`, which is recursive."),
        ("git", "Then `git commit -am \"fix\"` and be done."),
        ("cat", "The jaguar is a cat, and no car."),
        ("wild", "A jaguar lives in the wild."),
    ])
    .await;
    for (pasted, slug) in [
        ("tar -xzf", "tar"),
        ("how to use Tar -xzf?", "tar"),
        ("`tar -xzf`", "tar"),
        ("rm -rf target", "rust"),
        ("grep -rn bar", "rust"),
        ("git commit -am \"fix\"", "git"),
    ] {
        for question in [pasted.to_owned(), format!("what does {pasted} do")] {
            let answer = world.find(&question, Mode::Keyword).await;
            assert_eq!(answer.hits.first().map(|hit| hit.slug.as_str()), Some(slug), "{question}");
            assert!(answer.without.is_empty(), "{question}: {:?}", answer.without);
        }
    }
    let answer = world.find("jaguar -car", Mode::Keyword).await;
    assert_eq!((answer.hits.len(), answer.hits[0].slug.as_str(), answer.without.len()), (1, "wild", 1));
    assert_eq!(world.find("archive -\"xzf\"", Mode::Keyword).await.hits.len(), 0, "in quotation marks it is meant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_no_article_has_is_the_beginning_of_one_before_it_is_a_slip() {
    let world = with(&[
        ("bread", "Sourdough bread rises slowly, from nothing but flour."),
        ("taxes", "Impôts sur le revenu: il est plus simple de les payer avec le formulaire que sur papier."),
        ("tls", "Renew every certificate before it expires at 9 CET."),
        ("commit", "The release is 9fceb02d0ae598e95dc970b74767f19372d61af8."),
        ("notice", "Die Kündigung muss schriftlich sein und nicht per Telefon."),
        ("bike", "Eine Anleitung für die Fahrradreparatur, die nicht schwer ist."),
    ])
    .await;
    for (question, slug, correction) in [
        ("sour", "bread", ("sour", "sour*")),
        ("cert", "tls", ("cert", "cert*")),
        ("9fceb02", "commit", ("9fceb02", "9fceb02*")),
        ("Fahrrad reparieren", "bike", ("fahrrad", "fahrrad*")),
        ("kuendigung", "notice", ("kuendigung", "Kündigung")),
        ("folur", "bread", ("folur", "flour")),
    ] {
        let answer = world.find(question, Mode::Keyword).await;
        assert_eq!(
            answer.hits.first().map(|hit| hit.slug.as_str()),
            Some(slug),
            "{question}: {:?}",
            corrected(&answer)
        );
        assert!(corrected(&answer).contains(&correction), "{question}: {:?}", corrected(&answer));
    }
    for stranger in ["form", "cett", "surr"] {
        let answer = world.find(stranger, Mode::Keyword).await;
        assert!(corrected(&answer).iter().all(|(_, to)| to.ends_with('*')), "{stranger}: {:?}", corrected(&answer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_a_mark_joins_count_where_they_stand_together() {
    let world = with(&[
        ("office", "Hosts 10.0.1.1, 10.1.0.10, 10.10.0.1, 10.0.1.1 and 10.1.0.0 are in the office."),
        ("router", "The router at home is 10.0.0.1, and nothing else is of any interest in this longer note about it."),
        ("release", "Release v2.13.4, after 4.2.13 and 13.4.2."),
        ("shell", "Send errors away by 2>&1 in a longer sentence about the shell and its many habits."),
        ("docker", "Stage 1 of 2, stage 2 of 2, and stage 1 again."),
    ])
    .await;
    for (question, slug) in [("10.0.0.1", "router"), ("2.13.4", "release"), ("2>&1", "shell")] {
        assert_eq!(world.found(question, Mode::Keyword).await[0], slug, "{question}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_found_by_its_words_and_words_by_the_name_that_they_make() {
    let world = with(&[
        ("hooks", "Call useEffect and useState."),
        ("effects", "The use of an effect; use effect chains."),
        ("retry", "Set MAX_RETRY_COUNT."),
        ("standard", "As RFC-9110 says."),
        ("power", "It needs 20W."),
        ("users", "Call getUserById."),
        ("fuse", "The fuse takes 16A at 230V."),
        ("rust", "Rust 1.94.0 was released."),
    ])
    .await;
    for (question, slug) in [
        ("use effect", "hooks"),
        ("useEffect", "hooks"),
        ("useEffect", "effects"),
        ("maxRetryCount", "retry"),
        ("rfc9110", "standard"),
        ("20 W", "power"),
        ("get user by id", "users"),
        ("16 A", "fuse"),
        ("230 V", "fuse"),
        ("v1.94.0", "rust"),
    ] {
        let found = world.found(question, Mode::Keyword).await;
        assert!(found.contains(&slug.to_owned()), "{question}: {found:?}");
    }
    assert!(!world.find("v1.94.0", Mode::Keyword).await.low_confidence, "the letter is left out by many");
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_are_words_and_minus_is_none() {
    let world = with(&[
        ("sum", "∑ over all i"),
        ("arrow", "File → Settings"),
        ("price", "It costs 5 €."),
        ("cold", "At −18 it freezes."),
    ])
    .await;
    for (question, slug) in [("∑", "sum"), ("→", "arrow"), ("€", "price"), ("−18", "cold"), ("18", "cold")] {
        assert_eq!(world.found(question, Mode::Keyword).await, [slug], "{question}");
    }
}

/// Words of several languages, with some that many articles have.
fn texts() -> Vec<(String, String)> {
    let sentences = [
        "The cache of the build is in a layer of the image and is compiled again.",
        "Die Häuser stehen nicht an der Straße, und der Bau ist in dem Haus.",
        "La recette est dans le livre que nous avons compilé avec elle.",
        "Notes of a meeting about the build and the notes of another.",
        "A server compiles notes, notes and more notes for the houses.",
    ];
    let text = |n: usize| {
        let parts: Vec<_> = (0..3).map(|part| sentences[(n * 7 + part * (n + 3)) % sentences.len()]).collect();
        (format!("a-{n}"), format!("{} number{n}", parts[..1 + n % 3].join(" ")))
    };
    (0..40).map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_or_a_phrase_that_no_article_has_changes_no_order() {
    let texts = texts();
    let texts: Vec<_> = texts.iter().map(|(slug, body)| (slug.as_str(), body.as_str())).collect();
    let world = with(&texts).await;
    let scores = async |question: &str| -> Vec<(String, i64)> {
        let answer = world.search.search(&Query::new(question, Mode::Keyword, 50)).await.expect("an answer");
        answer.hits.into_iter().map(|hit| (hit.slug, (hit.score * 1e6).round() as i64)).collect()
    };
    for question in ["notes", "build recette compile", "Haus notes", "number7 houses", "server Straße livre"] {
        let plain = scores(question).await;
        assert!(!plain.is_empty(), "{question}");
        for more in ["zzzz*", "zzzz.yyyy", "zzzz* yyyy*"] {
            assert_eq!(scores(&format!("{question} {more}")).await, plain, "{question} and {more}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_a_mark_joins_are_found_apart_and_nothing_is_missing() {
    let world =
        with(&[("one", "To read and to write is slow."), ("two", "15 GB of libraries"), ("three", "nothing")]).await;
    let answer = world.find("read/write", Mode::Keyword).await;
    assert!(answer.hits[0].slug == "one" && !answer.low_confidence, "{answer:?}");
    assert!(world.find("1.5 meters", Mode::Keyword).await.hits.is_empty(), "15 is another number");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phrase_counts_as_often_as_it_occurs_and_more_in_a_title() {
    let filler = "and other words that are of no account here";
    let world = with(&[
        ("once", &format!("A shared state {filler} {filler} {filler}.")),
        ("often", &format!("A shared state, the shared state, shared state and no more {filler} {filler}.")),
    ])
    .await;
    for question in ["\"shared state\"", "\"shared stat*\"", "shar*"] {
        assert_eq!(world.found(question, Mode::Keyword).await, ["often", "once"], "{question}");
    }
    for (slug, title, body) in [
        ("titled", "The shared state", "Words and no more."),
        ("apart", "State of what is shared", "A shared state, and words, and no more."),
    ] {
        let new = afterword::articles::NewArticle { title: title.to_owned(), ..article(slug, body) };
        world.articles(None).create(new).await.expect("a save");
    }
    let found = world.found("\"shared state\" -filler", Mode::Keyword).await;
    let place = |slug: &str| found.iter().position(|found| found == slug).expect("a hit");
    assert!(place("titled") < place("apart"), "a title that has its words apart has no phrase: {found:?}");
    let query = Query { explain: true, ..Query::new("\"shared state\" wor*", Mode::Keyword, 5) };
    for hit in world.search.search(&query).await.expect("an answer").hits {
        let terms: Vec<_> = hit.explanation.expect("an explanation").terms.into_iter().map(|term| term.term).collect();
        assert!(terms.iter().all(|term| !term.contains('°')), "{terms:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_by_a_property_that_no_article_has_is_refused_with_those_there_are() {
    let world = TestHost::new().await;
    let new = afterword::articles::NewArticle {
        front_matter: "---\nstatus: draft\nrating: 4\n---\n".to_owned(),
        ..article("a", "some words")
    };
    world.articles(None).create(new).await.expect("a save");
    for filter in ["title:words", "slug:a", "nonsense:1", "status:draft due:2026-13"] {
        let filter = Filter::parse(filter).expect("a filter");
        let refused = world.search.search(&Query { filter, ..Query::new("words", Mode::Keyword, 5) }).await;
        let refused = refused.expect_err("no such property");
        assert!(matches!(refused, SearchError::NoProperty { .. }), "{refused}");
        assert!(refused.to_string().contains("rating:, status:"), "{refused}");
    }
    for filter in ["status:done", "-nonsense:1", "tag:none", "alias:none", "folder:none"] {
        let filter = Filter::parse(filter).expect("a filter");
        world.search.search(&Query { filter, ..Query::new("words", Mode::Keyword, 5) }).await.expect("an answer");
    }
}
