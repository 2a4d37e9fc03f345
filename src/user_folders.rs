//! The user's own folders: settings, data, cache. The working directory is never one of them: it may belong to others.

use std::path::PathBuf;

use directories::{BaseDirs, ProjectDirs};

/// The folder of the settings file, e.g. `~/.config/afterword`. `None` if the user has no home folder.
pub fn settings() -> Option<PathBuf> {
    project().map(|folders| folders.config_dir().to_path_buf())
}

/// The folder of the database, unless settings say otherwise, e.g. `~/.local/share/afterword`.
pub fn data() -> Option<PathBuf> {
    project().map(|folders| folders.data_dir().to_path_buf())
}

/// The folder of what may be deleted at any time, e.g. `~/.cache/afterword`.
pub fn cache() -> Option<PathBuf> {
    project().map(|folders| folders.cache_dir().to_path_buf())
}

/// The user's home folder.
pub fn home() -> Option<PathBuf> {
    BaseDirs::new().map(|folders| folders.home_dir().to_path_buf())
}

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "afterword")
}
