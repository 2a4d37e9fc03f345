//! What a caller may ask.

use axum::http::request::Parts;
use rmcp::{RoleServer, service::RequestContext};

use crate::auth::{Caller, Permission, Who};

/// Returns the permission that a tool needs. A tool that is not named here needs all of them.
pub(super) fn needed(tool: &str) -> Permission {
    match tool {
        "read_article"
        | "read_articles"
        | "article_context"
        | "article_history"
        | "list_articles"
        | "list_folders"
        | "search_articles"
        | "related_articles"
        | "get_embedding_queue_status"
        | "get_article_embedding_status"
        | "get_bulk_embedding_progress" => Permission::Read,
        "create_article" | "update_article" | "edit_article" | "delete_article" | "rename_article"
        | "restore_article" => Permission::Write,
        _ => Permission::Admin,
    }
}

/// The caller that the guard has authenticated.
pub(super) fn guarded(context: &RequestContext<RoleServer>) -> Option<&Caller> {
    context.extensions.get::<Parts>()?.extensions.get::<Caller>()
}

/// The client that pays for shared limits.
pub(super) fn who(context: &RequestContext<RoleServer>) -> Who {
    guarded(context).map_or(Who::Local, |caller| caller.who.clone())
}
