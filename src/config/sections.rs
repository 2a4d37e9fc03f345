//! The settings, a struct for each section. `config.toml` says what each key means; the defaults stand here.

use std::{path::PathBuf, time::Duration};

use bytesize::ByteSize;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::Slots;

/// All settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where everything is kept.
    pub database: Database,
    /// The queue and its workers.
    pub queue: Queue,
    /// How long things are kept.
    pub retention: Retention,
    /// What makes the vectors.
    pub embedding: Embedding,
    /// How searches are made.
    pub search: Search,
    /// What an article may be.
    pub articles: Articles,
    /// Folders of files that a server keeps in step.
    pub sync: Vec<SyncedFolder>,
    /// The host server.
    pub server: Server,
    /// Who comes in, beside the holders of tokens made here.
    pub auth: Auth,
    /// When the server calls itself degraded.
    pub health: Health,
    /// What is told to others.
    pub telemetry: Telemetry,
    /// What is logged.
    pub log: Log,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl std::fmt::Debug for $name {
            /// As the settings are shown: an address has no password.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                super::hidden::debug(self, f)
            }
        }
    };
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

section! {
    /// Where everything is kept.
    Database {
        /// Address; empty for a file in the user's data directory.
        url: String = String::new(),
        /// Connections for reading.
        read_connections: u32 = 4,
        /// Connections for writing to a server; a file has one.
        write_connections: u32 = 8,
        /// How long to wait for another process's write lock.
        #[serde(with = "humantime_serde")]
        busy_timeout: Duration = 10 * SECOND,
    }
}

section! {
    /// The queue and its workers.
    Queue {
        /// Embed in the background; if not, inside the save call.
        enabled: bool = true,
        /// Articles embedded at the same time.
        slots: Slots = Slots::Auto,
        /// Most tasks taken in one transaction.
        claim_batch: u32 = 64,
        /// How often to look for unannounced tasks.
        #[serde(with = "humantime_serde")]
        poll_interval: Duration = SECOND,
        /// All tries of a task, the first included.
        max_attempts: u32 = 3,
        /// First delay between tries.
        #[serde(with = "humantime_serde")]
        retry_base: Duration = SECOND,
        /// Longest delay between tries.
        #[serde(with = "humantime_serde")]
        retry_max: Duration = 5 * MINUTE,
        /// First delay between probes of a provider that is down.
        #[serde(with = "humantime_serde")]
        circuit_base: Duration = SECOND,
        /// Longest delay between probes of a provider that is down.
        #[serde(with = "humantime_serde")]
        circuit_max: Duration = MINUTE,
        /// How long a claim holds unless it is renewed.
        #[serde(with = "humantime_serde")]
        lease: Duration = 30 * SECOND,
        /// Longest time one task may take.
        #[serde(with = "humantime_serde")]
        max_processing_time: Duration = 30 * MINUTE,
        /// How long a shutdown waits for work to finish.
        #[serde(with = "humantime_serde")]
        drain_timeout: Duration = 20 * SECOND,
        /// How often leases are renewed.
        #[serde(with = "humantime_serde")]
        heartbeat_interval: Duration = 5 * SECOND,
        /// How often the minute's numbers are written.
        #[serde(with = "humantime_serde")]
        metrics_interval: Duration = MINUTE,
        /// How often articles are compared with their vectors.
        #[serde(with = "humantime_serde")]
        sweep_interval: Duration = 5 * MINUTE,
        /// Most tasks of sweeps, bulk runs and new models that wait at a time.
        sweep_batch: u32 = 500,
        /// Restarts of one actor within `restart_window`.
        restart_intensity: u32 = 10,
        /// See `restart_intensity`.
        #[serde(with = "humantime_serde")]
        restart_window: Duration = MINUTE,
    }
}

section! {
    /// How long things are kept; zero for ever.
    Retention {
        /// How often it is cleaned up.
        #[serde(with = "humantime_serde")]
        cleanup_interval: Duration = HOUR,
        /// Finished tasks.
        #[serde(with = "humantime_serde")]
        tasks: Duration = 7 * DAY,
        /// The audit trail.
        #[serde(with = "humantime_serde")]
        events: Duration = 30 * DAY,
        /// Minute rows.
        #[serde(with = "humantime_serde")]
        metrics: Duration = 30 * DAY,
        /// Bulk runs that have ended.
        #[serde(with = "humantime_serde")]
        bulk_runs: Duration = 30 * DAY,
        /// Deleted articles.
        #[serde(with = "humantime_serde")]
        deleted_articles: Duration = 30 * DAY,
        /// Past revisions of articles that are there.
        #[serde(with = "humantime_serde")]
        versions: Duration = Duration::ZERO,
        /// The newest past revisions of each article, which stay whatever their age.
        versions_kept: u32 = 20,
        /// Rows of hosts that have ended.
        #[serde(with = "humantime_serde")]
        worker_rows: Duration = DAY,
    }
}

