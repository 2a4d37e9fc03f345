//! Embedding back ends, each an implementation of the runtime's trait `Embedder`, and making them from settings.

mod factory;
mod kept;
pub mod local;
pub mod openai;
mod rationed;
pub mod scripted;

pub use factory::{Backends, FactoryError, Provisioning};
pub use rationed::Rationed;
