//! A folder of files, and operations on it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use afterword::articles::{Articles, folder::Folder};
use afterword::files::{self, Export, ExportReport, Import, ImportReport, OnConflict};

/// A folder of files, gone when it is dropped.
pub(crate) struct Vault(tempfile::TempDir);

impl Vault {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let vault = Self(tempfile::tempdir().expect("a folder"));
        files.iter().for_each(|(file, text)| vault.put(file, text));
        vault
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join("notes").join(file)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path("")
    }

    pub(crate) fn put(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }

    /// Each file with its text.
    pub(crate) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        walkdir::WalkDir::new(folder)
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let name = entry.path().strip_prefix(folder).expect("below").to_str().expect("text").to_owned();
                (name, std::fs::read(entry.path()).expect("a file"))
            })
            .collect()
    }
}

pub(crate) fn importing(directory: &Path) -> Import {
    Import {
        directory: directory.to_owned(),
        folder: Folder::default(),
        source: None,
        on_conflict: OnConflict::Fail,
        layout: None,
        dry_run: false,
    }
}

pub(crate) fn exporting(directory: &Path) -> Export {
    Export {
        directory: directory.to_owned(),
        folder: Folder::default(),
        on_conflict: OnConflict::Fail,
        prune: false,
        dry_run: false,
    }
}

pub(crate) async fn import(articles: &Articles, directory: &Path) -> ImportReport {
    import_as(articles, importing(directory)).await
}

pub(crate) async fn import_as(articles: &Articles, import: Import) -> ImportReport {
    files::import(articles, &import, &|_, _| {}).await.expect("an import")
}

pub(crate) async fn export(articles: &Articles, directory: &Path) -> ExportReport {
    export_as(articles, exporting(directory)).await
}

pub(crate) async fn export_as(articles: &Articles, export: Export) -> ExportReport {
    files::export(articles, &export, &|_, _| {}).await.expect("an export")
}

/// Created, updated, unchanged, skipped, left deleted, failed.
pub(crate) fn counts(report: &ImportReport) -> [usize; 6] {
    let ImportReport { created, updated, unchanged, skipped, deleted, failed, .. } = report;
    [*created, *updated, *unchanged, *skipped, *deleted, failed.len()]
}

/// The slug of each file.
pub(crate) fn slugs(report: &ImportReport) -> BTreeMap<String, String> {
    report.files.iter().map(|file| (file.file.clone(), file.slug.clone())).collect()
}
