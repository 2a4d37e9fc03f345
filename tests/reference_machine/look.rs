//! Reading all that is stored, in the machine's numbers.

use std::collections::{BTreeMap, HashMap};

use afterword_actors::{
    store::{
        Database, Engine,
        sql::{FromRow, Sql},
    },
    task::TaskStatus,
};
use serde_json::Value;

use crate::machine::{Article, Entry, No, Past, Rows, Run, Task, Vectors};

/// One statement, so that it is one moment. `row(` becomes the engine's function that makes a JSON array.
const ALL: &str = "
    SELECT 'article' AS kind, id AS place, row(id, slug, body, content_hash, revision, CAST(skip_embedding AS INTEGER),
                                               updated_at) AS line
    FROM articles
    UNION ALL
    SELECT 'past', article_id, row(article_id, revision, slug, body, content_hash, CAST(skip_embedding AS INTEGER),
                                   superseded_at, CAST(deleted AS INTEGER))
    FROM article_versions
    UNION ALL SELECT 'alias', article_id, row(slug, article_id) FROM slug_aliases
    UNION ALL SELECT 'model', id, row(id, state) FROM embedding_models
    UNION ALL SELECT 'vectors', article_id, row(article_id, model_id, revision, content_hash) FROM article_embeddings
    UNION ALL
    SELECT 'task', id, row(id, article_id, slug, operation, status, priority, revision, attempts, scheduled_at, queue_key,
                           updated_at, started_at, completed_at, lease_token, lease_expires_at, incarnation, error_kind,
                           cause, model_id, crashes)
    FROM embedding_tasks
    UNION ALL
    SELECT 'event', id, row(task_id, at, article_id, event, from_status, to_status, attempt, error_kind)
    FROM embedding_task_events
    UNION ALL SELECT 'run', id, row(id, scope, state, cursor, summary) FROM bulk_operations
    UNION ALL SELECT 'item', bulk_id, row(bulk_id, article_id, task_id, CAST(adopted AS INTEGER)) FROM bulk_items
    UNION ALL SELECT 'host', 0, row(incarnation, state) FROM embedding_hosts
    UNION ALL SELECT 'count', 0, row(status, tasks) FROM embedding_task_counts
    UNION ALL SELECT 'paused', 0, row(key) FROM queue_control WHERE key = 'paused'
    ORDER BY 2";

#[derive(FromRow)]
struct Line {
    kind: String,
    line: String,
}

/// The machine's numbers of everything seen so far, in order of creation.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    articles: BTreeMap<i64, No>,
    tasks: BTreeMap<i64, No>,
    models: BTreeMap<i64, No>,
    runs: BTreeMap<i64, No>,
    contents: HashMap<String, usize>,
    claims: HashMap<String, u64>,
}

impl Numbers {
    pub(crate) fn task(&self, id: i64) -> No {
        self.tasks[&id]
    }

    pub(crate) fn article(&self, id: i64) -> No {
        self.articles[&id]
    }

    pub(crate) fn run(&self, id: i64) -> No {
        self.runs[&id]
    }

    pub(crate) fn task_id(&self, no: No) -> i64 {
        id_of(&self.tasks, no)
    }

    pub(crate) fn run_id(&self, no: No) -> i64 {
        id_of(&self.runs, no)
    }

    pub(crate) fn model(&self, id: i64) -> No {
        self.models[&id]
    }

    pub(crate) fn claim(&self, token: &str) -> u64 {
        self.claims[token]
    }

    /// Models are numbered when they are registered.
    pub(crate) fn name_model(&mut self, id: i64, no: No) {
        self.models.insert(id, no);
    }

    /// Reads everything. A new token is that of claim number `claim`.
    pub(crate) async fn look(&mut self, database: &Database, claim: u64) -> Rows {
        let function = match database.engine() {
            Engine::Sqlite => "json_array(",
            Engine::Postgres => "jsonb_build_array(",
        };
        let mut sql = ALL.replace("row(", function);
        if database.engine() == Engine::Postgres {
            sql = format!("SELECT kind, CAST(line AS TEXT) AS line FROM ({sql}) all_lines ORDER BY place");
        }
        let lines = database.reader().rows::<Line>(&sql, []).await.expect("the rows");
        let lines: Vec<_> = lines
            .into_iter()
            .map(|Line { kind, line }| (kind, Cells(serde_json::from_str(&line).expect("an array"))))
            .collect();
        for (kind, cells) in &lines {
            self.number(kind, cells, claim);
        }
        let mut rows = Rows::default();
        // Items belong to runs, which must be there.
        let (items, others): (Vec<_>, Vec<_>) = lines.iter().partition(|(kind, _)| kind == "item");
        for (kind, cells) in others.into_iter().chain(items) {
            self.enter(&mut rows, kind, cells);
        }
        rows
    }

    fn number(&mut self, kind: &str, cells: &Cells, claim: u64) {
        match kind {
            "article" => {
                number(&mut self.articles, cells.int(0));
                self.contents.insert(cells.text(3), content_of(&cells.text(2)));
            }
            "task" => {
                number(&mut self.tasks, cells.int(0));
                if let Some(token) = cells.text_or_none(13) {
                    self.claims.entry(token).or_insert(claim);
                }
            }
            "run" => number(&mut self.runs, cells.int(0)),
            _ => {}
        }
    }

