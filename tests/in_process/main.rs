//! What the services, the store and the runtime do, each test with a database of its own in this process, on both
//! engines.

#![recursion_limit = "256"]

mod bounds;
mod door_properties;
mod field_defects;
mod moving_up;
mod notes;
mod openai_embedder;
mod operating;
mod postgres;
mod properties;
mod reranker;
mod search;
mod storage;
#[path = "../support/mod.rs"]
mod support;
mod writes;
