//! Sessions over HTTP, so many at most. Clients leave without a word and a session waits long for its client to come
//! back; when there are too many, the one that has been silent longest makes room. Its client, should it come back, is
//! answered 404 and begins anew, as the protocol has it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::Stream;
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::{
        SessionManager,
        session::{
            ServerSseMessage, SessionId,
            local::{LocalSessionManager, SessionConfig},
        },
    },
};
use tokio::time::Instant;

/// At most so many; a session takes some tens of kilobytes.
pub(super) const MOST: usize = 2_000;

/// What the protocol's library keeps of sessions, bounded.
pub struct Sessions {
    kept: LocalSessionManager,
    heard: Mutex<HashMap<SessionId, Instant>>,
    most: usize,
}

type Local<T> = Result<T, <LocalSessionManager as SessionManager>::Error>;

impl Sessions {
    pub(super) fn new(config: SessionConfig, most: usize) -> Self {
        let mut kept = LocalSessionManager::default();
        kept.session_config = config;
        Self { kept, heard: Mutex::default(), most }
    }

    fn heard(&self) -> MutexGuard<'_, HashMap<SessionId, Instant>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, id: &SessionId) {
        if let Some(last) = self.heard().get_mut(id) {
            *last = Instant::now();
        }
    }

    /// The longest silent, if there is no room for another.
    fn in_the_way(&self) -> Option<SessionId> {
        let heard = self.heard();
        let is_full = heard.len() >= self.most;
        heard.iter().filter(|_| is_full).min_by_key(|(_, last)| **last).map(|(id, _)| id.clone())
    }
}

impl SessionManager for Sessions {
    type Error = <LocalSessionManager as SessionManager>::Error;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Local<(SessionId, Self::Transport)> {
        if let Some(oldest) = self.in_the_way() {
            tracing::warn!(most = self.most, "too many MCP sessions; the one that has been silent longest is closed");
            if let Err(error) = self.close_session(&oldest).await {
                tracing::debug!(%error, "an MCP session did not close");
            }
        }
        let (id, transport) = self.kept.create_session().await?;
        self.heard().insert(id.clone(), Instant::now());
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
        self.heard().remove(id);
        self.kept.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Local<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static> {
        self.kept.create_stream(id, message).await
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
        self.kept.resume(id, last_event_id).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rmcp::transport::streamable_http_server::SessionManager;

    use super::{SessionConfig, Sessions};

    #[tokio::test(start_paused = true)]
    async fn the_longest_silent_makes_room() {
        let sessions = Sessions::new(SessionConfig::default(), 2);
        let mut open = Vec::new();
        for _ in 0..2 {
            open.push(sessions.create_session().await.expect("a session"));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let (first, second) = (open[0].0.clone(), open[1].0.clone());
        assert!(sessions.has_session(&first).await.expect("an answer"), "heard of last");
        open.push(sessions.create_session().await.expect("a session"));
        let mut kept = Vec::new();
        for (id, _) in &open {
            kept.push(sessions.has_session(id).await.expect("an answer"));
        }
        assert_eq!(kept, [true, false, true]);
        // One that ends by itself makes room, too.
        sessions.close_session(&first).await.expect("an end");
        open.push(sessions.create_session().await.expect("a session"));
        assert!(sessions.has_session(&open[2].0).await.expect("an answer"));
        assert!(!sessions.has_session(&second).await.expect("an answer"));
    }
}
