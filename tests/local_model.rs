//! The real local model: it agrees with sentence-transformers, and a text's vector does not depend on the texts
//! computed beside it.

#[path = "support/lengthened.rs"]
mod lengthened;

use std::{path::PathBuf, sync::Arc};

use afterword::{
    config::Embedding,
    embedding::{
        Backends,
        local::{LocalEmbedder, Precision},
    },
    model,
};
use afterword_actors::embedder::{Chunk, EmbedError, Embedder, ModelIdentity, Purpose, Readiness, Source, Vector};
use serde::Deserialize;
use tokio::sync::OnceCell;

/// Fetched once for all tests, into the user's cache like any first run.
async fn embedder() -> Arc<dyn Embedder> {
    static EMBEDDER: OnceCell<Arc<dyn Embedder>> = OnceCell::const_new();
    let made = EMBEDDER.get_or_init(|| async {
        let backends = Backends::new(&Embedding::default()).expect("a back end");
        let preparation = backends.preparation().expect("a local model");
        preparation.run(&|_| {}).await.expect("a model that is fetched, checked and loaded");
        backends.model().embedder
    });
    Arc::clone(made.await)
}

async fn embed(texts: &[String]) -> Vec<Vector> {
    embedder().await.embed(texts, Purpose::Document).await.expect("vectors")
}

