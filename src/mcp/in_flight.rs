//! The requests of one session that wait for their answers. The protocol's library tells them apart by their ids alone:
//! of two with one id it would answer one, and let the other wait for ever. So the second is refused.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{Stream, StreamExt};
use rmcp::{
    ErrorData,
    model::{RequestId, ServerJsonRpcMessage},
    transport::common::server_side_http::ServerSseMessage,
};

/// The ids of a session's requests. Clones share them.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashSet<RequestId>>>);

/// One request, until it is dropped.
pub(super) struct Flight {
    all: InFlight,
    id: RequestId,
}

impl InFlight {
    fn ids(&self) -> MutexGuard<'_, HashSet<RequestId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request; `false` if another one has its id.
    pub(super) fn begin(&self, id: &RequestId) -> bool {
        self.ids().insert(id.clone())
    }

    pub(super) fn end(&self, id: &RequestId) {
        self.ids().remove(id);
    }

    /// The same as [`InFlight::begin`], with an end of its own.
    pub(super) fn flight(&self, id: &RequestId) -> Option<Flight> {
        self.begin(id).then(|| Flight { all: self.clone(), id: id.clone() })
    }
}

impl Flight {
    /// Passes messages on, and ends with the answer.
    pub(super) fn until_answered<S>(self, messages: S) -> impl Stream<Item = ServerSseMessage> + Send + Sync + use<S>
    where
        S: Stream<Item = ServerSseMessage> + Send + Sync,
    {
        let mut flight = Some(self);
        messages.map(move |message| {
            if message.message.as_deref().is_some_and(|message| answered(message).is_some()) {
                drop(flight.take());
            }
            message
        })
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.all.end(&self.id);
    }
}

/// The id of the request that this answers.
pub(super) fn answered(message: &ServerJsonRpcMessage) -> Option<&RequestId> {
    match message {
        ServerJsonRpcMessage::Response(response) => Some(&response.id),
        ServerJsonRpcMessage::Error(error) => error.id.as_ref(),
        ServerJsonRpcMessage::Request(_) | ServerJsonRpcMessage::Notification(_) => None,
    }
}

/// The refusal of a request whose id another one has.
pub(super) fn refused(id: RequestId) -> ServerJsonRpcMessage {
    let reason = "a request of this session with the same id is not answered yet; each needs an id of its own";
    ServerJsonRpcMessage::error(ErrorData::invalid_request(reason, None), Some(id))
}
