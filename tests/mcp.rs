//! The door for AI agents: what it promises to every client, over each transport and in both eras of the protocol.

mod support;

#[path = "support/agent.rs"]
mod agent;

#[path = "server/process.rs"]
mod process;

#[path = "mcp/attacks.rs"]
mod attacks;
#[path = "mcp/doors.rs"]
mod doors;
#[path = "mcp/editing.rs"]
mod editing;
#[path = "mcp/http.rs"]
mod http;
#[path = "mcp/lenient.rs"]
mod lenient;
#[path = "mcp/links.rs"]
mod links;
#[path = "mcp/pages.rs"]
mod pages;
#[path = "mcp/properties.rs"]
mod properties;
#[path = "mcp/resources.rs"]
mod resources;
#[path = "mcp/served.rs"]
mod served;
#[path = "mcp/stdio.rs"]
mod stdio;
#[path = "mcp/tools.rs"]
mod tools;
#[path = "mcp/visit.rs"]
mod visit;