    fn enter(&self, rows: &mut Rows, kind: &str, cells: &Cells) {
        let article = |at| self.article(cells.int(at));
        match kind {
            "article" => {
                let (slug, content) = (cells.text(1), content_of(&cells.text(2)));
                let (revision, skip, updated) = (cells.int(4), cells.flag(5), cells.int(6));
                rows.articles.insert(article(0), Article { slug, content, skip, revision, updated });
            }
            "past" => {
                let (slug, content, skip) = (cells.text(2), content_of(&cells.text(3)), cells.flag(5));
                let past = Past { slug, content, skip, since: cells.int(6), deleted: cells.flag(7) };
                rows.past.insert((article(0), cells.int(1)), past);
            }
            "alias" => drop(rows.aliases.insert(cells.text(0), article(1))),
            "model" => drop(rows.models.insert(self.models[&cells.int(0)], cells.text(1))),
            "vectors" => {
                let vectors = Vectors { revision: cells.int(2), content: self.contents[&cells.text(3)] };
                rows.vectors.insert((article(0), self.models[&cells.int(1)]), vectors);
            }
            "task" => drop(rows.tasks.insert(self.task(cells.int(0)), self.task_of(cells))),
            "event" => {
                let no = cells.int_or_none(0).map(|id| self.task(id));
                rows.audit.entry(no).or_default().push(self.entry_of(cells));
            }
            "run" => drop(rows.runs.insert(self.run(cells.int(0)), self.run_of(cells))),
            "item" => {
                let run = rows.runs.get_mut(&self.run(cells.int(0))).expect("the item's run");
                run.items.insert(article(1), (self.task(cells.int(2)), cells.flag(3)));
            }
            "host" => drop(rows.hosts.insert(cells.text(0), cells.text(1))),
            "count" => drop(rows.counts.insert(status(&cells.text(0)), cells.int(1))),
            "paused" => rows.paused = true,
            other => panic!("what is {other}?"),
        }
    }

    fn task_of(&self, cells: &Cells) -> Task {
        Task {
            article: self.article(cells.int(1)),
            slug: cells.text(2),
            operation: cells.text(3).parse().expect("an operation"),
            status: status(&cells.text(4)),
            priority: cells.text(5).parse().expect("a priority"),
            revision: cells.int(6),
            attempts: cells.int(7) as i32,
            scheduled: cells.int(8),
            key: cells.int(9),
            updated: cells.int(10),
            started: cells.int_or_none(11),
            completed: cells.int_or_none(12),
            lease: cells.text_or_none(13).map(|token| (self.claims[&token], cells.int(14))),
            host: cells.text_or_none(15),
            error: cells.text_or_none(16).map(|kind| kind.parse().expect("a kind of error")),
            cause: cells.text(17),
            model: cells.int_or_none(18).map(|id| self.models[&id]),
            crashes: cells.int(19) as u32,
        }
    }

    fn entry_of(&self, cells: &Cells) -> Entry {
        Entry {
            at: cells.int(1),
            article: cells.int_or_none(2).map(|id| self.article(id)),
            event: cells.text(3),
            from: cells.text_or_none(4).map(|name| status(&name)),
            to: cells.text_or_none(5).map(|name| status(&name)),
            attempt: cells.int_or_none(6).map(|attempt| attempt as i32),
            error: cells.text_or_none(7).map(|kind| kind.parse().expect("a kind of error")),
        }
    }

    fn run_of(&self, cells: &Cells) -> Run {
        let summary = cells.text_or_none(4).map(|text| {
            let summary: Value = serde_json::from_str(&text).expect("a summary");
            ["succeeded", "failed", "skipped", "cancelled"].map(|name| summary[name].as_i64().expect("a number"))
        });
        let cursor = match cells.int(3) {
            0 => 0,
            id => self.article(id),
        };
        Run { scope: cells.text(1), state: cells.text(2), cursor, items: BTreeMap::new(), summary }
    }
}

/// The body of an article with this content.
pub(crate) fn body_of(content: usize) -> String {
    format!("content {content}\na line that all share")
}

fn content_of(body: &str) -> usize {
    let number = body.strip_prefix("content ").and_then(|rest| rest.lines().next());
    number.and_then(|number| number.parse().ok()).expect("a body of ours")
}

/// Ids only grow.
fn number(numbers: &mut BTreeMap<i64, No>, id: i64) {
    let next = numbers.len() + 1;
    numbers.entry(id).or_insert(next);
}

fn id_of(numbers: &BTreeMap<i64, No>, no: No) -> i64 {
    numbers.iter().find(|(_, other)| **other == no).map(|(&id, _)| id).expect("a number that was given")
}

fn status(name: &str) -> TaskStatus {
    name.parse().expect("a status")
}

struct Cells(Vec<Value>);

impl Cells {
    fn int(&self, at: usize) -> i64 {
        self.int_or_none(at).unwrap_or_else(|| panic!("a number at {at} of {:?}", self.0))
    }

    fn int_or_none(&self, at: usize) -> Option<i64> {
        self.0[at].as_i64()
    }

    fn text(&self, at: usize) -> String {
        self.text_or_none(at).unwrap_or_else(|| panic!("text at {at} of {:?}", self.0))
    }

    fn text_or_none(&self, at: usize) -> Option<String> {
        self.0[at].as_str().map(str::to_owned)
    }

    fn flag(&self, at: usize) -> bool {
        self.int(at) != 0
    }
}
