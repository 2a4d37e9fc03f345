//! Sessions over HTTP, with a limit for all and for each caller. Clients leave without notice and a session waits long
//! for its client to come back; when there are too many, the longest idle one is closed: one of the caller that has too
//! many, else of the caller that has most. If its client comes back, it is answered 404 and starts a new one, as the
//! protocol says.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt, future::Either, stream};
use rmcp::{
    model::{ClientJsonRpcMessage, GetExtensions, ServerJsonRpcMessage},
    transport::streamable_http_server::{
        SessionManager,
        session::{
            ServerSseMessage, SessionId,
            local::{LocalSessionManager, SessionConfig},
        },
    },
};
use tokio::time::Instant;

use super::{
    client_gone::Returns,
    in_flight::{self, InFlight},
    owner,
};
use crate::auth::Who;

/// One caller has at most one part in this many of all sessions.
const CALLER_SHARE: usize = 4;
/// Most sessions; each takes some tens of kilobytes.
pub(super) const MAX_SESSIONS: usize = 2_000;

/// The library's keeper of sessions, bounded.
pub struct Sessions {
    kept: LocalSessionManager,
    /// How long an answer waits for a client that lost its connection.
    patience: Duration,
    open: Mutex<HashMap<SessionId, Open>>,
    most: usize,
}

/// A session, its owner, and when its client was last heard.
struct Open {
    heard: Instant,
    owner: Option<Who>,
    returns: Returns,
    in_flight: InFlight,
}

type Local<T> = Result<T, <LocalSessionManager as SessionManager>::Error>;

impl Sessions {
    pub(super) fn new(config: SessionConfig, most: usize) -> Self {
        let (mut kept, patience) = (LocalSessionManager::default(), config.completed_cache_ttl);
        kept.session_config = config;
        Self { kept, patience, open: Mutex::default(), most }
    }

    /// Whether the session exists and belongs to another client than `who`.
    pub(super) fn is_of_another(&self, id: &str, who: Option<&Who>) -> bool {
        self.open().get(id).is_some_and(|open| open.owner.as_ref() != who)
    }

    /// Whether there is such a session.
    pub(super) fn has(&self, id: &str) -> bool {
        self.open().contains_key(id)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn returns(&self, id: &SessionId) -> Returns {
        self.open().get(id).map(|open| open.returns.clone()).unwrap_or_default()
    }

    fn in_flight(&self, id: &SessionId) -> InFlight {
        self.open().get(id).map(|open| open.in_flight.clone()).unwrap_or_default()
    }

    fn hear(&self, id: &SessionId) {
        if let Some(open) = self.open().get_mut(id) {
            open.heard = Instant::now();
        }
    }

    /// The session to close for another one of `owner`, if there are too many.
    fn in_the_way(&self, owner: Option<&Who>) -> Option<SessionId> {
        let open = self.open();
        let mut counts: HashMap<Option<&Who>, usize> = HashMap::new();
        for session in open.values() {
            *counts.entry(session.owner.as_ref()).or_default() += 1;
        }
        let has_too_many = counts.get(&owner).is_some_and(|count| *count >= (self.most / CALLER_SHARE).max(1));
        let from = match has_too_many {
            true => owner,
            false if open.len() >= self.most => *counts.iter().max_by_key(|(_, count)| **count)?.0,
            false => return None,
        };
        let sessions = open.iter().filter(|(_, session)| session.owner.as_ref() == from);
        sessions.min_by_key(|(_, session)| session.heard).map(|(id, _)| id.clone())
    }
}

impl SessionManager for Sessions {
    type Error = <LocalSessionManager as SessionManager>::Error;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Local<(SessionId, Self::Transport)> {
        let owner = owner::asking();
        if let Some(oldest) = self.in_the_way(owner.as_ref()) {
            tracing::warn!(most = self.most, "too many MCP sessions; the longest idle one is closed");
            if let Err(error) = self.close_session(&oldest).await {
                tracing::debug!(%error, "an MCP session did not close");
            }
        }
        let (id, transport) = self.kept.create_session().await?;
        self.open().insert(
            id.clone(),
            Open { heard: Instant::now(), owner, returns: Returns::default(), in_flight: InFlight::default() },
        );
        Ok((id, transport))
    }