/// Who makes the vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A model on this machine.
    #[default]
    Local,
    /// Any server that speaks OpenAI's embeddings protocol.
    OpenAi,
    /// Made-up vectors, for tests.
    Scripted,
}

section! {
    /// What makes the vectors.
    Embedding {
        /// Who makes the vectors.
        provider: Provider = Provider::Local,
        /// The model's name at its provider.
        model: String = "all-MiniLM-L6-v2".to_owned(),
        /// Where the local model is; `None` for the user's cache directory.
        model_dir: Option<PathBuf> = None,
        /// Longest chunk, in tokens of the model.
        max_tokens: usize = 256,
        /// Most chunks of one article.
        max_chunks: usize = 10_000,
        /// How long embedding a query may take.
        #[serde(with = "humantime_serde")]
        query_deadline: Duration = 2 * SECOND,
        /// Put before every document.
        document_prefix: String = String::new(),
        /// Put before every query.
        query_prefix: String = String::new(),
        /// Only for provider `local`.
        local: Local = Local::default(),
        /// Only for provider `openai`.
        openai: OpenAi = OpenAi::default(),
        /// Only for provider `scripted`.
        scripted: Scripted = Scripted::default(),
    }
}

section! {
    /// The local model.
    Local {
        /// Threads for documents; 0 for one each core.
        threads: usize = 0,
    }
}

/// How vectors come over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As JSON numbers.
    #[default]
    Float,
    /// As base64 of little-endian `f32`.
    Base64,
}

section! {
    /// A server that speaks OpenAI's embeddings protocol.
    OpenAi {
        /// Address up to, not including, `/embeddings`.
        base_url: String = "https://api.openai.com/v1".to_owned(),
        /// The key, if the server wants one.
        api_key: Secret = Secret::default(),
        /// The key of the server whose vectors searches still use, while those of another are made.
        former_api_key: Secret = Secret::default(),
        /// Length of a vector; the first answer decides if not given.
        dimension: Option<u32> = None,
        /// Ask the server for vectors of that length.
        send_dimensions: bool = false,
        /// Longest time for one request.
        #[serde(with = "humantime_serde")]
        timeout: Duration = 60 * SECOND,
        /// Most texts in one request.
        batch_texts: usize = 96,
        /// Most tokens in one request.
        batch_tokens: usize = 8_000,
        /// Requests at the same time.
        concurrency: usize = 4,
        /// Requests in any minute, by all hosts on the database together; 0 for no limit.
        requests_per_minute: u32 = 0,
        /// How vectors come over the wire.
        encoding: Encoding = Encoding::Float,
    }
}

section! {
    /// Made-up vectors.
    Scripted {
        /// Length of a vector.
        dimension: u32 = 64,
        /// How long a call takes.
        #[serde(with = "humantime_serde")]
        latency: Duration = Duration::ZERO,
        /// Calls with a text that contains this fail; empty for none.
        fail_containing: String = String::new(),
        /// So many times; 0 for always.
        fail_times: u32 = 0,
    }
}

section! {
    /// How searches are made.
    Search {
        /// Hits, if nobody asks for a number.
        default_limit: usize = 10,
        /// Most hits of one answer.
        max_limit: usize = 100,
        /// How much words count, beside what each question says.
        keyword_weight: f64 = 1.0,
        /// How much meaning counts, beside what each question says.
        semantic_weight: f64 = 1.0,
        /// Of earlier versions, which fused by ranks; has no effect.
        rrf_k: f64 = 60.0,
        /// Articles taken from the ranking by meaning; ten times as many from that by words.
        candidates: usize = 100,
        /// A cosine below this is no good match.
        good_similarity: f32 = 0.25,
        /// The language by whose stems words are found.
        language: String = "english".to_owned(),
    }
}

section! {
    /// What an article may be.
    Articles {
        /// Largest body.
        max_size: ByteSize = ByteSize::mib(64),
        /// Longest title, in characters.
        max_title: usize = 300,
    }
}

