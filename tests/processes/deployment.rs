//! Deployment: the image, the unit, the dashboard, the registry's entry, and the settings of clients; and rules for the
//! source itself.

mod clients;
mod image;
mod monitoring;
mod registry;
mod release;
mod structure;
mod unit;

use crate::support::tool;

/// A file of this repository.
fn file(path: &str) -> String {
    std::fs::read_to_string(tool::root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(path: &str) -> serde_json::Value {
    serde_json::from_str(&file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file that no test program names is never compiled, and its tests never run.
#[test]
fn every_file_of_tests_is_part_of_a_program() {
    let files: Vec<_> = walkdir::WalkDir::new(tool::root("tests"))
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    let all: String = files.iter().map(|path| std::fs::read_to_string(path).expect("a file")).collect();
    let names: std::collections::HashSet<_> = all
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            let declared = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
            declared.strip_prefix("mod ")?.strip_suffix(';')
        })
        .collect();
    for path in files {
        let is_program = path.parent() == Some(&tool::root("tests"));
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let known = is_program || matches!(name.as_str(), "main" | "mod") || names.contains(name.as_str());
        assert!(known, "{} is part of no program", path.display());
    }
}
