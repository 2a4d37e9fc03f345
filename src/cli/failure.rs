//! Why a command failed, for programs: an exit code, and a stable name.

use afterword_actors::store::StoreError;

use crate::{
    articles::ArticleError,
    auth::TokenError,
    bulk::BulkError,
    config::ConfigErrors,
    database::SchemaError,
    files::{PendingDeletions, SyncError},
    host::HostError,
    queue::QueueError,
    search::SearchError,
};

/// The command failed.
const FAILED: u8 = 1;
/// The arguments were wrong.
const WRONG_USAGE: u8 = 2;
/// The user interrupted it (128 + SIGINT).
const INTERRUPTED: u8 = 130;

/// The arguments were wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// The user interrupted it; says what happens to the rest.
#[derive(Debug, thiserror::Error)]
#[error("interrupted; {0}")]
pub(super) struct Interrupted(pub(super) String);

/// How a failure is reported to programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// A stable name that does not depend on the wording; the same as in the REST interface.
    pub(super) code: &'static str,
    pub(super) exit: u8,
}

impl Failure {
    /// Classifies an error by its most exact cause.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(known).unwrap_or(failed("failed"))
    }
}

/// Which files a question about deletions is about, for programs.
pub(super) fn losses(error: &anyhow::Error) -> Option<&PendingDeletions> {
    error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(SyncError::ManyDeletions { files, .. }) => Some(files.as_ref()),
        _ => None,
    })
}

const fn failed(code: &'static str) -> Failure {
    Failure { code, exit: FAILED }
}

const fn asked_wrongly(code: &'static str) -> Failure {
    Failure { code, exit: WRONG_USAGE }
}

fn known(error: &(dyn std::error::Error + 'static)) -> Option<Failure> {
    if error.is::<Usage>() {
        return Some(asked_wrongly("usage"));
    }
    if error.is::<Interrupted>() {
        return Some(Failure { code: "interrupted", exit: INTERRUPTED });
    }
    if error.is::<ConfigErrors>() {
        return Some(asked_wrongly("invalid_settings"));
    }
    (error.downcast_ref().map(of_article))
        .or_else(|| error.downcast_ref().map(of_search))
        .or_else(|| error.downcast_ref().map(of_queue))
        .or_else(|| error.downcast_ref().map(of_bulk))
        .or_else(|| error.downcast_ref().map(of_sync))
        .or_else(|| error.downcast_ref().map(of_token))
        .or_else(|| error.downcast_ref().map(of_schema))
        .or_else(|| error.downcast_ref().and_then(of_host))
        .or_else(|| error.downcast_ref().map(of_store))
}

fn of_article(error: &ArticleError) -> Failure {
    match error {
        ArticleError::NotFound { .. } => failed("not_found"),
        ArticleError::Exists { .. } => failed("exists"),
        ArticleError::FormerName { .. } => failed("former_name"),
        ArticleError::Conflict { .. } => failed("conflict"),
        ArticleError::NoRevision { .. } => failed("no_revision"),
        ArticleError::NoPast { .. } => failed("no_past"),
        ArticleError::KeyOfDeleted { .. } => failed("deleted"),
        ArticleError::KeyReused { .. } => failed("key_reused"),
        ArticleError::Invalid { .. } => asked_wrongly("invalid"),
        ArticleError::TooLarge { .. } => failed("too_large"),
        ArticleError::Edit(error) if error.fault.code() == "invalid" => asked_wrongly("invalid"),
        ArticleError::Edit(error) => failed(error.fault.code()),
        ArticleError::Store(error) => of_store(error),
    }
}

fn of_search(error: &SearchError) -> Failure {
    match error {
        SearchError::EmptyQuery
        | SearchError::Limit(_)
        | SearchError::Passages
        | SearchError::NoProperty { .. }
        | SearchError::Questions => asked_wrongly("invalid"),
        SearchError::NoArticle(_) => failed("not_found"),
        SearchError::NoMeaning(_) => failed("no_meaning"),
        SearchError::Store(error) => of_store(error),
    }
}

fn of_queue(error: &QueueError) -> Failure {
    match error {
        QueueError::NotFound(_) => failed("not_found"),
        QueueError::NotAllowed { .. } => failed("not_allowed"),
        QueueError::AlreadyWaiting { .. } => failed("already_waiting"),
        QueueError::Store(error) => of_store(error),
    }
}

fn of_bulk(error: &BulkError) -> Failure {
    match error {
        BulkError::NotFound(_) | BulkError::NoneYet | BulkError::NoFolder(_) => failed("not_found"),
        BulkError::Store(error) => of_store(error),
    }
}

fn of_sync(error: &SyncError) -> Failure {
    match error {
        SyncError::ManyDeletions { .. } => failed("many_deletions"),
        SyncError::Overlap { .. } => failed("overlap"),
        SyncError::NotKept { .. } => failed("not_found"),
        SyncError::Forgotten(_) => failed("forgotten"),
        SyncError::Folder { .. } => failed("failed"),
        SyncError::Store(error) => of_store(error),
    }
}

fn of_token(error: &TokenError) -> Failure {
    match error {
        TokenError::Name | TokenError::Lifetime => asked_wrongly("invalid"),
        TokenError::Exists(_) => failed("exists"),
        TokenError::NotFound(_) => failed("not_found"),
        TokenError::Holds(_) => failed("not_allowed"),
        TokenError::Random(_) => failed("internal"),
        TokenError::Store(error) => of_store(error),
    }
}

/// `None` where the cause says it.
fn of_host(error: &HostError) -> Option<Failure> {
    match error {
        HostError::Schema(error) => Some(of_schema(error)),
        HostError::Store(error) => Some(of_store(error)),
        HostError::HalfCopied { .. } => Some(failed("half_copied")),
        HostError::Open(_) | HostError::Backend(_) | HostError::Start(_) => None,
    }
}

fn of_schema(error: &SchemaError) -> Failure {
    match error {
        SchemaError::Refused(_) => failed("schema_refused"),
        SchemaError::Failed(error) => of_store(error),
        _ => failed("failed"),
    }
}

fn of_store(error: &StoreError) -> Failure {
    match error {
        StoreError::DiskFull => failed("storage_full"),
        StoreError::Busy
        | StoreError::ReadOnly(_)
        | StoreError::System(_)
        | StoreError::NotInPlace(_)
        | StoreError::Aborted(_)
        | StoreError::NoConnection(_)
        | StoreError::Unreachable(_)
        | StoreError::InDoubt(_) => failed("database_unavailable"),
        StoreError::Damaged(_) | StoreError::Constraint(_) | StoreError::Unexpected(_) | StoreError::Failed(_) => {
            failed("internal")
        }
    }
}
