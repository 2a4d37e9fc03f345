//! A host of one's own that embeds the runtime: a small axum server that saves notes and finds them by meaning.
//!
//! `cargo run --example embed_in_axum`, then `curl -d 'Bees dance to tell where flowers are' localhost:3000/notes/bees`
//! and `curl 'localhost:3000/search?q=insects'`.

use std::{sync::Arc, time::Duration};

use afterword::{
    articles::{AfterSave, Articles, Limits, NewArticle, slug::Slug},
    config::Embedding,
    database::migrate,
    embedding::Backends,
    search::{Mode, Query, Search, SearchSettings},
};
use afterword_actors::{
    Runtime, RuntimeSettings,
    store::{Database, OpenOptions},
};
use axum::{
    Json, Router,
    extract::{Path, Query as Parameters, State},
    http::StatusCode,
    routing::{get, post},
};

#[derive(Clone)]
struct Notes {
    articles: Articles,
    search: Search,
}

type Failure = (StatusCode, String);

async fn save(State(notes): State<Notes>, Path(name): Path<String>, body: String) -> Result<String, Failure> {
    let slug = Slug::parse(&name).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let new = NewArticle { title: name, body, slug: Some(slug), ..NewArticle::default() };
    let saved = notes.articles.create(new).await.map_err(|error| (StatusCode::CONFLICT, error.to_string()))?;
    Ok(format!("saved; embedding {}\n", saved.article.embedding.status.as_str()))
}

#[derive(serde::Deserialize)]
struct Wanted {
    q: String,
}

async fn find(
    State(notes): State<Notes>,
    Parameters(wanted): Parameters<Wanted>,
) -> Result<Json<serde_json::Value>, Failure> {
    let query = Query::new(wanted.q, Mode::Hybrid, 5);
    let answer = notes.search.search(&query).await.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok(Json(serde_json::json!(answer)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = Database::open(&OpenOptions::new("sqlite://notes.db")).await?;
    migrate(&database).await?;
    let backends = Backends::new(&Embedding::default())?;
    if let Some(local) = backends.preparation().cloned() {
        tokio::spawn(async move { local.run_until_ready().await });
    }
    // The runtime: from here on every saved article is embedded in the background.
    let runtime = Runtime::start(database.clone(), backends.model(), RuntimeSettings::default()).await?;
    let notes = Notes {
        articles: Articles::new(database.clone(), Limits::default(), 3, AfterSave::Wake(runtime.handle())),
        search: Search::new(database, Arc::clone(&backends) as _, SearchSettings::default()),
    };
    let routes = Router::new().route("/notes/{name}", post(save)).route("/search", get(find)).with_state(notes);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, routes).with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) }).await?;
    runtime.stop(Duration::from_secs(20)).await;
    Ok(())
}
