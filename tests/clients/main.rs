//! Clients that others wrote: a browser, the SDKs and suites of the protocol for agents, a tester of HTTP interfaces.

mod mcp_clients;
mod page;
mod schemathesis;
#[path = "../support/mod.rs"]
mod support;
