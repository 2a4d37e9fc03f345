//! What a break point does when it is the chosen one.

use std::{
    process::{self, Command},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Set by the test that starts the process.
const CHOICE: &str = "BREAK_POINT";

struct Choice {
    name: String,
    action: String,
    at: usize,
    reached: AtomicUsize,
}

static CHOSEN: LazyLock<Option<Choice>> = LazyLock::new(|| {
    let choice = std::env::var(CHOICE).ok()?;
    let (name, action) = choice.split_once('=')?;
    let (action, at) = action.split_once('@').unwrap_or((action, "1"));
    Some(Choice {
        name: name.to_owned(),
        action: action.to_owned(),
        at: at.parse().ok()?,
        reached: AtomicUsize::new(0),
    })
});

/// Whether this point is to fail now. Panics or dies if that is the choice.
///
/// # Panics
/// If asked to.
#[doc(hidden)]
pub fn reached(name: &str) -> bool {
    let Some(choice) = CHOSEN.as_ref().filter(|choice| choice.name == name) else { return false };
    if choice.reached.fetch_add(1, Ordering::SeqCst) + 1 != choice.at {
        return false;
    }
    // The test asserts that the process came here.
    eprintln!("{}", why(name));
    match choice.action.as_str() {
        "panic" => panic!("{}", why(name)),
        "kill" => die(),
        _ => true,
    }
}

/// What an error or a panic says.
#[doc(hidden)]
pub fn why(name: &str) -> String {
    format!("break point {name}")
}

/// As by `kill -9`: no destructor runs, no buffer is flushed.
fn die() -> ! {
    let _ = Command::new("kill").args(["-9", &process::id().to_string()]).status();
    process::abort()
}
