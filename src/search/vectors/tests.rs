//! What a file keeps and what is read from the rows answer alike, whatever has happened to either.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex, RwLock, atomic::AtomicBool},
    time::Duration,
};

use afterword_actors::{
    embedder::Vector,
    store::{Database, OpenOptions, StoreError, sql::Sql},
};
use proptest::prelude::*;
use tracing_subscriber::layer::SubscriberExt;

use super::{Nearest, VectorIndex, VectorQuery, index::Index, vector_file::VectorFile, writing};
use crate::fulltext::SearchScope;

const DIMENSION: usize = 70;
const MODEL: i64 = 1;

/// What happens to the rows.
#[derive(Debug, Clone)]
enum Change {
    /// An article gets so many vectors, of this seed.
    Save(i64, u8, u16),
    Delete(i64),
}

/// What happens to the file while no process has it open.
#[derive(Debug, Clone)]
enum Damage {
    None,
    Flip(prop::sample::Index),
    Cut(prop::sample::Index),
    Longer,
    Gone,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (1_i64..9, 0_u8..6, any::<u16>()).prop_map(|(article, chunks, seed)| Change::Save(article, chunks, seed)),
        1 => (1_i64..9).prop_map(Change::Delete),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        3 => Just(Damage::None),
        3 => any::<prop::sample::Index>().prop_map(Damage::Flip),
        1 => any::<prop::sample::Index>().prop_map(Damage::Cut),
        1 => Just(Damage::Longer),
        1 => Just(Damage::Gone),
    ]
}

fn vector(seed: u64) -> Vector {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let number = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 2_001) as f32 - 1_000.0
    });
    Vector::normalised(number.take(DIMENSION).collect()).expect("a vector")
}

async fn open(path: &Path) -> Database {
    Database::open(&OpenOptions::new(format!("sqlite://{}", path.display()))).await.expect("a database")
}

async fn prepared(path: &Path) -> Database {
    let database = open(path).await;
    crate::database::migrate(&database).await.expect("a schema");
    let model = "INSERT INTO embedding_models (id, fingerprint, identity, state, created_at)
                 VALUES ($1, 'f', '', 'active', 0)";
    database.write_connection().run(model, [MODEL.into()]).await.expect("a model");
    database
}

async fn apply(database: &Database, change: Change) {
    let written = database.write::<_, StoreError, _>(async move |transaction| {
        match change {
            Change::Delete(article) => {
                transaction.run("DELETE FROM articles WHERE id = $1", [article.into()]).await?;
            }
            Change::Save(article, chunks, seed) => {
                let article_sql = "INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
                                       VALUES ($1, 'a-' || $1, '', '', 'h', 0, 0) ON CONFLICT DO NOTHING";
                transaction.run(article_sql, [article.into()]).await?;
                let set = "INSERT INTO article_embeddings VALUES ($1, $2, 1, 'h', $3, $4)
                               ON CONFLICT (article_id, model_id) DO UPDATE
                               SET chunk_count = excluded.chunk_count, embedded_at = excluded.embedded_at";
                let values = [article.into(), MODEL.into(), i64::from(chunks).into(), i64::from(seed).into()];
                transaction.run(set, values).await?;
                transaction.run("DELETE FROM article_chunks WHERE article_id = $1", [article.into()]).await?;
                for position in 0..chunks {
                    let bytes = vector(u64::from(seed) << 8 | u64::from(position)).to_bytes();
                    let chunk = "INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash,
                                         tokens, vector) VALUES ($1, $2, $3, '', '', '', 1, $4)";
                    let values = [article.into(), MODEL.into(), i64::from(position).into(), bytes.into()];
                    transaction.run(chunk, values).await?;
                }
            }
        }
        Ok(())
    });
    written.await.expect("a change");
}

async fn nearest(index: &VectorIndex, database: &Database, query: &Vector) -> Vec<Nearest> {
    let look = VectorQuery {
        model_id: MODEL,
        near: query,
        among: &SearchScope::default(),
        depth: 10,
        patience: Duration::from_secs(60),
    };
    index.nearest(database, look).await.expect("an answer")
}

/// What there is in the rows, by no index.
async fn plainly(database: &Database, query: &Vector) -> Vec<Nearest> {
    nearest(&VectorIndex::keeping_from(usize::MAX), database, query).await
}