/// A folder of files that a server keeps in step with the articles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncedFolder {
    /// Where the files are.
    pub path: PathBuf,
    /// The folder of articles; all if it is empty.
    #[serde(default)]
    pub folder: String,
}

section! {
    /// The host server.
    Server {
        /// Address and port to listen on.
        bind: String = "127.0.0.1:8080".to_owned(),
        /// Whether people find a page at `/`.
        page: bool = true,
        /// The address that clients see, if it is another.
        public_url: String = String::new(),
        /// Names that may stand in a request's `Host`, beside this machine's own addresses.
        allowed_hosts: Names = Names::default(),
        /// Web pages that may call this server.
        allowed_origins: Names = Names::default(),
        /// Largest request.
        max_body: ByteSize = ByteSize::mib(80),
        /// How long a client may take over the head of a request.
        #[serde(with = "humantime_serde")]
        header_timeout: Duration = 30 * SECOND,
        /// How long a client may pause within the body of a request.
        #[serde(with = "humantime_serde")]
        body_timeout: Duration = 30 * SECOND,
        /// How long an answer may take.
        #[serde(with = "humantime_serde")]
        request_timeout: Duration = MINUTE,
        /// How long a client may leave an answer unread.
        #[serde(with = "humantime_serde")]
        write_timeout: Duration = 30 * SECOND,
        /// How long a connection is kept that asks nothing.
        #[serde(with = "humantime_serde")]
        idle_timeout: Duration = 75 * SECOND,
        /// Requests of one client per second; 0 for no limit.
        rate_limit: u32 = 0,
        /// Requests of one client at once, before `rate_limit` holds.
        rate_burst: u32 = 100,
        /// Connections at the same time.
        max_connections: usize = 1_024,
        /// How long a shutdown waits for requests to finish.
        #[serde(with = "humantime_serde")]
        shutdown_timeout: Duration = 10 * SECOND,
        /// How long an idle MCP session is kept.
        #[serde(with = "humantime_serde")]
        mcp_session_idle: Duration = DAY,
    }
}

section! {
    /// Who comes in, beside the holders of tokens made here.
    Auth {
        /// Whose tokens (JWT) are believed; empty for nobody's.
        issuer: String = String::new(),
        /// Whom they must be for.
        audience: String = String::new(),
        /// Where the issuer's keys are, if it does not say so itself.
        jwks_url: String = String::new(),
        /// What stands before `read`, `write` and `admin` in the scopes of its tokens.
        scope_prefix: String = String::new(),
    }
}

section! {
    /// What is told to others.
    Telemetry {
        /// A collector of OpenTelemetry, for a span of each task; empty for none.
        otlp_endpoint: String = String::new(),
    }
}

section! {
    /// When the server calls itself degraded.
    Health {
        /// How often it looks at itself.
        #[serde(with = "humantime_serde")]
        interval: Duration = 5 * SECOND,
        /// Longest time a task may have been due.
        #[serde(with = "humantime_serde")]
        oldest_due: Duration = 10 * MINUTE,
        /// Most restarts of the actors within an hour.
        restarts: u64 = 10,
    }
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// For programs, an object a line.
    Json,
}

section! {
    /// What is logged.
    Log {
        /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `warn,afterword=debug`.
        level: String = "info,rmcp=warn".to_owned(),
        /// Form of the log.
        format: LogFormat = LogFormat::Pretty,
    }
}

/// Names in a list, or in one text with commas between them, as a variable has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct Names(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Names {
    fn from(given: OneOrMany) -> Self {
        let names = match given {
            OneOrMany::One(text) => text.split(',').map(str::to_owned).collect(),
            OneOrMany::Many(names) => names,
        };
        Self(names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
    }
}

impl std::ops::Deref for Names {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

/// A secret; shown only as being there or not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "TextOrNumber")]
pub struct Secret(SecretString);

/// A secret of digits alone, without quotes, is a number to TOML.
#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNumber {
    Text(SecretString),
    Number(u64),
}

impl From<TextOrNumber> for Secret {
    fn from(given: TextOrNumber) -> Self {
        match given {
            TextOrNumber::Text(secret) => Self(secret),
            TextOrNumber::Number(number) => Self(number.to_string().into()),
        }
    }
}

impl Secret {
    /// The secret itself, or nothing if it is empty.
    pub fn expose(&self) -> Option<&str> {
        Some(self.0.expose_secret()).filter(|secret| !secret.is_empty())
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret.into())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.expose().is_some() { "(hidden)" } else { "" })
    }
}
