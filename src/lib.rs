//! Afterword: an article server for AI agents and people. A save returns at once; the embedding comes after, made by a
//! supervised tree of actors over a durable queue.
//!
//! - [`api`]: what the doors say, one type for each thing
//! - [`articles`]: what an article is, and every rule about its life
//! - [`fulltext`]: the words of articles, written with them and matched
//! - [`search`]: by words, by meaning, or both; [`reranking`]: a model of a server's that orders the best of it
//! - [`embedding`]: the back ends that make vectors; [`chunking`]: the pieces they are made of
//! - [`model`]: local models and where they come from
//! - [`auth`]: authentication of callers, and what they may do
//! - [`queue`], [`bulk`], [`sets`], [`hosts`]: the queue, bulk runs, changes of the model, and the hosts that process
//! - [`server`], [`http`]: the host server and its door; [`health`], [`telemetry`]: its health, and what is measured
//! - [`secrets`]: what must never be shown
//! - [`config`]: settings, and where each came from; [`user_folders`]: where the user keeps them
//! - [`database`]: schema, backup, restore, verification
//! - [`evaluation`]: how good the search is
//! - [`host`]: all of it put together
//! - [`mcp`], [`cli`], [`page`]: doors, for AI agents, at the command line, and for people with a browser
//!
//! The runtime itself is the crate `afterword-actors`, which knows none of these.

pub mod api;
pub mod articles;
pub mod auth;
mod bounded_json;
pub mod bulk;
pub mod chunking;
pub mod cli;
pub mod config;
pub mod database;
pub mod embedding;
pub mod evaluation;
pub mod files;
pub mod fulltext;
pub mod health;
pub mod host;
pub mod hosts;
pub mod http;
mod large_texts;
mod markdown;
pub mod mcp;
pub mod model;
mod offload;
mod only_object;
pub mod page;
mod plural;
mod printable;
pub mod queue;
mod remote;
pub mod reranking;
pub mod search;
pub mod secrets;
pub mod server;
pub mod sets;
mod share;
mod signals;
pub mod telemetry;
pub mod time;
pub mod user_folders;
