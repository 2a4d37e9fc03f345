//! What a caller may ask.

use std::{borrow::Cow, collections::HashMap};

use axum::http::request::Parts;
use rmcp::{RoleServer, handler::server::tool::ToolRouter, service::RequestContext};

use crate::auth::{Caller, Permission, Who};

/// All tools, and the permission that each needs: that of the router it is in.
pub(super) struct Tools<S> {
    pub(super) router: ToolRouter<S>,
    needed: HashMap<Cow<'static, str>, Permission>,
}

impl<S: Send + Sync + 'static> Tools<S> {
    pub(super) fn new(routers: [(Permission, ToolRouter<S>); 3]) -> Self {
        let (mut router, mut needed) = (ToolRouter::new(), HashMap::new());
        for (permission, tools) in routers {
            needed.extend(tools.list_all().into_iter().map(|tool| (tool.name, permission)));
            router.merge(tools);
        }
        Self { router, needed }
    }

    /// Returns the permission that a tool needs; an unknown one needs all of them.
    pub(super) fn required_permission(&self, tool: &str) -> Permission {
        self.needed.get(tool).copied().unwrap_or(Permission::Admin)
    }
}

/// The caller that the guard has authenticated.
pub(super) fn caller(context: &RequestContext<RoleServer>) -> Option<&Caller> {
    context.extensions.get::<Parts>()?.extensions.get::<Caller>()
}

/// The client that pays for shared limits.
pub(super) fn who(context: &RequestContext<RoleServer>) -> Who {
    caller(context).map_or(Who::Local, |caller| caller.who.clone())
}
