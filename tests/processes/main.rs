//! The real program in processes of its own: served, scripted, killed, connected and deployed.

mod command_line;
mod crash;
mod deployment;
mod hosts;
mod mcp;
mod server;
#[path = "../support/mod.rs"]
mod support;