fn damaged(path: &Path, damage: Damage) {
    let Ok(mut bytes) = std::fs::read(path) else { return };
    match damage {
        Damage::None => {}
        Damage::Flip(at) => {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << (at % 8);
        }
        Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Longer => bytes.push(0),
        Damage::Gone => {
            std::fs::remove_file(path).expect("a file");
            return;
        }
    }
    std::fs::write(path, bytes).expect("a file");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn a_file_and_what_came_after_it_answer_as_the_rows_do(
        lives in prop::collection::vec((prop::collection::vec(change(), 1..6), damage()), 1..6),
    ) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let outcome: Result<(), TestCaseError> = runtime.block_on(async {
            let database = prepared(&path).await;
            let file = database.beside().expect("a place").path();
            let query = vector(77);
            for (changes, damage) in lives {
                let index = VectorIndex::keeping_from(2);
                for change in changes {
                    apply(&database, change).await;
                    prop_assert_eq!(nearest(&index, &database, &query).await, plainly(&database, &query).await);
                }
                index.prepare(&database, MODEL).await.expect("an index");
                prop_assert_eq!(nearest(&index, &database, &query).await, plainly(&database, &query).await);
                drop(index);
                damaged(&file, damage);
            }
            let index = VectorIndex::keeping_from(2);
            prop_assert_eq!(nearest(&index, &database, &query).await, plainly(&database, &query).await);
            Ok(())
        });
        outcome?;
    }
}

#[tokio::test]
async fn a_file_is_used_is_its_owners_and_belongs_to_its_rows_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let database = prepared(&path).await;
    let file = database.beside().expect("a place").path();
    for article in 1..6 {
        apply(&database, Change::Save(article, 3, 5)).await;
    }
    let index = VectorIndex::keeping_from(2);
    index.prepare(&database, MODEL).await.expect("an index");
    assert!(file.exists(), "it was worth keeping");
    assert_eq!(index.read_from_rows(), 15);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    }
    let next = VectorIndex::keeping_from(2);
    apply(&database, Change::Save(2, 1, 9)).await;
    let query = vector(3);
    assert_eq!(nearest(&next, &database, &query).await, plainly(&database, &query).await);
    assert_eq!(next.read_from_rows(), 0, "the file spared it");
    // Other rows under the numbers of those that the file knows, as a copy of another day has them.
    database
        .write_connection()
        .run("UPDATE article_embeddings SET embedded_at = 6 WHERE article_id = 4", [])
        .await
        .expect("a change");
    database.write_connection().run("DELETE FROM vector_changes WHERE seq > 6", []).await.expect("a change");
    database
        .write_connection()
        .run("UPDATE sqlite_sequence SET seq = 6 WHERE name = 'vector_changes'", [])
        .await
        .expect("a change");
    let foreign = VectorIndex::keeping_from(usize::MAX);
    nearest(&foreign, &database, &query).await;
    assert!(foreign.read_from_rows() > 0 && !file.exists(), "it was not believed");
}

/// Vectors of a model whose texts all are alike: a few numbers are large in each of them, and texts of one subject
/// differ little.
fn alike(count: usize) -> Vec<Vec<f32>> {
    const LENGTH: usize = 96;
    let numbers = |seed: u64| -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let number = std::iter::repeat_with(|| {
            let mut sum = 0.0;
            for _ in 0..6 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                sum += (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5;
            }
            sum
        });
        number.take(LENGTH).collect()
    };
    let common = numbers(1);
    let of = |text: u64| {
        let (subject, own) = (numbers(1_000 + text % 997), numbers(1_000_000 + text));
        let number = |at: usize| 2.0 * common[at] + 0.6 * subject[at] + 0.7 * own[at];
        Vector::normalised((0..LENGTH).map(number).collect()).expect("a vector").as_slice().to_vec()
    };
    (0..count as u64).map(of).collect()
}

