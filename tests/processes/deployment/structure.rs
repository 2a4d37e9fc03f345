//! Imports follow ARCHITECTURE.md: no circle among files or folders, and each layer imports only what is below it.

#[path = "structure/circles.rs"]
mod circles;
#[path = "structure/interface.rs"]
mod interface;
#[path = "structure/reader.rs"]
mod reader;
#[path = "structure/source.rs"]
mod source;
#[path = "structure/tokens.rs"]
mod tokens;

use std::collections::BTreeSet;

use source::{ModulePath, Source};

use super::tool;

/// The doors: they know the services, and only the server knows them.
const DOORS: [&str; 4] = ["cli", "http", "mcp", "page"];
/// Who may know a door: itself, and the doors that mount it.
const MOUNTS: [(&str, &str); 5] =
    [("server", "http"), ("server", "mcp"), ("server", "page"), ("cli", "server"), ("cli", "mcp")];
/// Crates that speak or describe a protocol of clients, and who may use them besides the doors.
const OF_DOORS: [(&str, &[&str]); 7] = [
    ("axum", &["server", "telemetry"]),
    ("rmcp", &[]),
    ("clap", &[]),
    ("comfy_table", &[]),
    ("utoipa", &["api"]),
    ("utoipa_axum", &[]),
    ("schemars", &["api"]),
];
/// Crates through which the runtime reaches its database. What they are called is its own business.
const OF_THE_DATABASE: [&str; 3] = ["sea_orm", "sqlx", "afterword_migration"];
/// The crate that runs its actors.
const OF_THE_ACTORS: &str = "ractor";

fn host() -> Source {
    Source::of_folder(&tool::root("src"))
}

fn runtime() -> Source {
    Source::of_folder(&tool::root("actors/src"))
}

fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_module_is_on_the_map() {
    let architecture = std::fs::read_to_string(tool::root("ARCHITECTURE.md")).expect("the map");
    let map = architecture.split("```").nth(1).expect("a block");
    let words: Vec<_> = map.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    for folder in ["src", "actors/src"] {
        let files = std::fs::read_dir(tool::root(folder)).expect("a folder");
        let modules = files.map(|file| file.expect("a file").path().with_extension(""));
        for module in modules.filter_map(|module| module.file_name()?.to_str().map(str::to_owned)) {
            let is_named = ["lib", "main"].contains(&module.as_str()) || words.contains(&module.as_str());
            assert!(is_named, "{folder}/{module} is not on the map of ARCHITECTURE.md");
        }
    }
}

#[test]
fn no_file_and_no_folder_imports_in_a_circle() {
    for source in [host(), runtime()] {
        let arrows = source.arrows();
        assert!(arrows.len() > 50, "the reader finds hardly any import; it is broken");
        none("files import each other", &circles::of_files(&arrows));
        none("folders import each other", &circles::of_folders(&arrows));
    }
}

#[test]
fn no_door_knows_another_and_no_service_knows_a_door() {
    let mut found = Vec::new();
    for (from, targets) in host().arrows() {
        let Some(from_top) = from.first() else { continue };
        for (to, names) in targets {
            let Some(to_top) = to.first().filter(|top| DOORS.contains(&top.as_str()) || *top == "server") else {
                continue;
            };
            let is_mounted = MOUNTS.contains(&(from_top.as_str(), to_top.as_str()));
            if from_top != to_top && !is_mounted {
                found.push(format!("{} → {}: {names:?}", from.join("/"), to.join("/")));
            }
        }
    }
    none("a door is known by what should not know it", &found);
}

#[test]
fn no_service_speaks_the_language_of_a_door() {
    let mut found = Vec::new();
    for (place, file) in &host().files {
        let Some(top) = place.first().filter(|top| !DOORS.contains(&top.as_str())) else { continue };
        for (name, others) in OF_DOORS {
            if file.foreign.contains(name) && !others.contains(&top.as_str()) {
                found.push(format!("{} uses {name}", place.join("/")));
            }
        }
    }
    none("a service knows how clients are spoken to", &found);
}

