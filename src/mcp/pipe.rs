//! Messages over a pipe, one per line. A line that cannot be read is answered and the session continues, because its
//! sender waits for an answer. `alive` is cancelled when the input ends, because the session itself first waits for its
//! answers.

use std::io;

use rmcp::{
    RoleServer,
    model::{ClientJsonRpcMessage, ClientNotification, GetExtensions},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde::Serialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    in_flight::{self, InFlight},
    message::{LargeArguments, Message, Unreadable, names_its_version},
};

/// Answers that may wait to be written; beyond that the sender waits too.
const MAX_WAITING_ANSWERS: usize = 64;

/// A client at the other end of a pipe.
pub(super) struct Pipe<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    longest: usize,
    /// The rest of a line that was too long is being skipped.
    is_skipping: bool,
    has_begun: bool,
    in_flight: InFlight,
    /// The reader's own answer to a line, until there is room for it. It is kept here because a reading may be
    /// cancelled.
    unsaid: Option<Vec<u8>>,
    output: Option<mpsc::Sender<Vec<u8>>>,
    alive: CancellationToken,
}

enum LineOutcome {
    Line,
    TooLong,
    End,
}

impl<R: AsyncRead + Send + Unpin + 'static> Pipe<R> {
    /// Reads lines of at most `longest` bytes; cancels `alive` when `input` ends. The returned task ends when
    /// everything that was said is written.
    pub(super) fn new(
        input: R,
        output: impl AsyncWrite + Send + Unpin + 'static,
        longest: usize,
        alive: CancellationToken,
    ) -> (Self, JoinHandle<io::Result<()>>) {
        let (sender, lines) = mpsc::channel(MAX_WAITING_ANSWERS);
        let pipe = Self {
            input: BufReader::new(input),
            line: Vec::new(),
            longest,
            is_skipping: false,
            has_begun: false,
            in_flight: InFlight::default(),
            unsaid: None,
            output: Some(sender),
            alive,
        };
        (pipe, tokio::spawn(write(output, lines)))
    }

    /// Reads on to the end of a line. If cancelled, it continues where it was.
    async fn read_line(&mut self) -> LineOutcome {
        loop {
            let Ok(available) = self.input.fill_buf().await else { return LineOutcome::End };
            if available.is_empty() {
                return if self.line.is_empty() { LineOutcome::End } else { LineOutcome::Line };
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            let fits = self.line.len() + taken <= self.longest;
            if !self.is_skipping && fits {
                self.line.extend_from_slice(&available[..taken]);
            }
            self.input.consume(taken);
            match (self.is_skipping, end.is_some()) {
                (true, ended) => self.is_skipping = !ended,
                (false, ended) if !fits => {
                    self.line = Vec::new();
                    self.is_skipping = !ended;
                    return LineOutcome::TooLong;
                }
                (false, true) => return LineOutcome::Line,
                (false, false) => {}
            }
        }
    }

    /// Returns the message of a line, if there is one for the session; what cannot be read is answered.
    fn understand(&mut self, line: &[u8]) -> Option<ClientJsonRpcMessage> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return None;
        }
        let Message { value, large } = match Message::read(line) {
            Ok(message) => message,
            Err(unreadable) => {
                self.answer(&unreadable);
                return None;
            }
        };
        let is_request = value.get("id").is_some() && value.get("method").is_some();
        self.has_begun |= is_request && begins(&value);
        if !is_request && !self.has_begun {
            tracing::debug!("a client sent a notification before it initialized; it is ignored");
            return None;
        }
        let id = value.get("id").cloned();
        match serde_json::from_value(value) {
            Ok(message) => self.admit(message, large),
            Err(_) if is_request => {
                self.answer(&Unreadable::senseless().of_request(id));
                None
            }
            Err(_) => None,
        }
    }

    /// Returns the message, unless it is a request with the id of one that is not answered yet.
    fn admit(&mut self, mut message: ClientJsonRpcMessage, large: LargeArguments) -> Option<ClientJsonRpcMessage> {
        match &mut message {
            ClientJsonRpcMessage::Request(request) => {
                if !self.in_flight.begin(&request.id) {
                    self.say(&in_flight::refused(request.id.clone()));
                    return None;
                }
                request.request.extensions_mut().insert(large);
            }
            // What was cancelled may stay without an answer.
            ClientJsonRpcMessage::Notification(told) => {
                if let ClientNotification::CancelledNotification(cancelled) = &told.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.in_flight.end(id);
                }
            }
            ClientJsonRpcMessage::Response(_) | ClientJsonRpcMessage::Error(_) => {}
        }
        Some(message)
    }

    fn answer(&mut self, unreadable: &Unreadable) {
        self.say(&unreadable.answer());
    }

    fn say(&mut self, message: &impl Serialize) {
        let Ok(mut line) = serde_json::to_vec(message) else { return };
        line.push(b'\n');
        self.unsaid = Some(line);
    }
}

/// Whether a session begins with this request: with the handshake, or with one that names its own protocol version.
fn begins(request: &Value) -> bool {
    request["method"] == "initialize"
        || (request["method"] != "server/discover" && names_its_version(&request["params"]))
}

async fn write(mut output: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    while let Some(line) = lines.recv().await {
        output.write_all(&line).await?;
        if lines.is_empty() {
            output.flush().await?;
        }
    }
    output.flush().await
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the pipe is closed")
}

impl<R: AsyncRead + Send + Unpin + 'static> Transport<RoleServer> for Pipe<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let output = self.output.clone();
        if let Some(id) = in_flight::answered(&message) {
            self.in_flight.end(id);
        }
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            output.ok_or_else(closed)?.send(line).await.map_err(|_| closed())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if self.unsaid.is_some() {
                let room = self.output.as_ref()?.reserve().await.ok()?;
                if let Some(line) = self.unsaid.take() {
                    room.send(line);
                }
                continue;
            }
            match self.read_line().await {
                LineOutcome::End => {
                    self.alive.cancel();
                    return None;
                }
                LineOutcome::TooLong => self.answer(&Unreadable::too_long(self.longest)),
                LineOutcome::Line => {
                    let line = std::mem::take(&mut self.line);
                    if let Some(message) = self.understand(&line) {
                        return Some(message);
                    }
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.output = None;
        Ok(())
    }
}