#[test]
fn the_nearest_are_chosen_among_vectors_that_all_point_the_same_way() {
    const COUNT: usize = 30_000;
    const QUERIES: usize = 20;
    let vectors = alike(COUNT + QUERIES);
    let (vectors, queries) = vectors.split_at(COUNT);
    let mut index = Index::default();
    for (id, vector) in (1_i64..).zip(vectors) {
        let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        index.insert(id, id, &bytes);
        index.mark(id, 1);
    }
    let index = RwLock::new(index);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vectors");
    let file = std::fs::File::create(&path).expect("a file");
    writing::write(&file, &index, MODEL, 1, &AtomicBool::new(false)).expect("written");
    let kept = Index::of(VectorFile::open(&path).expect("a file").expect("a whole one"));
    let exact = index.into_inner().expect("an index");
    let (mut found, mut all) = (0, 0);
    for query in queries {
        let ids = |nearest: Vec<Nearest>| nearest.into_iter().map(|nearest| nearest.chunk_id).collect::<HashSet<_>>();
        let exact = ids(exact.scan(query, None, 10).expect("an answer"));
        let kept = ids(kept.scan(query, None, 10).expect("an answer"));
        (found, all) = (found + exact.intersection(&kept).count(), all + exact.len());
    }
    assert!(found * 100 >= all * 93, "{found} of the {all} nearest");
}

#[tokio::test]
async fn what_cannot_be_written_is_no_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let database = prepared(&path).await;
    // Nothing can be renamed to the name of a folder that is not empty.
    let file = database.beside().expect("a place").path();
    std::fs::create_dir_all(file.join("in the way")).expect("a folder");
    for article in 1..6 {
        apply(&database, Change::Save(article, 3, 5)).await;
        let index = VectorIndex::keeping_from(2);
        index.prepare(&database, MODEL).await.expect("an index");
        let query = vector(3);
        assert_eq!(nearest(&index, &database, &query).await, plainly(&database, &query).await);
    }
    assert!(!path.with_file_name("a.db.vectors.part").exists());
}

/// The statements that were said, as tests of statements hear them.
#[derive(Clone, Default)]
struct StatementLog(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for StatementLog {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target() == "afterword::sql" {
            event.record(&mut self.clone());
        }
    }
}

impl tracing::field::Visit for StatementLog {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "sql" {
            self.0.lock().expect("the lock").push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
}

/// Each chunk is read once, a page at a time, by its number: the cost is that of the chunks, whosever they are.
#[tokio::test]
async fn a_reading_of_all_vectors_reads_each_chunk_once() {
    const PAGE: i64 = 2_000;
    let folder = tempfile::tempdir().expect("a folder");
    let database = prepared(&folder.path().join("a.db")).await;
    let other = "INSERT INTO embedding_models (id, fingerprint, identity, state, created_at)
                 VALUES (2, 'g', '', 'building', 0)";
    database.write_connection().run(other, []).await.expect("a model");
    let series = |to: i64| format!("WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {to})");
    for chunks in [1, 3 * PAGE + 1] {
        let run = async |sql: String| database.write_connection().run(&sql, []).await.expect("rows");
        run("DELETE FROM article_chunks".to_owned()).await;
        run(format!(
            "INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
             {} SELECT n, 'a-' || n, '', '', 'h', 0, 0 FROM s WHERE true ON CONFLICT DO NOTHING",
            series(100)
        ))
        .await;
        run(format!(
            "INSERT INTO article_embeddings {} SELECT 1 + (n - 1) / 2, 1 + n % 2, 1, 'h', 0, n FROM s WHERE true
             ON CONFLICT DO NOTHING",
            series(200)
        ))
        .await;
        let insert = format!(
            "INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector)
             {} SELECT 1 + n % 100, 1 + n % 2, n, '', '', '', 1, $1 FROM s",
            series(chunks)
        );
        let bytes = vector(5).to_bytes();
        database.write_connection().run(&insert, [bytes.into()]).await.expect("chunks");
        let said = StatementLog::default();
        let listening = tracing::subscriber::set_default(tracing_subscriber::registry().with(said.clone()));
        let index = VectorIndex::keeping_from(usize::MAX);
        nearest(&index, &database, &vector(3)).await;
        drop(listening);
        let said = std::mem::take(&mut *said.0.lock().expect("the lock"));
        let of_chunks: Vec<_> = said.into_iter().filter(|sql| sql.contains("FROM article_chunks")).collect();
        assert_eq!(of_chunks.len() as i64, 1 + (chunks + PAGE - 1) / PAGE, "pages of {chunks} chunks: {of_chunks:#?}");
        for sql in of_chunks {
            let explained = format!("EXPLAIN QUERY PLAN {sql}");
            let plan = database.reader().rows::<(i64, i64, i64, String)>(&explained, []).await.expect("a plan");
            let plan: Vec<_> = plan.into_iter().map(|(.., line)| line).collect();
            assert_eq!(plan, ["SEARCH article_chunks USING INTEGER PRIMARY KEY (rowid>?)"]);
        }
    }
}
