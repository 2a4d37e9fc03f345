//! Reading a collection in the layout of BEIR.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// Documents, queries, and which documents answer which query.
#[derive(Debug)]
pub struct Collection {
    /// In the order of the file.
    pub documents: Vec<Document>,
    queries: Vec<QueryLine>,
    /// Slugs of the relevant documents, by query.
    relevant: BTreeMap<String, HashSet<String>>,
}

/// A document.
#[derive(Debug, Deserialize)]
pub struct Document {
    #[serde(rename = "_id")]
    id: String,
    /// The title; may be empty.
    #[serde(default)]
    pub title: String,
    /// The text, plain.
    pub text: String,
}

#[derive(Debug, Deserialize)]
struct QueryLine {
    #[serde(rename = "_id")]
    id: String,
    text: String,
}

/// Why a collection cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// A file is missing or unreadable.
    #[error("cannot read {}: {source}; the folder must have corpus.jsonl, queries.jsonl and qrels.tsv, or \
             markdown files and questions.json", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A line has a wrong form.
    #[error("{}, line {line}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

impl Document {
    /// Returns the slug of the document's article.
    pub fn slug(&self) -> String {
        slug(&self.id)
    }
}

fn slug(id: &str) -> String {
    let safe: String = id.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("doc-{}", safe.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-"))
}

/// A line of `questions.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    question: String,
    /// The articles that answer it.
    slugs: HashSet<String>,
}

impl Collection {
    /// Reads a file of questions about existing articles: a list of `{"question": …, "slugs": […]}`.
    ///
    /// # Errors
    /// [`CollectionError`]
    pub fn of_questions(path: &Path) -> Result<Self, CollectionError> {
        let questions: Vec<Question> = serde_json::from_str(&read(path)?).map_err(|error| {
            let message = format!("{error}; a list of {{\"question\": \"…\", \"slugs\": [\"…\"]}} is expected");
            CollectionError::Malformed { path: path.to_path_buf(), line: error.line(), message }
        })?;
        let numbered = || questions.iter().enumerate().map(|(number, question)| (number.to_string(), question));
        let queries = numbered().map(|(id, question)| QueryLine { id, text: question.question.clone() }).collect();
        let relevant = numbered().map(|(id, question)| (id, question.slugs.clone())).collect();
        Ok(Self { documents: Vec::new(), queries, relevant })
    }

    /// Reads the collection in `folder`.
    ///
    /// # Errors
    /// [`CollectionError`]
    pub fn read(folder: &Path) -> Result<Self, CollectionError> {
        let qrels = folder.join("qrels.tsv");
        let qrels = if qrels.exists() { qrels } else { folder.join("qrels").join("test.tsv") };
        Ok(Self {
            documents: json_lines(&folder.join("corpus.jsonl"))?,
            queries: json_lines(&folder.join("queries.jsonl"))?,
            relevant: judgements(&qrels)?,
        })
    }

    /// Returns the queries with known relevant documents, and the slugs of these.
    pub fn judged_queries(&self) -> impl Iterator<Item = (&str, &HashSet<String>)> {
        self.queries.iter().filter_map(|query| Some((query.text.as_str(), self.relevant.get(&query.id)?)))
    }
}

fn read(path: &Path) -> Result<String, CollectionError> {
    fs::read_to_string(path).map_err(|source| CollectionError::Unreadable { path: path.to_path_buf(), source })
}

fn json_lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>, CollectionError> {
    let text = read(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| CollectionError::Malformed {
                path: path.to_path_buf(),
                line: number + 1,
                message: error.to_string(),
            })
        })
        .collect()
}

/// Reads query, document and grade, separated by tabs. Every listed document counts as relevant unless its grade is 0.
fn judgements(path: &Path) -> Result<BTreeMap<String, HashSet<String>>, CollectionError> {
    let mut relevant: BTreeMap<String, HashSet<String>> = BTreeMap::new();
    for (number, line) in read(path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut fields = line.split('\t');
        let (Some(query), Some(document)) = (fields.next(), fields.next()) else {
            let message = "a query, a document and a grade are expected, separated by tabs".to_owned();
            return Err(CollectionError::Malformed { path: path.to_path_buf(), line: number + 1, message });
        };
        let is_heading = number == 0 && query.contains("query");
        if !is_heading && fields.next() != Some("0") {
            relevant.entry(query.to_owned()).or_default().insert(slug(document));
        }
    }
    Ok(relevant)
}
