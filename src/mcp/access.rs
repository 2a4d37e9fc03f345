//! Who may ask what.

use axum::http::request::Parts;
use rmcp::{ErrorData, RoleServer, service::RequestContext};

use super::{
    door::{Door, Way},
    problem,
};
use crate::auth::{Caller, Scope};

/// What a tool needs. A tool that is not named here needs everything.
pub(super) fn needed(tool: &str) -> Scope {
    match tool {
        "read_article"
        | "list_articles"
        | "list_folders"
        | "search_articles"
        | "get_embedding_queue_status"
        | "get_article_embedding_status"
        | "get_bulk_embedding_progress" => Scope::Read,
        "create_article" | "update_article" | "delete_article" => Scope::Write,
        _ => Scope::Admin,
    }
}

impl Door {
    /// Whether whoever asks may do what needs `scope`. Over HTTP the guard in front has put the caller into the request;
    /// where there is none, nobody may do anything.
    pub(super) fn may(&self, context: &RequestContext<RoleServer>, scope: Scope) -> bool {
        match self.way {
            Way::Pipe => true,
            Way::Http { .. } => {
                let request = context.extensions.get::<Parts>();
                let caller = request.and_then(|request| request.extensions.get::<Caller>());
                caller.is_some_and(|caller| caller.may(scope))
            }
        }
    }

    /// The same for a request that is no tool call.
    pub(super) fn must(&self, context: &RequestContext<RoleServer>, scope: Scope) -> Result<(), ErrorData> {
        self.silence.is_broken();
        if self.may(context, scope) {
            return Ok(());
        }
        Err(ErrorData::invalid_request(problem::not_allowed(scope), None))
    }
}