fn identity(model: &str) -> ModelIdentity {
    ModelIdentity {
        provider: "local".into(),
        model: model.into(),
        dimension: None,
        asked_dimension: None,
        document_prefix: String::new(),
        query_prefix: String::new(),
        chunker: "none".into(),
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[derive(Deserialize)]
struct Reference {
    text: String,
    vector: Vec<f32>,
}

/// The model that computes in 32 bits on every processor.
async fn full() -> Arc<dyn Embedder> {
    embedder().await;
    let mut settings = Embedding::default();
    settings.local.bf16 = false;
    let backends = Backends::new(&settings).expect("a back end");
    backends.preparation().expect("a local model").load().expect("the model");
    backends.model().embedder
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_agree_with_sentence_transformers() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/vectors.json");
    let text = std::fs::read_to_string(path).expect("reference vectors");
    let reference: Vec<Reference> = serde_json::from_str(&text).expect("reference vectors");
    assert!(reference.len() >= 20);
    let texts: Vec<_> = reference.iter().map(|row| row.text.clone()).collect();
    // What this processor is fastest at may be numbers of 16 bits.
    for (embedder, least) in [(full().await, 0.9999), (embedder().await, 0.9995)] {
        let vectors = embedder.embed(&texts, Purpose::Document).await.expect("vectors");
        for (ours, theirs) in vectors.iter().zip(&reference) {
            let agreement = cosine(ours.as_slice(), &theirs.vector);
            let start: String = theirs.text.chars().take(40).collect();
            assert!(agreement > least, "{start:?}: cosine {agreement}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_has_the_same_vector_alone_and_in_any_company() {
    let texts: Vec<String> =
        (0..40).map(|n| format!("text number {n}: {}", "some words ".repeat(n % 13 * 3))).collect();
    let together = embed(&texts).await;
    for (text, beside) in texts.iter().zip(&together) {
        let alone = embed(std::slice::from_ref(text)).await;
        assert!(cosine(alone[0].as_slice(), beside.as_slice()) > 0.999_99, "{text}");
        let norm: f32 = beside.as_slice().iter().map(|n| n * n).sum();
        assert!((norm - 1.0).abs() < 1e-5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_answered_while_documents_fill_every_core() {
    let embedder = embedder().await;
    let documents: Vec<String> = (0..64).map(|n| format!("document {n} ").repeat(80)).collect();
    let busy = tokio::spawn({
        let embedder = Arc::clone(&embedder);
        async move { embedder.embed(&documents, Purpose::Document).await }
    });
    let query = embedder.embed(&["a question".to_owned()], Purpose::Query).await.expect("a vector");
    assert_eq!(query[0].dimension(), 384);
    assert!(!busy.is_finished(), "the query did not wait for the documents");
    busy.await.expect("an end").expect("vectors");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_it_is_there_the_model_says_so_and_fails_nobody() {
    let absent = LocalEmbedder::new(identity("absent"), 1, Precision::Fast).expect("threads");
    let error = absent.embed(&["text".to_owned()], Purpose::Query).await.expect_err("no model");
    assert_eq!(error.fault, afterword_actors::embedder::Fault::Provider);
    let error = absent.load(std::path::Path::new("/nowhere")).expect_err("no directory").to_string();
    assert!(error.contains("/nowhere") && error.contains("afterword model fetch"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_model_is_never_used() {
    embedder().await;
    let known = model::known("all-MiniLM-L6-v2").expect("a model");
    let whole = model::directory(known).expect("a home folder");
    let folder = tempfile::tempdir().expect("a folder");
    let damaged = folder.path().join("damaged");
    std::fs::create_dir(&damaged).expect("a folder");
    for file in ["model.safetensors", "tokenizer.json", "config.json"] {
        std::fs::copy(whole.join(file), damaged.join(file)).expect("a copy");
    }
    assert!(model::is_genuine(known, &damaged).expect("a look"));
    for file in ["tokenizer.json", "config.json"] {
        let path = damaged.join(file);
        let text = std::fs::read(&path).expect("a file");
        std::fs::write(&path, [&text[..], b" "].concat()).expect("a file");
        assert!(!model::is_genuine(known, &damaged).expect("a look"), "{file} is pinned too");
        std::fs::write(&path, &text).expect("a file");
    }
    let weights = damaged.join("model.safetensors");
    let mut bytes = std::fs::read(&weights).expect("weights");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&weights, &bytes).expect("weights");
    assert!(!model::is_genuine(known, &damaged).expect("a look"), "one bit is enough");
    std::fs::write(&weights, &bytes[..middle]).expect("weights");
    assert!(!model::is_genuine(known, &damaged).expect("a look"), "half a file is none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_whose_files_do_not_fit_together_is_refused_when_it_is_loaded() {
    embedder().await;
    let whole = model::directory(model::known("all-MiniLM-L6-v2").expect("a model")).expect("a home folder");
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["model.safetensors", "tokenizer.json"] {
        std::fs::copy(whole.join(file), folder.path().join(file)).expect("a copy");
    }
    let config = std::fs::read_to_string(whole.join("config.json")).expect("a file");
    for (from, to) in [
        ("\"num_attention_heads\": 12", "\"num_attention_heads\": 0"),
        ("\"num_attention_heads\": 12", "\"num_attention_heads\": 7"),
        ("\"hidden_size\": 384", "\"hidden_size\": 0"),
        ("\"hidden_size\": 384", "\"hidden_size\": 768"),
        ("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 9000000000"),
    ] {
        std::fs::write(folder.path().join("config.json"), config.replace(from, to)).expect("a file");
        let odd = LocalEmbedder::new(identity("odd"), 1, Precision::Fast).expect("threads");
        let error = odd.load(folder.path()).expect_err("no model").to_string();
        assert!(error.contains(&folder.path().display().to_string()), "{to}: {error}");
    }
}

#[derive(Deserialize)]
struct TinyReference {
    text: String,
    mean: Vec<f32>,
    cls: Vec<f32>,
}

/// A copy of the tiny model, with this statement about its pooling.
fn tiny(pooling: Option<&str>) -> (tempfile::TempDir, Arc<LocalEmbedder>) {
    let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tiny");
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["model.safetensors", "tokenizer.json", "config.json"] {
        std::fs::copy(from.join(file), folder.path().join(file)).expect("a copy");
    }
    if let Some(text) = pooling {
        std::fs::create_dir(folder.path().join("1_Pooling")).expect("a folder");
        std::fs::write(folder.path().join("1_Pooling/config.json"), text).expect("a file");
    }
    (folder, LocalEmbedder::new(identity("tiny"), 1, Precision::Fast).expect("threads"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_loading_until_it_is_ready() {
    let (folder, embedder) = tiny(Some(r#"{"word_embedding_dimension": 16, "pooling_mode_mean_tokens": true}"#));
    let state = || embedder.readiness().expect("a model that is loaded").borrow().clone();
    assert!(matches!(state(), Readiness::Loading(_)), "{:?}", state());
    embedder.load(folder.path()).expect("a model");
    assert!(matches!(state(), Readiness::Ready));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_pooled_as_the_model_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tiny/vectors.json");
    let text = std::fs::read_to_string(path).expect("reference vectors");
    let reference: Vec<TinyReference> = serde_json::from_str(&text).expect("reference vectors");
    let texts: Vec<_> = reference.iter().map(|row| row.text.clone()).collect();
    for (said, wanted) in [
        (r#"{"word_embedding_dimension": 16, "pooling_mode_mean_tokens": true}"#, "mean"),
        (r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#, "cls"),
    ] {
        let (folder, embedder) = tiny(Some(said));
        embedder.load(folder.path()).expect("a model");
        let vectors = embedder.embed(&texts, Purpose::Document).await.expect("vectors");
        for (ours, theirs) in vectors.iter().zip(&reference) {
            let (same, other) =
                if wanted == "mean" { (&theirs.mean, &theirs.cls) } else { (&theirs.cls, &theirs.mean) };
            assert!(cosine(ours.as_slice(), same) > 0.999_99, "{wanted}: {}", theirs.text);
            assert!(cosine(ours.as_slice(), other) < 0.9999, "the two differ: {}", theirs.text);
        }
    }
}

#[test]
fn a_model_that_does_not_say_how_it_pools_is_refused() {
    for (said, named) in [
        (None, "pooling_mode_mean_tokens"),
        (Some("{}"), "1_Pooling/config.json"),
        (Some(r#"{"pooling_mode_max_tokens": true}"#), "1_Pooling/config.json"),
        (Some(r#"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}"#), "1_Pooling/config.json"),
    ] {
        let (folder, embedder) = tiny(said);
        let error = embedder.load(folder.path()).expect_err("no model").to_string();
        let directory = folder.path().display().to_string();
        assert!(error.contains(named) && error.contains(&directory), "{said:?}: {error}");
    }
}

#[test]
fn a_model_with_steps_that_are_not_known_is_refused() {
    let step = |class: &str| {
        format!(r#"{{"idx": 2, "name": "2", "path": "2", "type": "sentence_transformers.models.{class}"}}"#)
    };
    let modules = |last: &str| format!("[{}, {}, {}]", step("Transformer"), step("Pooling"), step(last));
    let (folder, embedder) = tiny(Some(r#"{"pooling_mode_mean_tokens": true}"#));
    std::fs::write(folder.path().join("modules.json"), modules("Dense")).expect("a file");
    let error = embedder.load(folder.path()).expect_err("no model").to_string();
    assert!(error.contains("modules.json") && error.contains("Dense"), "{error}");
    std::fs::write(folder.path().join("modules.json"), modules("Normalize")).expect("a file");
    embedder.load(folder.path()).expect("a model");
}

/// A back end of the model in `folder`, which is not loaded.
fn back_end(folder: &std::path::Path, document_prefix: &str) -> Arc<Backends> {
    let settings = Embedding {
        model: "lengthened".into(),
        model_dir: Some(folder.to_path_buf()),
        document_prefix: document_prefix.into(),
        ..Embedding::default()
    };
    Backends::new(&settings).expect("a back end")
}

/// The chunks of a long text.
fn chunks_of(backends: &Backends) -> Result<Vec<Chunk>, EmbedError> {
    let body = "some words of a text ".repeat(200);
    backends.model().chunker.chunk(Source { title: "Title", body: &body })
}

/// The chunks of a long text for the model in `folder`.
fn chunks(folder: &std::path::Path, document_prefix: &str) -> Vec<Chunk> {
    let backends = back_end(folder, document_prefix);
    backends.preparation().expect("a local model").load().expect("a model");
    chunks_of(&backends).expect("chunks")
}

/// A change says what has to be embedded, in a command that loads no model and in a server that has just begun.
#[test]
fn texts_are_cut_as_soon_as_the_files_of_the_model_are_there() {
    let (folder, _) = tiny(Some(r#"{"pooling_mode_mean_tokens": true}"#));
    lengthened::lengthen(folder.path());
    let (files, aside) = (folder.path().join("tokenizer.json"), folder.path().join("aside.json"));
    std::fs::rename(&files, &aside).expect("a file");
    let backends = back_end(folder.path(), "");
    let early = chunks_of(&backends).expect_err("no tokenizer yet");
    assert!(early.message.contains("not there yet"), "{early:?}");
    std::fs::rename(&aside, &files).expect("a file");
    let early = chunks_of(&backends).expect("chunks");
    assert_eq!(early, chunks(folder.path(), ""), "as with the loaded model");
}

#[test]
fn no_chunk_is_longer_than_the_model_takes_with_its_prefix() {
    let (folder, _) = tiny(Some(r#"{"pooling_mode_mean_tokens": true}"#));
    lengthened::lengthen(folder.path());
    let longest = |prefix: &str| {
        let chunks = chunks(folder.path(), prefix);
        let text = chunks.iter().map(|chunk| chunk.input.split_whitespace().count()).max().expect("a chunk");
        (chunks.iter().map(|chunk| chunk.tokens).max().expect("a chunk"), text)
    };
    let (tokens, words) = longest("");
    assert!((50..=64).contains(&tokens), "what the positions take, less than embedding.max_tokens: {tokens}");
    let (tokens, beside_prefix) = longest("a prefix of no less than ten words for each text: ");
    assert!(tokens <= 64 && beside_prefix + 8 <= words, "{tokens} {beside_prefix} {words}");
    std::fs::write(folder.path().join("sentence_bert_config.json"), r#"{"max_seq_length": 40}"#).expect("a file");
    let (tokens, _) = longest("");
    assert!((30..=40).contains(&tokens), "what it was trained for: {tokens}");
}