#[test]
fn what_the_doors_say_knows_no_service_and_no_door() {
    let is_api = |place: &ModulePath| place.first().is_some_and(|top| top == "api");
    let arrows = host().arrows();
    assert!(arrows.keys().any(is_api), "there is no `api`");
    let from_api = arrows.iter().filter(|(from, _)| is_api(from));
    let leads_out = from_api.flat_map(|(from, targets)| {
        let out = targets.keys().filter(|to| !is_api(to));
        out.map(move |to| format!("{} → {}", from.join("/"), to.join("/")))
    });
    none("`api` imports what it should not know", &leads_out.collect::<Vec<_>>());
}

#[test]
fn only_supervision_and_the_tree_know_how_actors_are_run() {
    let is_inside =
        |place: &ModulePath| place.first().is_some_and(|top| ["tree", "supervision"].contains(&top.as_str()));
    let source = runtime();
    let outside = source.files.iter().filter(|(place, file)| file.foreign.contains(OF_THE_ACTORS) && !is_inside(place));
    none("ractor is used outside the tree", &outside.map(|(place, _)| place.join("/")).collect::<Vec<_>>());
}

#[test]
fn what_the_runtime_shows_names_neither_the_library_of_its_database_nor_that_of_its_actors() {
    let texts = source::texts(&tool::root("actors/src"));
    let libraries: Vec<_> = OF_THE_DATABASE.into_iter().chain([OF_THE_ACTORS]).collect();
    let mut found = Vec::new();
    for (place, text) in &texts {
        let said = interface::showing(text, &libraries);
        found.extend(said.into_iter().map(|said| format!("{}: {said}", place.join("/"))));
    }
    none("a host would have to know a library of the runtime", &found);
    let is_used = |file: &source::File| OF_THE_DATABASE.iter().any(|name| file.foreign.contains(*name));
    assert!(runtime().files.values().any(is_used), "the reader finds no use of it; it is broken");
    let host = host();
    let users = host.files.iter().filter(|(_, file)| is_used(file)).map(|(place, _)| place.join("/"));
    none("the host passes the runtime's interface by", &users.collect::<Vec<_>>());
}

#[test]
fn every_decision_has_a_number_of_its_own_and_its_title_in_the_list() {
    let list = std::fs::read_to_string(tool::root("docs/decisions/README.md")).expect("the list");
    let mut numbers = BTreeSet::new();
    for entry in std::fs::read_dir(tool::root("docs/decisions")).expect("the decisions") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(tool::root("docs/decisions").join(&name)).expect("a decision");
        let (Some((number, _)), Some(title)) = (name.split_once('-'), text.lines().next()) else { continue };
        assert!(numbers.insert(number.to_owned()), "two decisions are number {number}");
        let line = format!("- [{number}]({name}) {}", title.trim_start_matches("# "));
        assert!(list.lines().any(|listed| listed == line), "docs/decisions/README.md has no line {line:?}");
    }
}

#[test]
fn the_questions_about_the_documentation_are_answered_by_pages_that_there_are() {
    let questions = std::fs::read_to_string(tool::root("docs/questions.json")).expect("the questions");
    let questions: Vec<serde_json::Value> = serde_json::from_str(&questions).expect("JSON");
    let slugs = questions.iter().flat_map(|question| question["slugs"].as_array().expect("slugs"));
    for slug in slugs.map(|slug| slug.as_str().expect("a slug")) {
        let is_there = |folder: &str| tool::root(folder).join(format!("{slug}.md")).is_file();
        assert!(is_there("docs") || is_there("docs/decisions"), "{slug}");
    }
}

/// Checks that what is wrong is found.
mod reading {
    use super::{
        circles, interface,
        source::{Arrows, ModulePath, Source},
    };

    fn read(files: &[(&str, &str)]) -> Source {
        let place =
            |path: &str| path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect::<ModulePath>();
        Source::of_texts(files.iter().map(|(path, text)| (place(path), (*text).to_owned())).collect())
    }

    fn told(arrows: &Arrows) -> Vec<String> {
        let one = |(from, to): (&ModulePath, &ModulePath)| format!("{}>{}", from.join("/"), to.join("/"));
        arrows.iter().flat_map(|(from, all)| all.keys().map(move |to| (from, to))).map(one).collect()
    }

