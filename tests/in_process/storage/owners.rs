//! Whom the files belong to that are written.

use super::{afterword, said};
use crate::support;

/// What root does for a service leaves it able to open its own database.
#[cfg(unix)]
#[test]
fn what_root_makes_belongs_to_the_owner_of_the_database() {
    use std::os::unix::fs::{MetadataExt, chown};
    const SERVICE: u32 = 65_534;
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("service");
    std::fs::create_dir(&place).expect("a folder");
    let is_root = place.metadata().expect("a folder").uid() == 0;
    let can_give = is_root && chown(&place, Some(SERVICE), Some(SERVICE)).is_ok();
    if !support::requirement::meets(can_give, "only root can give files away") {
        return;
    }
    let url = format!("sqlite://{}", place.join("deep/site.db").display());
    let run = |arguments: &[&str]| {
        let output = afterword(folder.path(), &url, arguments).output().expect("a process");
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    };
    let all_are_its_own = |when: &str| {
        for entry in walkdir::WalkDir::new(&place).into_iter().map(|entry| entry.expect("an entry")) {
            let metadata = entry.metadata().expect("metadata");
            assert_eq!((metadata.uid(), metadata.gid()), (SERVICE, SERVICE), "{when}: {}", entry.path().display());
        }
    };
    run(&["article", "create", "One", "--body", "Text."]);
    all_are_its_own("new");
    let open = support::TOKIO.block_on(support::open(url.clone()));
    all_are_its_own("open");
    support::TOKIO.block_on(open.close());
    run(&["bulk", "start"]);
    all_are_its_own("after a host");
    run(&["db", "backup", "copy.db"]);
    run(&["db", "restore", "copy.db"]);
    all_are_its_own("restored");
    // In a folder of root's, the database itself tells whose it is.
    chown(place.join("deep"), Some(0), Some(0)).expect("a change");
    run(&["db", "restore", "copy.db"]);
    assert_eq!(place.join("deep/site.db").metadata().expect("a file").uid(), SERVICE);
}

#[cfg(unix)]
#[test]
fn what_is_written_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("made/site.db").display());
    let run = |arguments: &[&str]| {
        let output = afterword(folder.path(), &url, arguments).output().expect("a process");
        assert!(output.status.success(), "{}", said(&output));
    };
    run(&["article", "create", "One", "--body", "Text."]);
    run(&["db", "backup", "copy.db"]);
    run(&["export", "out"]);
    run(&["db", "restore", "copy.db"]);
    let open = support::TOKIO.block_on(support::open(url.clone()));
    let made = walkdir::WalkDir::new(folder.path()).min_depth(1).into_iter().map(|entry| entry.expect("an entry"));
    let (mut files, mut others) = (0, Vec::new());
    for entry in made {
        files += 1;
        if entry.metadata().expect("metadata").permissions().mode() & 0o077 != 0 {
            others.push(entry.path().to_path_buf());
        }
    }
    assert!(files > 8 && others.is_empty(), "{others:?}");
    support::TOKIO.block_on(open.close());
}
