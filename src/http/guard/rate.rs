//! How many requests one client may make.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

use crate::{
    config::Server,
    http::{app::App, problem::Problem},
};

/// Clients that are remembered before those are forgotten that have been quiet.
const MANY: usize = 10_000;

/// Counts requests by the client's address.
pub(in crate::http) struct Limiter(DefaultKeyedRateLimiter<IpAddr>);

impl Limiter {
    /// `None` if there is no limit.
    pub(in crate::http) fn new(server: &Server) -> Option<Self> {
        let (rate, burst) = (NonZeroU32::new(server.rate_limit)?, NonZeroU32::new(server.rate_burst)?);
        Some(Self(RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))))
    }
}

pub(in crate::http) async fn limit(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    if let (Some(Limiter(limiter)), Some(client)) = (&app.limiter, client) {
        if limiter.len() > MANY {
            limiter.retain_recent();
        }
        if let Err(early) = limiter.check_key(&client) {
            let wait = early.wait_time_from(limiter.clock().now());
            let detail = "too many requests from this address; slow down, or raise server.rate_limit";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).later(wait));
        }
    }
    Ok(next.run(request).await)
}
