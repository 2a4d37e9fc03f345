//! The library that makes calls fail: compiled once, controlled through a file that both see.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

pub(crate) const ENOSPC: i64 = 28;
pub(crate) const EIO: i64 = 5;

/// Which calls fail.
pub(crate) struct Fault {
    /// The number of the call, from 0.
    pub(crate) at: i64,
    /// Whether all calls after it fail too.
    pub(crate) forever: bool,
    /// The `errno`; 0 for none.
    pub(crate) error: i64,
    /// Files cannot grow.
    pub(crate) full: bool,
}

impl Fault {
    pub(crate) const NONE: Self = Self { at: 0, forever: false, error: 0, full: false };
}

/// The disk under this process.
pub(crate) struct FailingDisk(File);

impl FailingDisk {
    pub(crate) fn attached() -> Self {
        let path = std::env::var("FAILING_CONTROL").expect("a process of its own");
        Self(File::options().read(true).write(true).open(path).expect("a file of control"))
    }

    /// Sets the failure; counting begins again.
    pub(crate) fn set(&self, fault: Fault) {
        // The error is written last, because it switches the rest on.
        let numbers = [0, fault.at, fault.forever.into(), fault.error, fault.full.into()];
        for (place, number) in numbers.into_iter().enumerate() {
            self.0.write_all_at(&number.to_ne_bytes(), 8 * place as u64).expect("a number");
        }
    }

    /// Calls since then to which the failure could have applied.
    pub(crate) fn seen(&self) -> i64 {
        let mut number = [0; 8];
        self.0.read_exact_at(&mut number, 0).expect("a number");
        i64::from_ne_bytes(number)
    }
}

/// The folder whose files fail.
pub(crate) fn folder() -> String {
    std::env::var("FAILING_FOLDER").expect("a process of its own")
}

/// Runs one ignored test of this program on a disk of that kind.
pub(crate) fn in_a_process_of_its_own(test: &str) {
    let place = tempfile::tempdir().expect("a folder");
    let (folder, control) = (place.path().join("files"), place.path().join("control"));
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(&control, [0; 40]).expect("a file of control");
    let program = std::env::current_exe().expect("this program");
    let status = Command::new(program)
        .args(["--ignored", "--exact", test, "--nocapture"])
        .env("LD_PRELOAD", shim())
        .env("FAILING_FOLDER", std::fs::canonicalize(&folder).expect("a folder"))
        .env("FAILING_CONTROL", &control)
        .status()
        .expect("a process");
    assert!(status.success(), "{test}");
}

fn shim() -> &'static Path {
    static SHIM: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = SHIM.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("shim.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/failing_disk/shim.c");
        let made =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&path).args([source, "-ldl"]).status();
        assert!(made.expect("a C compiler").success(), "the library is made");
        (folder, path)
    });
    path
}
