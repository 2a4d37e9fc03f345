//! A server with the page on it, on either engine.

use reqwest::{RequestBuilder, Url, header};

use crate::{
    support::process::Server,
    support::{self, TestDatabase},
};

/// A server, and the database it is on.
pub(crate) struct Site {
    pub(crate) server: Server,
    place: Option<support::OnPostgres>,
}

impl Site {
    /// On SQLite.
    pub(crate) fn on_sqlite(settings: &[&str]) -> Self {
        Self { server: Server::start(settings), place: None }
    }

    /// On PostgreSQL.
    pub(crate) async fn on_postgres(settings: &[&str]) -> Self {
        let place = support::OnPostgres::fresh().await;
        let url = format!("database.url={}", place.url());
        let settings: Vec<_> = settings.iter().copied().chain([url.as_str()]).collect();
        Self { server: Server::start(&settings), place: Some(place) }
    }

    /// Stops its server, and starts another on the same database.
    pub(crate) fn restarted(self, settings: &[&str]) -> Self {
        let Self { server, place } = self;
        server.signal("TERM");
        let (_, folder) = server.ended();
        let url = place.as_ref().map(|place| format!("database.url={}", place.url()));
        let settings: Vec<_> = settings.iter().copied().chain(url.as_deref()).collect();
        Self { server: Server::start_in(folder, &settings), place }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// Makes a token and returns it.
    pub(crate) fn token(&self, name: &str, scope: &str) -> String {
        let url = self.place.as_ref().map(|place| format!("database.url={}", place.url()));
        let mut arguments: Vec<&str> = url.iter().flat_map(|url| ["--set", url.as_str()]).collect();
        arguments.extend(["token", "create", name, "--scope", scope]);
        self.server.command(&arguments)
    }
}

/// Fills a form in, as a browser sends it.
pub(crate) fn filled(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let url = Url::parse_with_params("http://form", fields).expect("an address");
    let body = url.query().unwrap_or_default().to_owned();
    request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

/// Runs a story on SQLite and on PostgreSQL.
macro_rules! on_both_engines {
    ($name:ident, $settings:expr) => {
        mod $name {
            use crate::{page::site::Site, support::process::STUCK};

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                let site = Site::on_sqlite($settings);
                tokio::time::timeout(2 * STUCK, super::$name(&site)).await.expect("an end");
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                let site = Site::on_postgres($settings).await;
                tokio::time::timeout(2 * STUCK, super::$name(&site)).await.expect("an end");
            }
        }
    };
}
pub(crate) use on_both_engines;
