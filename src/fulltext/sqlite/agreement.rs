//! What this program reads of FTS5's index and ranks, and what FTS5 says itself.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use afterword_actors::store::{Database, OpenOptions, StoreError, sql::Sql};
use proptest::prelude::*;

use super::{
    super::{BodyTerms, Freshness, Languages, SearchScope, Stems, Term, Texts, replace_by},
    Lists, Lookups, averages, by_fts5,
    lengths::CachedIndex,
    lists::state,
    pages, phrases, ranking,
};

/// What happens to the index in one transaction.
#[derive(Debug, Clone)]
enum Step {
    /// Articles get a title of so many words, and a body of so many, of a vocabulary of which the first are frequent.
    Save(Vec<(i64, usize, usize, u64)>),
    Delete(Vec<i64>),
    /// Segments are brought together, as far as so many pages.
    Merge(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let id = prop_oneof![8 => 1_i64..40, 1 => 4_000_i64..4_200, 1 => 5_000_000_000_i64..5_000_000_010];
    let length = prop_oneof![8 => 0_usize..60, 1 => 2_000_usize..6_000];
    prop_oneof![
        6 => prop::collection::vec((id.clone(), 1_usize..4, length, any::<u64>()), 1..12).prop_map(Step::Save),
        2 => prop::collection::vec(id, 1..4).prop_map(Step::Delete),
        1 => (-40_i64..40).prop_map(Step::Merge),
    ]
}

/// The n-th word of a text, frequent ones more often.
fn words(count: usize, seed: u64) -> String {
    let mut state = seed | 1;
    let word = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let limit = [3, 3, 30, 2_000][(state >> 40) as usize % 4];
        format!("q{}x", (state >> 8) % limit)
    });
    word.take(count).collect::<Vec<_>>().join(" ")
}

async fn database_in(folder: &Path) -> Database {
    let options = OpenOptions::new(format!("sqlite://{}", folder.join("a.db").display()));
    let database = Database::open(&options).await.expect("a database");
    crate::database::migrate(&database).await.expect("a schema");
    database
}

async fn apply(database: &Database, step: Step) {
    let done = database.write::<_, StoreError, _>(async move |transaction| {
        match step {
            Step::Save(articles) => {
                // As the program does: an article once in a transaction.
                let articles: BTreeMap<_, _> =
                    articles.into_iter().map(|(id, title, body, seed)| (id, (title, body, seed))).collect();
                for (id, (title, body, seed)) in articles {
                    let (title, body) = (words(title, seed ^ 0x5555), words(body, seed));
                    let texts = Texts { title: &title, about: &[], body: &body };
                    let terms = BodyTerms::of(&body);
                    replace_by(transaction, &Stems::of("english"), id, texts, terms).await?;
                    let article = "INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
                                       VALUES ($1, 'a-' || $1, '', '', 'h', 0, 0) ON CONFLICT DO NOTHING";
                    transaction.run(article, [id.into()]).await?;
                }
            }
            Step::Delete(ids) => {
                for id in ids {
                    transaction.run("DELETE FROM articles WHERE id = $1", [id.into()]).await?;
                }
            }
            Step::Merge(pages) => {
                let merge = "INSERT INTO article_terms (article_terms, rank) VALUES ('merge', $1)";
                transaction.run(merge, [pages.into()]).await?;
            }
        }
        Ok(())
    });
    done.await.expect("a step");
}

async fn alike(database: &Database, lookups: &Lookups, question: &str) -> Result<(), TestCaseError> {
    let reader = database.reader();
    let terms = Term::all_of(question, &Languages::of("english", [].into_iter()));
    let lists = lookups
        .look_up(database, &Freshness::read(database.reader()).await.expect("a state"), &terms)
        .await
        .expect("an answer")
        .expect("lists");
    let live = reader.one::<i64>("SELECT count(*) AS n FROM article_terms_docsize", []).await.expect("a count");
    prop_assert_eq!(lists.all, live);
    let fresh = Lookups::default().look_up(database, &Freshness::read(reader).await.expect("a state"), &terms).await;
    let fresh = fresh.expect("an answer").expect("lists");
    // Of many, some that have gone do not matter.
    prop_assert!(live > 99 || lists.average == fresh.average, "{} and {}", lists.average, fresh.average);
    // FTS5 counts what was replaced or deleted, too.
    let (written, terms_written) = averages(reader).await.expect("averages");
    let mut as_fts5 = Lists::clone(&lists);
    (as_fts5.all, as_fts5.average) = (written, terms_written as f64 / written as f64);
    let as_fts5 = Arc::new(as_fts5);
    for among in [SearchScope::default(), SearchScope::default().and("a.id % 3 = $?1", [1.into()])] {
        for limit in [1, 5, 1_000] {
            let own = ranking(reader, &terms, Some(&as_fts5), &among, limit).await.expect("a ranking");
            let theirs = by_fts5(reader, &terms, &among, limit as i64).await.expect("a ranking");
            prop_assert_eq!(own, theirs, "{} within {:?}, the first {}", question, &among, limit);
        }
    }
    let (frequencies, all) = super::frequencies(reader, &terms).await.expect("frequencies");
    prop_assert_eq!(lists.all, all);
    let own: Option<Vec<_>> = terms.iter().map(|term| lists.frequency(term)).collect();
    prop_assert_eq!(own, Some(frequencies));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn ranks_as_fts5_does(steps in prop::collection::vec(step(), 1..20), small_pages in any::<bool>()) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let outcome: Result<(), TestCaseError> = runtime.block_on(async {
            let database = database_in(folder.path()).await;
            if small_pages {
                // Lists reach over many pages, and segments are brought together all the time.
                for option in ["'pgsz', 64", "'automerge', 2"] {
                    let sql = format!("INSERT INTO article_terms (article_terms, rank) VALUES ({option})");
                    database.write_connection().run(&sql, []).await.expect("an option");
                }
            }
            let lookups = Lookups::default();
            for step in steps {
                apply(&database, step).await;
                for question in ["q0x q1x q2x", "q0x q0x q17x q1500x", "q5x unknown", "q29x"] {
                    alike(&database, &lookups, question).await?;
                }
            }
            alike(&database, &Lookups::default(), "q1x q2x q28x").await
        });
        outcome?;
    }
}

#[tokio::test]
async fn a_question_takes_no_more_into_memory_than_there_is_room_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = database_in(folder.path()).await;
    apply(&database, Step::Save((1..=5_i64).map(|id| (id, 2, 40, id.unsigned_abs() * 7_919)).collect())).await;
    let reader = database.reader();
    let known = CachedIndex::of(reader, state(reader).await.expect("a state").expect("a layout"), None).await;
    let known = known.expect("lengths");
    // Every word begins so.
    let beginnings = ["\"q\" *", "\"q\"*"].map(str::to_owned);
    for (count, room, is_read) in [(1, 5, true), (1, 4, false), (2, 10, true), (2, 9, false), (0, 0, true)] {
        let read = phrases::postings(reader, &known, &beginnings[..count], room).await.expect("an answer");
        assert_eq!(read.is_some(), is_read, "{count} beginnings, {room} articles");
        assert!(read.is_none_or(|read| read.len() == count && read.values().all(|list| list.len() == 5)));
    }
    let segments = &known.state.segments;
    for (room, is_read) in [(usize::MAX, true), (0, false)] {
        let read = pages::postings(reader, segments, &["q0x", "q1x"], room).await.expect("an answer");
        assert_eq!(read.is_some(), is_read, "{room} bytes");
    }
}
