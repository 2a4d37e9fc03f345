//! How many requests one client may make.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

use crate::{config::Server, http::problem::Problem};

/// Clients that are remembered before quiet ones are forgotten.
const MAX_REMEMBERED_CLIENTS: usize = 10_000;

/// Counts requests by the client's address.
#[derive(Clone)]
pub(in crate::http) struct Limiter(Option<Arc<DefaultKeyedRateLimiter<IpAddr>>>);

impl Limiter {
    /// Makes a limiter; with a rate of 0 there is no limit.
    pub(in crate::http) fn new(server: &Server) -> Self {
        let quota = NonZeroU32::new(server.rate_limit).zip(NonZeroU32::new(server.rate_burst));
        let limiter = |(rate, burst)| Arc::new(RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)));
        Self(quota.map(limiter))
    }
}

pub(in crate::http) async fn limit(
    State(Limiter(limiter)): State<Limiter>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    if let (Some(limiter), Some(client)) = (limiter, client) {
        if limiter.len() > MAX_REMEMBERED_CLIENTS {
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
