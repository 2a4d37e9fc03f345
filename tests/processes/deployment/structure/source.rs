//! A crate as its files name each other: read from the `use` lines, and from paths that are written out.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::reader::{Words, read};

/// The place of a file in its crate: its modules, from the outside in.
pub(crate) type ModulePath = Vec<String>;

/// The files of one crate. `main.rs` is none of them: nothing can import it.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) files: BTreeMap<ModulePath, File>,
}

/// What one file says. Tests inside it are left out.
#[derive(Debug, Default)]
pub(crate) struct File {
    /// Modules with files of their own.
    pub(crate) children: BTreeSet<String>,
    /// What it defines.
    pub(crate) items: BTreeSet<String>,
    /// Names that it imports or re-exports, with what they stand for.
    pub(crate) names: BTreeMap<String, Import>,
    /// Modules whose names it all re-exports.
    pub(crate) globs: Vec<ModulePath>,
    /// Paths that its code writes out.
    pub(crate) paths: Vec<ModulePath>,
    /// Every word of its code outside `use` lines.
    pub(crate) words: Words,
    /// First words of paths that lead out of the crate.
    pub(crate) foreign: BTreeSet<String>,
}

impl File {
    pub(crate) fn note_word(&mut self, word: &str) {
        *self.words.entry(word.to_owned()).or_default() += 1;
    }
}

/// What a name stands for.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) path: ModulePath,
    /// Whether it is re-exported.
    pub(crate) is_public: bool,
}

/// Who imports whom, and which names.
pub(crate) type Arrows = BTreeMap<ModulePath, BTreeMap<ModulePath, BTreeSet<String>>>;

impl Source {
    /// Reads a crate from the folder of its `lib.rs`.
    pub(crate) fn of_folder(root: &Path) -> Self {
        Self::of_texts(texts(root))
    }

    /// Reads a crate from its files' texts.
    pub(crate) fn of_texts(texts: BTreeMap<ModulePath, String>) -> Self {
        let places: BTreeSet<ModulePath> = texts.keys().cloned().collect();
        let mut source = Self::default();
        let mut tests = Vec::new();
        for (place, text) in texts {
            let mut read = read(&text, &place, &places);
            tests.append(&mut read.tests);
            source.files.insert(place, read.file);
        }
        source.files.retain(|place, _| !tests.iter().any(|test| place.starts_with(test)));
        source
    }

    /// Which file each file imports. A file that only re-exports a name is neither imported nor importing.
    pub(crate) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (place, file) in &self.files {
            let handed_on = |name: &str, import: &Import| import.is_public && !file.words.contains_key(name);
            let imports = file.names.iter().filter(|(name, import)| !handed_on(name, import));
            for path in imports.map(|(_, import)| &import.path).chain(&file.paths) {
                let Some(to) = self.home_of(path, 0) else { continue };
                if to != *place {
                    let names = arrows.entry(place.clone()).or_default().entry(to).or_default();
                    names.insert(path.last().cloned().unwrap_or_default());
                }
            }
        }
        arrows
    }

    /// The file in which `path` is defined.
    fn home_of(&self, path: &[String], depth: usize) -> Option<ModulePath> {
        let mut at = ModulePath::new();
        for (index, name) in path.iter().enumerate() {
            let file = self.files.get(&at)?;
            if file.children.contains(name) {
                at.push(name.clone());
                continue;
            }
            if depth < 16 && !file.items.contains(name) {
                let rest = &path[index + 1..];
                let behind = |import: &ModulePath| [import.as_slice(), rest].concat();
                if let Some(import) = file.names.get(name) {
                    return self.home_of(&behind(&import.path), depth + 1);
                }
                let whole = |glob: &ModulePath| [glob.as_slice(), &path[index..]].concat();
                let found = file.globs.iter().filter_map(|glob| self.home_of(&whole(glob), depth + 1));
                if let Some(found) = found.into_iter().find(|found| self.files[found].items.contains(name)) {
                    return Some(found);
                }
            }
            break;
        }
        self.files.contains_key(&at).then_some(at)
    }
}

/// The texts of a crate's files, from the folder of its `lib.rs`.
pub(crate) fn texts(root: &Path) -> BTreeMap<ModulePath, String> {
    let mut texts = BTreeMap::new();
    gather(root, &mut Vec::new(), &mut texts);
    texts
}

fn gather(folder: &Path, place: &mut ModulePath, texts: &mut BTreeMap<ModulePath, String>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        place.push(name);
        if path.is_dir() {
            gather(&path, place, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            match place.as_slice() {
                [lib] if lib == "lib" => drop(texts.insert(Vec::new(), text)),
                [main] if main == "main" => {}
                _ => drop(texts.insert(place.clone(), text)),
            }
        }
        place.pop();
    }
}
