//! Several questions that have one answer.

use afterword::search::{Mode, Query, SearchAnswer};

use super::{TestHost, world};
use crate::support::article;

#[tokio::test(flavor = "multi_thread")]
async fn several_questions_have_one_answer() {
    let world = world().await;
    let asked = async |questions: &[&str]| {
        let others: Vec<_> = questions[1..].iter().map(|question| (*question).to_owned()).collect();
        world.search.search_several(&Query::new(questions[0], Mode::Keyword, 2), &others).await
    };
    let answer = asked(&["deadlock far away", "mutex threads"]).await.expect("an answer");
    let found: Vec<_> = answer.hits.iter().map(|hit| (hit.slug.as_str(), hit.questions.as_slice())).collect();
    assert_eq!(found, [("parsing", &[1][..]), ("shared-state", &[2])]);
    let answer = asked(&["mutex threads", "state shared", "running late"]).await.expect("an answer");
    assert_eq!(answer.hits.len(), 2);
    assert!(answer.hits.iter().all(|hit| hit.questions.len() == 2), "{:?}", answer.hits);
    assert!(asked(&["a", "b", "c", "d", "e", "f"]).await.is_err(), "six are too many");
    assert!(asked(&["mutex", " "]).await.is_err(), "one of them asks nothing");
    let one = asked(&["mutex"]).await.expect("an answer");
    assert!(one.hits[0].questions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_answer_to_several_questions_begins_as_a_shorter_one() {
    let world = TestHost::new().await;
    let articles = world.articles(None);
    for n in 0..40 {
        let body = format!("{} {} filler", "kite ".repeat(1 + n % 7), "sail ".repeat(1 + (n * 3) % 11));
        articles.create(article(&format!("a-{n:02}"), &body)).await.expect("a save");
    }
    let asked = async |limit| {
        let query = Query::new("kite", Mode::Keyword, limit);
        let answer = world.search.search_several(&query, &["sail".to_owned()]).await.expect("an answer");
        answer.hits.into_iter().map(|hit| (hit.slug, hit.questions, hit.snippet)).collect::<Vec<_>>()
    };
    let all = asked(40).await;
    assert_eq!(all.len(), 40);
    for limit in [1, 2, 5, 11, 25] {
        assert_eq!(asked(limit).await, all[..limit]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_among_several_is_explained_as_it_is_alone() {
    let world = TestHost::new().await;
    for n in 0..12 {
        let body = format!("{} {} filler", "kite ".repeat(1 + n % 5), "sailing ".repeat(n * 3 % 7));
        world.articles(None).create(article(&format!("a-{n:02}"), &body)).await.expect("a save");
    }
    let query = Query { explain: true, ..Query::new("kite sail* \"kite sailing\"", Mode::Keyword, 5) };
    let alone = world.search.search(&query).await.expect("an answer");
    let several = world.search.search_several(&query, &["xylophone".to_owned()]).await.expect("an answer");
    let explained = |answer: SearchAnswer| -> Vec<_> {
        answer.hits.into_iter().map(|hit| (hit.slug, hit.explanation.expect("why"))).collect()
    };
    let alone = explained(alone);
    assert_eq!(alone.len(), 5);
    assert_eq!(explained(several), alone);
}
