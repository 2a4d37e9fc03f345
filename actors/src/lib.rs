//! The supervised runtime of Afterword.
pub mod embedder;
