//! Files that are replaced: beside other runs, and where the system cannot exchange names.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{Before, LateWrite, Root, UntouchedBackups, names::tests::without_exchange};
use crate::files::hash;

fn root(folder: &Path) -> Root {
    Root::open(folder).expect("it opens")
}

fn replace(root: &Root, file: &str, old: &str, new: &str) -> std::io::Result<bool> {
    without_exchange(|| root.put(file, new.as_bytes(), &Before::Hash(hash(old.as_bytes())), 0))
}

/// What a look puts beside its place.
fn return_late_writes(root: &Root) -> Vec<LateWrite> {
    root.return_late_writes(&mut UntouchedBackups::default()).expect("a look")
}

fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The entries of files that were taken away.
fn kept(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.join(".afterword-replaced")) else { return Vec::new() };
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text"));
    names.filter(|name| name != ".gitignore").collect()
}

#[test]
fn a_look_takes_no_file_that_another_run_is_writing() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = root(folder.path());
    let text = |round: u8| vec![b'a' + round; 4 << 20];
    fs::write(folder.path().join("a.md"), text(0)).expect("a file");
    let is_over = AtomicBool::new(false);
    let late = std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut late = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                late.extend(root.return_late_writes(&mut UntouchedBackups::default()).expect("a look"));
            }
            late
        });
        for round in 1..20 {
            let before = Before::Hash(hash(&text(round - 1)));
            let put = root.put("a.md", &text(round), &before, 0);
            is_over.store(round == 19 || !matches!(put, Ok(true)), Ordering::Relaxed);
            assert!(put.expect("it is written"), "round {round}");
        }
        looker.join().expect("it ends")
    });
    assert_eq!(late, []);
}

/// Also the only one of its folder, which is empty for a moment.
#[test]
fn a_file_is_replaced_where_names_cannot_be_exchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = root(folder.path());
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    for file in ["a.md", "sub/only.md"] {
        fs::write(folder.path().join(file), "mine").expect("a file");
        assert!(replace(&root, file, "mine", "joined").expect("it is written"), "{file}");
        assert_eq!(text(folder.path(), file), "joined");
        assert!(!replace(&root, file, "mine", "other").expect("nothing goes wrong"), "it holds something else");
        assert_eq!(text(folder.path(), file), "joined");
    }
    assert_eq!(return_late_writes(&root), []);
    assert!(!kept(folder.path()).is_empty(), "what was replaced is kept");
    assert!(kept(folder.path()).iter().all(|name| !name.ends_with("owed")), "{:?}", kept(folder.path()));
}

#[test]
fn a_file_whose_replacement_fails_in_the_middle_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = root(folder.path());
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    fs::write(folder.path().join("sub/only.md"), "mine").expect("a file");
    let dir = root.folder(["sub"].into_iter()).expect("a folder");
    // What was to come is not there, and gets no name.
    let empty = root.make_backup_place("sub/only.md", "empty").expect("a place");
    let failed = root.replace_in_steps(&dir, "sub/only.md", &empty, &hash(b"mine"), &hash(b"joined"));
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(text(folder.path(), "sub/only.md"), "mine");
    assert_eq!((return_late_writes(&root), kept(folder.path())), (vec![], vec![]));
}

/// A process that dies between the two steps.
#[test]
fn a_file_that_is_owed_to_its_place_comes_back_and_is_never_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = root(folder.path());
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    let (path, file) = (folder.path().join("sub/only.md"), "sub/only.md");
    let take = || {
        fs::create_dir_all(folder.path().join("sub")).expect("a folder");
        fs::write(&path, "mine").expect("a file");
        let dir = root.folder(["sub"].into_iter()).expect("a folder");
        root.take_as_owed(&dir, file, &hash(b"mine"), &hash(b"joined")).expect("it is taken");
        assert!(!path.exists());
    };
    take();
    let promised = root.would_return().expect("a look");
    let [returning] = &promised[..] else { panic!("{promised:?}") };
    assert_eq!((returning.place.as_str(), &returning.bytes[..], &returning.late), (file, &b"mine"[..], &None));
    assert_eq!(return_late_writes(&root), []);
    assert_eq!((text(folder.path(), file).as_str(), kept(folder.path())), ("mine", vec![]));

    // Its folder is gone by then, and it was taken long ago.
    take();
    fs::remove_dir(folder.path().join("sub")).expect("a removal");
    let owed = kept(folder.path());
    let [entry] = &owed[..] else { panic!("{owed:?}") };
    let parts = entry.split_once('-').expect("a time and more");
    let replaced = folder.path().join(".afterword-replaced");
    fs::rename(replaced.join(entry), replaced.join(format!("1000-{}", parts.1))).expect("a rename");
    assert_eq!(return_late_writes(&root), []);
    assert_eq!(text(folder.path(), file), "mine");

    // Another file is there by then: both stay.
    take();
    fs::write(&path, "another").expect("a file");
    let told: Vec<_> = root.would_return().expect("a look").into_iter().filter_map(|found| found.late).collect();
    let put = return_late_writes(&root);
    assert_eq!(put, told, "what is done is what was promised");
    let [LateWrite { copy, .. }] = &put[..] else { panic!("one is beside its place: {put:?}") };
    assert_eq!((text(folder.path(), file).as_str(), text(folder.path(), copy).as_str()), ("another", "mine"));

    // What was to come is there: nothing is owed any more.
    take();
    fs::write(&path, "joined").expect("a file");
    assert!(root.would_return().expect("a look").is_empty());
    assert_eq!(return_late_writes(&root), []);
    assert_eq!(text(folder.path(), file), "joined");
    assert!(kept(folder.path()).iter().all(|name| !name.ends_with("owed")), "{:?}", kept(folder.path()));
}

#[test]
fn what_was_replaced_is_kept_for_a_day_unless_it_is_much() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = root(folder.path());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis();
    let put = |minutes: u128, bytes: &[u8]| {
        let hash = &hash(bytes)[..32];
        let entry = folder.path().join(format!(".afterword-replaced/{}-{hash}-{hash}", now - minutes * 60_000));
        fs::create_dir_all(&entry).expect("a folder");
        fs::write(entry.join("a.md"), bytes).expect("a file");
    };
    put(20, b"twenty minutes ago");
    put(25 * 60, b"yesterday");
    assert!(return_late_writes(&root).is_empty());
    assert_eq!(kept(folder.path()).len(), 1, "what is older than a day is gone");
    put(15, &vec![0; (256 << 20) + 1]);
    put(5, b"five minutes ago");
    assert!(return_late_writes(&root).is_empty());
    assert_eq!(kept(folder.path()).len(), 2, "what is older than so much is gone");
}