    async fn initialize_session(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Local<ServerJsonRpcMessage> {
        self.kept.initialize_session(id, message).await
    }

    /// Asked before each request of a session.
    async fn has_session(&self, id: &SessionId) -> Local<bool> {
        self.hear(id);
        self.kept.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Local<()> {
        self.open().remove(id);
        self.kept.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        mut message: ClientJsonRpcMessage,
    ) -> Local<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static> {
        let (line, receiver) = self.returns(id).line(self.patience);
        let mut flight = None;
        if let ClientJsonRpcMessage::Request(request) = &mut message {
            flight = self.in_flight(id).flight(&request.id);
            if flight.is_none() {
                let refused = ServerSseMessage::from_message(in_flight::refused(request.id.clone()));
                return Ok(stream::once(std::future::ready(refused)).left_stream());
            }
            request.request.extensions_mut().insert(line);
        }
        let messages = receiver.receive(self.kept.create_stream(id, message).await?);
        Ok(match flight {
            Some(flight) => Either::Left(flight.until_answered(messages)),
            None => Either::Right(messages),
        }
        .right_stream())
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Local<()> {
        self.kept.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Local<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static> {
        self.kept.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Local<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static> {
        self.returns(id).note();
        self.kept.resume(id, after(&last_event_id)).await
    }
}

/// The name of the event behind this one: the library sends the named one again. Only the first of the stream for
/// notifications is repeated: the library gives its name to what opens the stream, too, and whoever was told of that
/// alone would miss it.
fn after(event: &str) -> String {
    if event == "0" {
        return event.to_owned();
    }
    let (index, stream) = event.split_once('/').map_or((event, None), |(index, stream)| (index, Some(stream)));
    let next = index.parse::<usize>().ok().and_then(|index| index.checked_add(1));
    match (next, stream) {
        (Some(next), Some(stream)) => format!("{next}/{stream}"),
        (Some(next), None) => next.to_string(),
        (None, _) => event.to_owned(),
    }
}

/// Whether a stream of this server may have an event of this name.
pub(super) fn is_event(name: &str) -> bool {
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    name.split_once('/').map_or_else(|| is_number(name), |(index, stream)| is_number(index) && is_number(stream))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rmcp::transport::streamable_http_server::SessionManager;

    use super::{CALLER_SHARE, Open, SessionConfig, Sessions, Who, owner};

    #[test]
    fn a_stream_goes_on_behind_the_last_event() {
        for (last, next) in [("0", "0"), ("2", "3"), ("0/7", "1/7"), ("2/7", "3/7"), ("x", "x")] {
            assert_eq!(super::after(last), next);
        }
        for (name, expected) in [("0", true), ("2/7", true), ("x", false), ("2/", false), ("-1", false), ("", false)] {
            assert_eq!(super::is_event(name), expected, "{name}");
        }
    }

    async fn begin(sessions: &Sessions, who: &Who) -> super::SessionId {
        let begun = owner::while_asking(Some(who.clone()), sessions.create_session()).await;
        tokio::time::advance(Duration::from_secs(1)).await;
        begun.expect("a session").0
    }

    async fn has(sessions: &Sessions, id: &super::SessionId) -> bool {
        sessions.has_session(id).await.expect("an answer")
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_silent_of_the_same_caller_makes_room() {
        let sessions = Sessions::new(SessionConfig::default(), 2 * CALLER_SHARE);
        let (one, other) = (Who::Token(1), Who::Token(2));
        let others = begin(&sessions, &other).await;
        let (first, second) = (begin(&sessions, &one).await, begin(&sessions, &one).await);
        assert!(has(&sessions, &first).await, "heard of last");
        let third = begin(&sessions, &one).await;
        assert!(has(&sessions, &first).await && has(&sessions, &third).await);
        assert!(!has(&sessions, &second).await, "it made room");
        assert!(has(&sessions, &others).await, "the other's is left alone, however silent");
        assert!(sessions.is_of_another(&others, Some(&one)) && !sessions.is_of_another(&others, Some(&other)));
    }

    #[tokio::test(start_paused = true)]
    async fn when_there_are_too_many_the_one_who_has_most_gives() {
        let sessions = Sessions::new(SessionConfig::default(), 2 * CALLER_SHARE);
        let busy = begin(&sessions, &Who::Token(0)).await;
        begin(&sessions, &Who::Token(0)).await;
        for token in 1..=i64::try_from(2 * CALLER_SHARE - 2).expect("few") {
            begin(&sessions, &Who::Token(token)).await;
        }
        begin(&sessions, &Who::Token(99)).await;
        assert!(!has(&sessions, &busy).await);
        let open: Vec<_> = sessions.open().values().map(|Open { owner, .. }| owner.clone()).collect();
        assert_eq!(open.len(), 2 * CALLER_SHARE);
    }
}
