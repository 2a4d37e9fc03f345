//! 100,000 vectors of 384 numbers: recall and rate, compared with plain pgvector.

use std::time::{Duration, Instant};

use afterword::{
    embedding::scripted::{Script, ScriptedEmbedder},
    search::{Mode, Query, QueryModels, Search, SearchSettings},
};
use afterword_actors::{
    embedder::{Embedder, ModelIdentity, Purpose},
    store::{Database, models, sql::Sql, vectors},
};
use std::sync::Arc;

use crate::{
    test_database::{self, OnPostgres, TestDatabase},
    times::Times,
};

const ARTICLES: i64 = 25_000;
const CHUNKS: i64 = 4;
const DIMENSION: usize = 384;
const QUERIES: usize = 200;

struct OneModel(Arc<ScriptedEmbedder>);

impl QueryModels for OneModel {
    fn embedder_for(&self, _: &ModelIdentity, _: Option<&str>) -> Option<Arc<dyn Embedder>> {
        Some(Arc::clone(&self.0) as _)
    }
}

/// Texts about one of a thousand subjects, so that their vectors form clusters as those of real texts do.
fn text(article: i64, chunk: i64) -> String {
    let subject = (article * 7 + chunk) % 1_000;
    format!("subject{subject} field{} detail{} aspect{} note{article}x{chunk}", subject % 50, article % 331, chunk * 3)
}

pub(crate) async fn recall_and_rate() {
    let place = OnPostgres::fresh().await;
    let database = test_database::open(place.url()).await;
    let embedder = ScriptedEmbedder::new(Script { dimension: DIMENSION, ..Script::default() });
    fill(&database, &embedder).await;
    let settings = SearchSettings::default();
    let search = Search::new(database.clone(), Arc::new(OneModel(Arc::clone(&embedder))), settings);
    let questions: Vec<_> = (0..QUERIES as i64).map(|n| text(n * 117 % ARTICLES, n % CHUNKS)).collect();
    let (exact, times) = ask(&search, &questions).await;
    times.say("semantic, every vector compared");
    let begun = Instant::now();
    afterword::database::rebuild(&database, "english", &|_| {}).await.expect("an index");
    println!("words and vectors indexed in {:.1?}", begun.elapsed());
    let (found, times) = ask(&search, &questions).await;
    times.say("semantic, by the index");
    let (mut same, mut all) = (0, 0);
    for (found, exact) in found.iter().zip(&exact) {
        same += exact.iter().filter(|slug| found.contains(slug)).count();
        all += exact.len();
    }
    println!("recall@10 {:.4}, {:.0} queries/s", same as f64 / all as f64, rate(&times));
    let plain = plain(&database, &embedder, &questions).await;
    plain.say("plain pgvector, ten nearest chunks");
    println!("{:.0} queries/s", rate(&plain));
}

fn rate(times: &Times) -> f64 {
    times.0.len() as f64 / times.0.iter().sum::<Duration>().as_secs_f64()
}

async fn ask(search: &Search, questions: &[String]) -> (Vec<Vec<String>>, Times) {
    let (mut answers, mut times) = (Vec::new(), Times::default());
    for question in questions {
        let query = Query::new(question.clone(), Mode::Semantic, 10);
        let begun = Instant::now();
        let answer = search.search(&query).await.expect("an answer");
        times.0.push(begun.elapsed());
        answers.push(answer.hits.into_iter().map(|hit| hit.slug).collect());
    }
    (answers, times)
}

async fn plain(database: &Database, embedder: &ScriptedEmbedder, questions: &[String]) -> Times {
    let model = models::active(database.reader()).await.expect("a model").expect("a model").id;
    let sql = format!(
        "SELECT id AS n FROM article_chunks WHERE model_id = {model}
         ORDER BY CAST(embedding AS halfvec({DIMENSION})) <=> CAST($1 AS halfvec({DIMENSION})) LIMIT 10"
    );
    let mut times = Times::default();
    for question in questions {
        let vector = embedder.embed(std::slice::from_ref(question), Purpose::Query).await.expect("a vector").remove(0);
        let literal = vectors::literal(&vector);
        let begun = Instant::now();
        database.reader().rows::<i64>(&sql, [literal.into()]).await.expect("rows");
        times.0.push(begun.elapsed());
    }
    times
}

async fn fill(database: &Database, embedder: &Arc<ScriptedEmbedder>) {
    let identity = embedder.identity().clone();
    let model = database
        .write(async move |transaction| models::offer(transaction, &identity, None).await)
        .await
        .expect("a model");
    let write = database.write_connection();
    write
        .run(
            "INSERT INTO articles (id, slug, title, body, content_hash, created_at, updated_at)
             SELECT i, 'article-' || i, 'Title', 'Body of ' || i, 'h', {now}, {now} FROM generate_series(1, $1) i",
            [ARTICLES.into()],
        )
        .await
        .expect("articles");
    write
        .run(
            "INSERT INTO article_embeddings SELECT id, $1, 1, 'h', $2, {now} FROM articles",
            [model.id.into(), CHUNKS.into()],
        )
        .await
        .expect("embeddings");
    for page in 0..ARTICLES / 250 {
        let mut rows = Vec::new();
        for article in page * 250 + 1..=(page + 1) * 250 {
            for chunk in 0..CHUNKS {
                let text = text(article, chunk);
                let vector = embedder.embed(std::slice::from_ref(&text), Purpose::Document).await.expect("a vector");
                let bytes = hex::encode(vector[0].to_bytes());
                rows.push((article, chunk, text, bytes, vectors::literal(&vector[0])));
            }
        }
        write
            .run(
                "INSERT INTO article_chunks (article_id, model_id, position, heading_path, text, hash, tokens, vector, embedding)
                 SELECT article, $1, position, '', text, text, 10, decode(bytes, 'hex'), CAST(embedding AS halfvec)
                 FROM {rows $2: article BIGINT, position INTEGER, text TEXT, bytes TEXT, embedding TEXT} j",
                [model.id.into(), serde_json::to_string(&rows).expect("JSON").into()],
            )
            .await
            .expect("chunks");
    }
    write.run("VACUUM ANALYZE", []).await.expect("a vacuum");
}
