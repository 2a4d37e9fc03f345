//! `/.well-known/oauth-protected-resource`: what a client needs for authentication (RFC 9728).

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, Uri},
    routing::get,
};
use serde::Serialize;

use super::{app::HttpState, guard::access::METADATA};
use crate::auth::Permission;

pub(super) fn routes() -> Router<HttpState> {
    // For the whole server, and where clients of MCP look for it: at the resource's own path.
    Router::new().route(METADATA, get(describe)).route("/.well-known/oauth-protected-resource/mcp", get(describe_mcp))
}

/// The description of one protected resource.
#[derive(Serialize)]
struct Metadata {
    resource: String,
    resource_name: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    bearer_methods_supported: [&'static str; 1],
    scopes_supported: [String; 3],
    resource_documentation: String,
}

async fn describe(State(app): State<HttpState>, headers: HeaderMap, uri: Uri) -> Json<Metadata> {
    let base = app.policy.base(&headers, &uri);
    Json(metadata(&app, base.clone(), &base))
}

async fn describe_mcp(State(app): State<HttpState>, headers: HeaderMap, uri: Uri) -> Json<Metadata> {
    let base = app.policy.base(&headers, &uri);
    Json(metadata(&app, format!("{base}/mcp"), &base))
}

fn metadata(app: &HttpState, resource: String, base: &str) -> Metadata {
    let auth = &app.host.settings().auth;
    Metadata {
        resource,
        resource_name: "Afterword",
        authorization_servers: Some(auth.issuer.clone()).filter(|issuer| !issuer.is_empty()).into_iter().collect(),
        bearer_methods_supported: ["header"],
        scopes_supported: Permission::ALL.map(|scope| format!("{}{scope}", auth.scope_prefix)),
        resource_documentation: format!("{base}/api/docs"),
    }
}
