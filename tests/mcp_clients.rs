//! The door for AI agents before clients that others wrote: the conformance suite, the inspector, and the Python SDKs of
//! both eras. `scripts/test` installs them.

mod support;

#[path = "server/process.rs"]
mod process;

#[path = "mcp_clients/conformance.rs"]
mod conformance;
#[path = "mcp_clients/fixture.rs"]
mod fixture;
#[path = "mcp_clients/inspector.rs"]
mod inspector;
#[path = "mcp_clients/python.rs"]
mod python;
#[path = "mcp_clients/site.rs"]
mod site;
