//! Phrases and beginnings: where they are found, what they are worth, and demanding them.

use afterword::{
    articles::NewArticle,
    search::{Mode, Query},
};

use super::{TestHost, found, world};
use crate::support::article;

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_is_worth_more_the_more_often_it_occurs() {
    const MAX_HITS: usize = 12;
    for (question, filler, words) in [
        ("cat*", "filler", ["cat", "cats", "catalogue", "category", "cat", "cattle"]),
        ("猫", "本を", ["猫が", "猫は", "猫を", "猫が", "黒猫", "猫の"]),
    ] {
        let world = TestHost::new().await;
        let articles = world.articles(None);
        for n in 0..3 * MAX_HITS {
            let count = if n <= MAX_HITS { n } else { 0 };
            let body: Vec<_> =
                (0..MAX_HITS).map(|at| if at < count { words[at % words.len()] } else { filler }).collect();
            articles.create(article(&format!("a-{n:02}"), &body.join(" "))).await.expect("a save");
        }
        let answer = world.search.search(&Query::new(question, Mode::Keyword, 50)).await.expect("an answer");
        let found: Vec<_> = answer.hits.iter().map(|hit| hit.slug.clone()).collect();
        let most_first: Vec<_> = (1..=MAX_HITS).rev().map(|n| format!("a-{n:02}")).collect();
        assert_eq!(found, most_first, "{question}");
        let scores: Vec<_> = answer.hits.iter().map(|hit| hit.score).collect();
        assert!(scores.windows(2).all(|pair| pair[0] > pair[1] && pair[1] > 0.0), "{question}: {scores:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phrase_is_found_wherever_it_stands_and_however_frequent_its_words_are() {
    const WORDS: usize = 700;
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let last = format!("{}The zanzibar wharf.", "The cat sat on a mat. ".repeat(300));
    let all: Vec<_> = (0..WORDS).map(|n| format!("the w{n} of")).collect();
    for (slug, body) in [("last", last), ("all", all.join(" ")), ("cat", "A cat.".to_owned())] {
        articles.create(article(slug, &body)).await.expect("a save");
    }
    assert_eq!(found(&world, "\"the zanzibar wharf\"").await, ["last"]);
    assert_eq!(found(&world, "cat -\"the zanzibar\"").await, ["cat"]);
    for n in 1..WORDS {
        assert_eq!(found(&world, &format!("\"w{} of the w{n}\"", n - 1)).await, ["all"], "{n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_phrase_reaches_from_the_title_into_the_text() {
    let world = TestHost::new().await;
    let titled = NewArticle { title: "Blue harbour".to_owned(), ..article("one", "lights at night") };
    world.articles(None).create(titled).await.expect("a save");
    for (question, expected) in
        [("\"harbour lights\"", &[][..]), ("\"blue harbour\"", &["one"]), ("\"lights at night\"", &["one"])]
    {
        assert_eq!(found(&world, question).await, expected, "{question}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_is_one_however_long_it_is() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let long = format!("{} zeppelins", "zeppelin ".repeat(20_000));
    for (slug, body) in [("long", long.as_str()), ("short", "a parasol"), ("other", "nothing"), ("another", "nothing")]
    {
        articles.create(article(slug, body)).await.expect("a save");
    }
    let idf = async |question: &str| {
        let query = Query { explain: true, ..Query::new(question, Mode::Keyword, 5) };
        let answer = world.search.search(&query).await.expect("an answer");
        answer.hits[0].explanation.as_ref().expect("an explanation").terms[0].idf
    };
    for [frequent, seldom] in [["zeppelin", "parasol"], ["zepp*", "paras*"]] {
        assert!((idf(frequent).await - idf(seldom).await).abs() < 1e-9, "{frequent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_that_is_not_wanted_or_demanded_of_the_title_is_the_same_as_one_that_is_looked_for() {
    let world = TestHost::new().await;
    let words =
        ["market", "marketing", "marketplace", "running", "runner", "run", "rung", "animals", "animosity", "cat"];
    for word in words {
        let titled = NewArticle { title: format!("All of {word}"), ..article(word, &format!("ground {word}")) };
        world.articles(None).create(titled).await.expect("a save");
    }
    for start in ["runni*", "marketing*", "marketp*", "animals*", "run*", "mark*", "ca*"] {
        let with = found(&world, start).await;
        let mut without: Vec<_> =
            words.iter().map(|word| (*word).to_owned()).filter(|word| !with.contains(word)).collect();
        without.sort();
        assert_eq!(found(&world, &format!("ground -{start}")).await, without, "{start}");
        assert_eq!(found(&world, &format!("title:{start}")).await, with, "{start}");
    }
    assert!(found(&world, "ground -marketing*").await.contains(&"marketplace".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_demands_hold_together() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    let words: Vec<_> = (0..30).map(|n| format!("word{n}x")).collect();
    articles.create(article("all", &words.join(" "))).await.expect("a save");
    articles.create(article("most", &words[1..].join(" "))).await.expect("a save");
    let new = NewArticle { title: words.join(" "), ..article("named", "Nothing but its title.") };
    articles.create(new).await.expect("a save");
    let asked = |prefix: &str, words: &[String]| {
        words.iter().map(|word| format!("{prefix}\"{word}\"")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(&world, &asked("", &words[..18])).await, ["all", "named"]);
    assert_eq!(found(&world, &asked("", &words[1..18])).await, ["all", "most", "named"]);
    assert_eq!(found(&world, &asked("title:", &words[..18])).await, ["named"]);
    assert_eq!(found(&world, &format!("nothing {}", asked("-title:", &words[1..18]))).await, [""; 0]);
    assert_eq!(found(&world, &format!("word3x {}", asked("-", &words[..1]))).await, ["most"]);
    assert_eq!(found(&world, "\"word1x word2x\" \"word3x wor*\" title:word4x").await, ["named"]);
    // What is beyond some is looked for, and not demanded.
    assert_eq!(found(&world, &asked("", &words)).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demanded_beginning_is_found_by_its_words() {
    let world = world().await;
    assert_eq!(found(&world, "\"shared stat*\"").await, ["shared-state"]);
    assert_eq!(found(&world, "\"data by shar*\"").await, ["shared-state"]);
}
