//! On PostgreSQL the answer to a COMMIT can be lost, whether or not it was carried out.

use afterword_actors::{
    Runtime,
    store::{Database, OpenOptions},
};

use super::{Fixture, proxy::Proxy};
use crate::support::{TestModel, quick};

#[tokio::test(flavor = "multi_thread")]
async fn ends_of_transactions_without_an_answer_lose_nothing_and_repeat_nothing() {
    let (bench, model) = (Fixture::new().await, TestModel::new("one"));
    let proxy = Proxy::start(&bench.url()).await;
    let far = OpenOptions { read_connections: 2, write_connections: 4, ..OpenOptions::new(proxy.url()) };
    let far = Database::open(&far).await.expect("a database");
    let runtime = Runtime::start(far.clone(), model.model(), quick()).await.expect("a runtime");
    proxy.lose_commits(4);
    let (mut acknowledged, mut in_doubt) = (0, 0);
    for number in 0..80 {
        let slug = format!("article-{number}");
        match bench.try_save(&far, &slug, "text", 3).await {
            Ok(_) => acknowledged += 1,
            // The next save tells whether it was saved: a slug is taken once.
            Err(_) => {
                in_doubt += 1;
                let _ = bench.try_save(&bench.database, &slug, "text", 3).await;
            }
        }
    }
    runtime.wake();
    bench.settled(&runtime).await;
    proxy.lose_commits(0);
    assert!(acknowledged > 0 && in_doubt > 1 && proxy.lost_commits() > in_doubt, "{acknowledged}, {in_doubt}");
    assert_eq!(bench.number("SELECT count(*) AS n FROM articles").await, 80);
    assert_eq!(bench.number("SELECT count(*) AS n FROM embedding_tasks").await, 80, "each has one task");
    let otherwise = "SELECT count(*) AS n FROM embedding_tasks WHERE status <> 'completed' OR attempts <> 1";
    assert_eq!(bench.number(otherwise).await, 0, "an answer that is lost costs no attempt");
    let told_twice = "SELECT count(*) AS n FROM (
                          SELECT task_id FROM embedding_task_events WHERE to_status = 'completed'
                          GROUP BY task_id HAVING count(*) > 1) twice";
    assert_eq!(bench.number(told_twice).await, 0);
    assert_eq!(bench.number("SELECT count(*) AS n FROM article_embeddings").await, 80);
    runtime.stop(std::time::Duration::from_secs(10)).await;
}
