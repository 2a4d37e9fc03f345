//! Embedding back ends, each an implementation of the runtime's trait `Embedder`, and making them from settings.

mod back_end;
mod backends;
pub mod local;
pub mod openai;
pub mod scripted;
mod set_settings;
mod turns;

pub use back_end::{BackEndError, Preparation};
pub use backends::Backends;