    #[test]
    fn an_import_leads_to_the_file_that_defines_the_name() {
        let source = read(&[
            ("", "mod a; mod b;"),
            ("a", "mod inner; pub use inner::Thing; pub fn own() {}"),
            ("a/inner", "pub struct Thing;"),
            ("b", "use crate::a::{Thing, own as other}; fn f(_: Thing) { other() }"),
        ]);
        assert_eq!(told(&source.arrows()), ["b>a", "b>a/inner"], "who hands a name on is not who defines it");
    }

    #[test]
    fn paths_in_code_and_in_macros_are_imports_and_tests_are_not() {
        let source = read(&[
            ("", "mod a; mod b; mod c; mod d;"),
            ("a", "fn f() { crate::b::g() } #[cfg(test)] mod tests { use crate::d::X; }"),
            ("b", "pub fn g() { println!(\"{}\", super::c::h()) }"),
            ("c", "pub(in crate::a) fn h() -> u8 { 1 } mod inside { pub fn i() { super::super::d::X; } }"),
            ("d", "pub struct X; #[cfg(test)] mod tests;"),
            ("d/tests", "use crate::a;"),
        ]);
        assert_eq!(told(&source.arrows()), ["a>b", "b>c", "c>d"]);
    }

    #[test]
    fn a_library_is_found_in_what_is_public_and_nowhere_else() {
        let shows = |text: &str| interface::showing(text, &["lib"]);
        for text in [
            "use lib::{inner::Deep, Other as Mine}; pub fn f(a: u8, b: &impl Deep) -> u8 { 1 }",
            "use lib::Other as Mine; pub async fn f<A, B>() -> Result<A, Mine> { g() }",
            "pub type Short = lib::Long;",
            "pub struct S { a: u8, pub b: Vec<lib::Row> }",
            "use lib::Row; pub struct S(pub Row);",
            "use lib::Row; pub enum E { A(u8), B { row: Row } }",
            "use lib::Row; pub trait T { fn f(&self) -> Row; }",
            "use lib::Error; impl From<Error> for Mine { fn from(_: Error) -> Self { Self } }",
            "use lib::Error; pub struct Own; impl From<Error> for Own {}",
            "use lib::{self, x::{Y}}; #[derive(Debug)] impl<T: Y> Sql for T {}",
            "use lib::Row; pub struct Own<R>(R); impl<R: Row> Own<R> {}",
            "pub use lib::Row;",
        ] {
            assert_eq!(shows(text).len(), 1, "{text}");
        }
        for text in [
            "use lib::Row; pub(crate) fn f(row: Row) {} fn g(row: Row) {} pub(super) struct S(Row);",
            "use lib::Row; pub struct S(Row, pub(super) Row); pub struct T { row: Row, pub n: u8 }",
            "use lib::Other as Mine; pub fn f(other: Other) { Mine::g() }",
            "use lib::Row; impl S { pub fn f(&self) -> u8 { Row::of(self) } fn g() -> impl Iterator<Item = Row> { h() } }",
            "use lib::Row; pub fn f() {} #[cfg(test)] mod tests { pub fn f(row: Row) {} }",
            "use lib::Row; pub(crate) struct Own<R>(R); impl<R: Row> Own<R> { fn f() {} }",
            "use lib::Row; struct Own; pub(crate) enum Half { A } impl From<Row> for Own {} impl From<Row> for Half {}",
            "// pub fn f(row: lib::Row) {}",
        ] {
            assert_eq!(shows(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn circles_are_found_among_files_and_among_folders() {
        let source = read(&[
            ("", "mod a; mod b;"),
            ("a", "mod one; mod two;"),
            ("a/one", "use crate::b::three::C; pub struct A;"),
            ("a/two", "pub struct B;"),
            ("b", "pub mod three; pub mod four;"),
            ("b/three", "pub struct C;"),
            ("b/four", "use crate::a::two::B;"),
        ]);
        let arrows = source.arrows();
        assert!(circles::of_files(&arrows).is_empty(), "no file meets itself");
        assert_eq!(circles::of_folders(&arrows).len(), 1, "but each folder needs the other");
        let source = read(&[
            ("", "mod a; mod b;"),
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "use super::a::A; pub struct B;"),
        ]);
        assert_eq!(circles::of_files(&source.arrows()).len(), 1);
    }
}
