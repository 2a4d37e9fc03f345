//! What a request of a client may do, and what came with it.

use std::collections::HashMap;

use axum::http::request::Parts;
use rmcp::{ErrorData, RoleServer, service::RequestContext};

use super::{
    access::{caller, who},
    message::LargeArguments,
    problem::{self, Problem},
    server::{McpServer, Transport},
};
use crate::{articles::ArticleError, auth::Permission, share::SharePermit};

impl McpServer {
    /// Whether the caller may do what needs `scope`. Over HTTP the guard in front has put the caller into the request;
    /// a request without one may do nothing.
    pub(super) fn may(&self, context: &RequestContext<RoleServer>, scope: Permission) -> bool {
        match self.way {
            Transport::Pipe => true,
            Transport::Http { .. } => caller(context).is_some_and(|caller| caller.may(scope)),
        }
    }

    /// Returns the caller's name, for the log.
    pub(super) fn caller(&self, context: &RequestContext<RoleServer>) -> String {
        caller(context).map_or_else(|| "local".to_owned(), |caller| caller.name.clone())
    }

    /// Returns the large texts among the arguments, which bypassed the library.
    pub(super) fn large(&self, context: &RequestContext<RoleServer>) -> HashMap<String, String> {
        let large = match self.way {
            Transport::Pipe => context.extensions.get::<LargeArguments>(),
            Transport::Http { .. } => {
                context.extensions.get::<Parts>().and_then(|request| request.extensions.get::<LargeArguments>())
            }
        };
        large.map(LargeArguments::take).unwrap_or_default()
    }

    /// Waits for room for the article of this name, if it is large. It is taken while the article is read; what is sent
    /// of it is small, or at most a megabyte.
    pub(super) async fn room(
        &self,
        context: &RequestContext<RoleServer>,
        slug: &str,
    ) -> Result<Option<SharePermit>, Problem> {
        let size = self.host.articles.weight(slug).await?;
        Ok(self.host.large_texts.room(&who(context), size).await)
    }

    /// Why there is no such article; whoever may restore it learns that it was deleted.
    pub(super) fn missing(&self, context: &RequestContext<RoleServer>, error: ArticleError) -> Problem {
        if let ArticleError::NotFound { slug, deleted: Some(name), .. } = &error
            && self.may(context, Permission::Write)
        {
            return Problem::new(format!(
                "there is no article \"{slug}\" any more: it was deleted; restore_article, slug \"{name}\", brings it back"
            ));
        }
        error.into()
    }

    /// What the service found, or why it found nothing: see [`McpServer::missing`].
    pub(super) fn found<T>(
        &self,
        context: &RequestContext<RoleServer>,
        result: Result<T, ArticleError>,
    ) -> Result<T, Problem> {
        result.map_err(|error| self.missing(context, error))
    }

    /// Waits for room for texts of `size` bytes, if that is much.
    pub(super) async fn room_for(&self, context: &RequestContext<RoleServer>, size: u64) -> Option<SharePermit> {
        self.host.large_texts.room(&who(context), size).await
    }

    /// The same for a request that is not a tool call.
    pub(super) fn must(&self, context: &RequestContext<RoleServer>, scope: Permission) -> Result<(), ErrorData> {
        self.idle_timer.reset();
        if self.may(context, scope) {
            return Ok(());
        }
        Err(ErrorData::invalid_request(problem::not_allowed(scope), None))
    }
}
