//! Markdown files in and out.

mod export;
mod import;

pub use export::{Exported, export_file, exported_path};
pub use import::{ImportError, Imported, OnConflict, import_file, markdown_files};
