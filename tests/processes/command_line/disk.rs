//! A disk that cannot be written to. It needs a mount of its own, which `unshare` makes for any user.

use std::process::Command;

use super::CliFixture;
use crate::support::requirement;

/// Runs `script` where a file system of 4 MiB is mounted at `small`; `None` if this machine allows no such thing, which
/// the test says.
fn with_a_small_disk(cli: &CliFixture, script: &str) -> Option<String> {
    if !requirement::may_mount() {
        return None;
    }
    let program = env!("CARGO_BIN_EXE_afterword");
    std::fs::create_dir(cli.path("small")).expect("a folder");
    let script = format!(
        "set -e; program='{program}'; mount -t tmpfs -o size=4m tmpfs small
         afterword() {{ '{program}' --database sqlite://$PWD/small/notes.db \"$@\" 2>&1; }}
         afterword db migrate; {script}"
    );
    let mut command = cli.command(&[]);
    let mut unshare = Command::new("unshare");
    unshare.args(["-rm", "sh", "-c", &script]).current_dir(cli.path(""));
    for (name, value) in command.env("PWD", cli.path("")).get_envs() {
        if let Some(value) = value {
            unshare.env(name, value);
        }
    }
    let output = unshare.output().expect("a shell");
    Some(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// `doctor` reports a fault that names the disk or the file, and its exit code says so.
#[track_caller]
fn is_found(said: &str, reasons: &[&str]) {
    let fault = said.lines().find(|line| line.starts_with("FAULT")).unwrap_or_default();
    assert!(reasons.iter().any(|reason| fault.contains(reason)) && said.contains("ended with 1"), "{said}");
}

#[test]
fn a_full_disk_is_found() {
    let cli = CliFixture::new();
    let script = "dd if=/dev/zero of=small/filler bs=4k 2>/dev/null || true; afterword doctor || echo ended with $?";
    if let Some(said) = with_a_small_disk(&cli, script) {
        is_found(&said, &["full", "No space left", "disk I/O error"]);
    }
}

/// The database lies elsewhere, and the folder of files has no room for what an article says now.
#[test]
fn a_folder_in_step_on_a_full_disk_loses_nothing() {
    let cli = CliFixture::new();
    let script = r##"
        here() { "$program" --database "sqlite://$PWD/here.db" "$@" 2>&1; }
        mkdir small/notes; printf '# Note\n\none\n' > small/notes/note.md; printf '# Gone\n' > small/notes/gone.md
        here sync small/notes
        dd if=/dev/zero of=small/filler bs=4k 2>/dev/null || true
        for room in 0 64k; do
            truncate -s "-$room" small/filler
            (printf '# Note\n\n'; seq 1 50000) | here article update note --file - > updated || cat updated
            here sync small/notes || echo ended with $?
            cat small/notes/note.md; find small/notes -name '*.part'
        done
        here article delete gone > deleted || cat deleted
        rm small/filler; here sync small/notes; here sync small/notes
        tail -n 1 small/notes/note.md; ls small/notes"##;
    let Some(said) = with_a_small_disk(&cli, script) else { return };
    let told = "note.md: cannot be written: No space left on device";
    assert_eq!((said.matches(told).count(), said.matches("ended with 1").count()), (2, 2), "{said}");
    assert_eq!((said.matches("# Note\n\none\n").count(), said.matches(".part").count()), (2, 0), "{said}");
    assert!(said.ends_with("nothing to do: both sides are the same\n50000\nnote.md\n"), "{said}");
}

#[test]
fn a_disk_that_may_only_be_read_is_found() {
    let cli = CliFixture::new();
    let script = "mount -o remount,ro small; afterword doctor || echo ended with $?; umount -l small";
    if let Some(said) = with_a_small_disk(&cli, script) {
        is_found(&said, &["cannot be written", "ead-only"]);
    }
}

/// Two mounts of one file would have two logs; only the name that is no mount is taken.
#[test]
fn a_file_that_is_mounted_under_a_second_name_is_opened_by_the_first_alone() {
    let cli = CliFixture::new();
    let script = r#"
        touch "small/b c.db"; mount --bind small/notes.db "small/b c.db"
        for command in "article list" "db migrate" "doctor"; do
            "$program" --database "sqlite://$PWD/small/b c.db" $command 2>&1 || echo ended with $?
        done
        afterword article create One --body text > /dev/null; afterword article list; umount "small/b c.db""#;
    let Some(said) = with_a_small_disk(&cli, script) else { return };
    assert_eq!(said.matches("ended with 1").count(), 3, "{said}");
    assert!(said.matches("b c.db").count() >= 3 && said.contains("mounted"), "it names the file and why: {said}");
    assert!(said.contains("one") && !cli.path("small/b c.db-wal").exists(), "{said}");
}
