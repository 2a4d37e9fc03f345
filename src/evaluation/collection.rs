//! Reading a collection in the layout of BEIR.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt, fs, io,
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
    /// Documents that are said to answer a query and that there are none of: nobody finds them.
    pub missing: BTreeSet<String>,
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

/// Why a collection cannot be measured.
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
    /// A part of a file is wrong: nothing of it is left out in silence.
    #[error("{}, {place}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong.
        message: String,
    },
    /// There is nothing to measure.
    #[error("{}: there is no question with a known answer", path.display())]
    NoQuestions {
        /// The file that should have one.
        path: PathBuf,
    },
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line, by its number from 1.
    Line(usize),
    /// A question of a list, by its number from 1.
    Question(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Question(number) => write!(f, "question {number}"),
        }
    }
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
        let file = File { path };
        let questions: Vec<Question> = serde_json::from_str(&file.read()?).map_err(|error| {
            let message =
                format!("{}; a list of {{\"question\": \"…\", \"slugs\": [\"…\"]}} is expected", told(&error));
            file.malformed(Place::Line(error.line()), message)
        })?;
        for (number, Question { question, slugs }) in (1..).zip(&questions) {
            if question.trim().is_empty() || slugs.is_empty() {
                let message = if slugs.is_empty() { "slugs names no article" } else { "the question is empty" };
                return Err(file.malformed(Place::Question(number), message));
            }
        }
        let numbered = || (1..).map(|number: usize| number.to_string()).zip(&questions);
        let queries = numbered().map(|(id, question)| QueryLine { id, text: question.question.clone() }).collect();
        let relevant = numbered().map(|(id, question)| (id, question.slugs.clone())).collect();
        Self { documents: Vec::new(), queries, relevant, missing: BTreeSet::new() }.with_questions(path)
    }

    /// Reads the collection in `folder`.
    ///
    /// # Errors
    /// [`CollectionError`]
    pub fn read(folder: &Path) -> Result<Self, CollectionError> {
        let (documents, queries) = (folder.join("corpus.jsonl"), folder.join("queries.jsonl"));
        let qrels = folder.join("qrels.tsv");
        let qrels = if qrels.exists() { qrels } else { folder.join("qrels").join("test.tsv") };
        let (documents, queries) = (File { path: &documents }, File { path: &queries });
        let (mut texts, mut slugs) = (Vec::new(), HashSet::new());
        for (place, document) in documents.json_lines::<Document>()? {
            if !slugs.insert(document.slug()) {
                return Err(documents.malformed(place, format!("there is a document {:?} above", document.id)));
            }
            texts.push(document);
        }
        let (mut asked, mut ids) = (Vec::new(), HashSet::new());
        for (place, query) in queries.json_lines::<QueryLine>()? {
            if query.text.trim().is_empty() {
                return Err(queries.malformed(place, format!("the query {:?} is empty", query.id)));
            }
            if !ids.insert(query.id.clone()) {
                return Err(queries.malformed(place, format!("there is a query {:?} above", query.id)));
            }
            asked.push(query);
        }
        let relevant = File { path: &qrels }.judgements(&ids)?;
        let missing = relevant.values().flatten().filter(|slug| !slugs.contains(*slug)).cloned().collect();
        Self { documents: texts, queries: asked, relevant, missing }.with_questions(&qrels)
    }

    fn with_questions(self, path: &Path) -> Result<Self, CollectionError> {
        if self.judged_queries().next().is_none() {
            return Err(CollectionError::NoQuestions { path: path.to_path_buf() });
        }
        Ok(self)
    }

    /// Checks that every article that answers a question is among those of a folder, by their slugs.
    ///
    /// # Errors
    /// [`CollectionError::Malformed`] for the first question about another one.
    pub fn check(&self, questions: &Path, articles: &HashSet<String>) -> Result<(), CollectionError> {
        for (number, (_, slugs)) in (1..).zip(self.judged_queries()) {
            if let Some(unknown) = slugs.iter().filter(|slug| !articles.contains(*slug)).min() {
                let message = format!("there is no article {unknown:?}");
                return Err(File { path: questions }.malformed(Place::Question(number), message));
            }
        }
        Ok(())
    }

    /// Returns the queries with known relevant documents, and the slugs of these.
    pub fn judged_queries(&self) -> impl Iterator<Item = (&str, &HashSet<String>)> {
        self.queries.iter().filter_map(|query| Some((query.text.as_str(), self.relevant.get(&query.id)?)))
    }
}

/// A file of a collection.
struct File<'a> {
    path: &'a Path,
}

