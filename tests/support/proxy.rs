//! A network between hosts and PostgreSQL that fails on demand.
#![allow(dead_code, reason = "test programs that each use a part")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// Closed at both ends.
    Cut,
    /// Nothing arrives any more, and neither end is told.
    Frozen,
}

/// Which ends of transactions lose their answer.
#[derive(Default)]
struct Commits {
    /// One in this many does; none if 0.
    every: AtomicU64,
    seen: AtomicU64,
    lost: AtomicU64,
}

/// What happens to the end of a transaction.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Answered,
    /// It is carried out, and the answer is lost.
    CarriedOut,
    /// It does not arrive.
    Swallowed,
}

impl Commits {
    fn end_of(&self, request: &[u8]) -> End {
        let every = self.every.load(Ordering::SeqCst);
        if every == 0 || !request.windows(7).any(|bytes| bytes == b"COMMIT\0") {
            return End::Answered;
        }
        if !(self.seen.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(every) {
            return End::Answered;
        }
        match self.lost.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => End::CarriedOut,
            _ => End::Swallowed,
        }
    }
}

/// Carries every connection to the server.
pub(crate) struct Proxy {
    url: String,
    server: watch::Sender<String>,
    delay: Arc<AtomicU64>,
    commits: Arc<Commits>,
    /// The last act on the open connections; later connections ignore it.
    fate: watch::Sender<Fate>,
}

impl Proxy {
    /// In front of the server at `url`.
    pub(crate) async fn start(url: &str) -> Self {
        let (head, server, database) = parts(url);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address");
        let (delay, fate) = (Arc::<AtomicU64>::default(), watch::Sender::new(Fate::Cut));
        let server = watch::Sender::new(server.to_owned());
        let url = format!("{head}@{own}/{database}");
        let commits = Arc::<Commits>::default();
        let proxy = Self {
            url,
            server: server.clone(),
            delay: Arc::clone(&delay),
            commits: Arc::clone(&commits),
            fate: fate.clone(),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = server.borrow().clone();
                tokio::spawn(carry(client, server, Arc::clone(&delay), Arc::clone(&commits), fate.subscribe()));
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// From now on, connections lead to the server at `url`.
    pub(crate) fn lead_to(&self, url: &str) {
        let (_, server, _) = parts(url);
        self.server.send_replace(server.to_owned());
    }

    /// Delays everything by this much.
    pub(crate) fn delay(&self, delay: Duration) {
        self.delay.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// From now on each `every`-th COMMIT ends its connection without an answer; every other of these has been carried
    /// out.
    pub(crate) fn lose_commits(&self, every: u64) {
        self.commits.every.store(every, Ordering::SeqCst);
    }

    /// How many have lost their answer.
    pub(crate) fn lost_commits(&self) -> u64 {
        self.commits.lost.load(Ordering::SeqCst)
    }

    /// Ends the connections there are.
    pub(crate) fn cut(&self) {
        self.fate.send_replace(Fate::Cut);
    }

    /// Leaves the connections there are half open.
    pub(crate) fn freeze(&self) {
        self.fate.send_replace(Fate::Frozen);
    }
}

/// User, server and database of an address.
fn parts(url: &str) -> (&str, &str, &str) {
    let (head, rest) = url.split_once('@').expect("an address with a user");
    let (server, database) = rest.split_once('/').expect("an address with a database");
    (head, server, database)
}

async fn carry(
    client: TcpStream,
    server: String,
    delay: Arc<AtomicU64>,
    commits: Arc<Commits>,
    mut fate: watch::Receiver<Fate>,
) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let is_cut = AtomicBool::new(false);
    let there = pump(&mut from_client, &mut to_server, &delay, |request| {
        let end = commits.end_of(request);
        is_cut.store(end == End::CarriedOut, Ordering::SeqCst);
        end != End::Swallowed
    });
    let back = pump(&mut from_server, &mut to_client, &delay, |_| !is_cut.load(Ordering::SeqCst));
    tokio::select! {
        () = there => {}
        () = back => {}
        fate = next(&mut fate) => {
            if fate == Fate::Frozen {
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn next(fate: &mut watch::Receiver<Fate>) -> Fate {
    // An error means that the proxy has gone.
    if fate.changed().await.is_ok() { *fate.borrow() } else { Fate::Cut }
}

/// Forwards what `passes`; ends at the first message that does not.
async fn pump(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    delay: &AtomicU64,
    passes: impl Fn(&[u8]) -> bool,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length) = from.read(&mut buffer).await {
        if length == 0 {
            return;
        }
        let delay = delay.load(Ordering::Relaxed);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if !passes(&buffer[..length]) || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
