//! Noticing that a client has gone.

use std::future::Future;

use rmcp::{
    service::{RxJsonRpcMessage, ServiceRole, TxJsonRpcMessage},
    transport::Transport,
};
use tokio_util::sync::CancellationToken;

/// A transport that says so when its input ends. The session itself first waits for its answers, and an answer that
/// comes only when the client cancels its request would then keep it for seconds.
pub(super) struct Closing<T> {
    inner: T,
    alive: CancellationToken,
}

impl<T> Closing<T> {
    /// Cancels `alive` when the input of `inner` ends.
    pub(super) fn new(inner: T, alive: CancellationToken) -> Self {
        Self { inner, alive }
    }
}

impl<R: ServiceRole, T: Transport<R>> Transport<R> for Closing<T> {
    type Error = T::Error;

    fn send(&mut self, message: TxJsonRpcMessage<R>) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<R>> {
        let message = self.inner.receive().await;
        if message.is_none() {
            self.alive.cancel();
        }
        message
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.inner.close()
    }
}