impl File<'_> {
    fn read(&self) -> Result<String, CollectionError> {
        fs::read_to_string(self.path)
            .map_err(|source| CollectionError::Unreadable { path: self.path.to_path_buf(), source })
    }

    fn malformed(&self, place: Place, message: impl Into<String>) -> CollectionError {
        CollectionError::Malformed { path: self.path.to_path_buf(), place, message: message.into() }
    }

    /// Lines that hold something, with their places.
    fn lines(text: &str) -> impl Iterator<Item = (Place, &str)> {
        (1..).map(Place::Line).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty())
    }

    fn json_lines<T: for<'de> Deserialize<'de>>(&self) -> Result<Vec<(Place, T)>, CollectionError> {
        let text = self.read()?;
        let read = |(place, line)| match serde_json::from_str(line) {
            Ok(value) => Ok((place, value)),
            Err(error) => Err(self.malformed(place, told(&error))),
        };
        Self::lines(&text).map(read).collect()
    }

    /// Reads query, document and grade, separated by tabs; the first line may be a heading. A document is relevant if
    /// its grade is above 0, and if it has none.
    fn judgements(&self, queries: &HashSet<String>) -> Result<BTreeMap<String, HashSet<String>>, CollectionError> {
        let mut relevant: BTreeMap<String, HashSet<String>> = BTreeMap::new();
        for (place, line) in Self::lines(&self.read()?) {
            let mut fields = line.split('\t').map(str::trim);
            let (Some(query), Some(document)) = (fields.next(), fields.next()) else {
                let message = "a query, a document and a grade are expected, separated by tabs";
                return Err(self.malformed(place, message));
            };
            let grade = fields.next().unwrap_or("1");
            let Ok(grade) = grade.parse::<f64>() else {
                if place == Place::Line(1) && !queries.contains(query) {
                    continue;
                }
                return Err(self.malformed(place, format!("the grade {grade:?} is no number")));
            };
            if !queries.contains(query) {
                return Err(self.malformed(place, format!("there is no query {query:?} in queries.jsonl")));
            }
            if grade > 0.0 {
                relevant.entry(query.to_owned()).or_default().insert(slug(document));
            }
        }
        Ok(relevant)
    }
}

/// What is wrong, without the line: the file's own is told beside it.
fn told(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let told = error.to_string();
    let what = told.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&told);
    format!("{what} (column {column})")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A collection of two documents and two queries, with these judgements.
    fn judged(qrels: &str) -> Result<Collection, CollectionError> {
        let (one, other) = (r#"{"_id": "query1", "text": "one"}"#, r#"{"_id": "2", "text": "two"}"#);
        read(r#"{"_id": "d1", "text": "one"}"#, &format!("{one}\n{other}"), qrels)
    }

    fn read(corpus: &str, queries: &str, qrels: &str) -> Result<Collection, CollectionError> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels.tsv", qrels)] {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        Collection::read(folder.path())
    }

    fn questions(text: &str) -> Result<Collection, CollectionError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("questions.json");
        fs::write(&path, text).expect("a file");
        Collection::of_questions(&path)
    }

    fn refused(read: Result<Collection, CollectionError>) -> String {
        read.map(drop).expect_err("a refusal").to_string()
    }

    #[test]
    fn judgements_with_and_without_a_heading_are_read() {
        for qrels in
            ["query1\td1\t1\n2\td1\t2", "query-id\tcorpus-id\tscore\nquery1\td1\t1\n2\td1\t0.5\n", "query1\td1\n2\td1"]
        {
            assert_eq!(judged(qrels).expect("a collection").judged_queries().count(), 2, "{qrels}");
        }
        let read = judged("query1\td1\t1\n2\td1\t-1\n2\td1\t0.0\n2\td1\t0").expect("a collection");
        assert_eq!(read.judged_queries().count(), 1, "what has no grade above 0 is not relevant");
        let read = judged("query1\td1\t1\nquery1\td9\t1\n2\td9\t0").expect("a collection");
        assert_eq!(read.missing, BTreeSet::from(["doc-d9".to_owned()]), "a known collection has some of these");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let one = (r#"{"_id": "d1", "text": "one"}"#, r#"{"_id": "1", "text": "one"}"#);
        for (read, told) in [
            (judged("query1\td1\t1\n2\td1\tabc"), "qrels.tsv, line 2: the grade \"abc\" is no number"),
            (judged("query1\td1\tabc"), "qrels.tsv, line 1: the grade"),
            (judged("query1\td1\t1\n3\td1\t1"), "line 2: there is no query \"3\" in queries.jsonl"),
            (judged("query1\td1\t0"), "qrels.tsv: there is no question with a known answer"),
            (judged(""), "there is no question with a known answer"),
            (
                read(&format!("{}\n\n{}", one.0, one.0), one.1, ""),
                "corpus.jsonl, line 3: there is a document \"d1\" above",
            ),
            (read(&format!("{}\n{}", one.0, r#"{"_id": "D1", "text": ""}"#), one.1, ""), "line 2: there is a document"),
            (read(one.0, &format!("{}\n{}", one.1, one.1), ""), "queries.jsonl, line 2: there is a query \"1\" above"),
            (read(one.0, r#"{"_id": "1", "text": " "}"#, ""), "queries.jsonl, line 1: the query \"1\" is empty"),
            (read(&format!("{}\n{{x}}", one.0), one.1, ""), "corpus.jsonl, line 2: key must be a string (column 2)"),
            (questions("[]"), "questions.json: there is no question with a known answer"),
            (
                questions(r#"[{"question": "a", "slugs": ["b"]}, {"question": "a", "slugs": []}]"#),
                "question 2: slugs names no",
            ),
            (questions(r#"[{"question": " ", "slugs": ["b"]}]"#), "questions.json, question 1: the question is empty"),
            (questions("[\n{}]"), "questions.json, line 2: missing field `question` (column"),
        ] {
            let said = refused(read);
            assert!(said.contains(told), "{said}: {told}");
            assert!(said.matches("line ").count() <= 1, "{said}");
        }
        let read = questions(r#"[{"question": "a", "slugs": ["b"]}]"#).expect("questions");
        let check = |slug: &str| read.check(Path::new("questions.json"), &HashSet::from([slug.to_owned()]));
        assert!(check("b").is_ok());
        assert_eq!(
            check("c").expect_err("a refusal").to_string(),
            "questions.json, question 1: there is no article \"b\""
        );
    }
}
