//! Named break points: places where the process may fail, panic or be killed, and where nothing may be lost if it does.
//!
//! [`point!`] stands between two steps of what must survive a crash. In an ordinary build it is nothing, not even its
//! name. With the feature `armed`, the environment variable `BREAK_POINT` chooses one: `NAME=ACTION` or `NAME=ACTION@N`
//! for the `N`-th time it is reached, counted from 1.
//!
//! | action | what happens |
//! |---|---|
//! | `error` | the function returns an error, if the point has one; else as `panic` |
//! | `panic` | a panic |
//! | `kill` | the process is killed as by `kill -9` |
//!
//! Names are `what.step`; a name says what has just been done. `tests/break_points.rs` walks all of them.

/// A break point without an error of its own: `point!("save.committed")`; or with one, which the function returns:
/// `point!("backup.copied", |why| BackupError::Store(why.into()))`, where `why` is a `String`.
#[cfg(feature = "armed")]
#[macro_export]
macro_rules! point {
    ($name:literal) => {
        if $crate::armed::reached($name) {
            panic!("{}", $crate::armed::why($name));
        }
    };
    ($name:literal, $error:expr) => {
        if $crate::armed::reached($name) {
            return Err(($error)($crate::armed::why($name)).into());
        }
    };
}

/// Nothing, in this build.
#[cfg(not(feature = "armed"))]
#[macro_export]
macro_rules! point {
    ($name:literal) => {};
    ($name:literal, $error:expr) => {};
}

#[cfg(feature = "armed")]
#[doc(hidden)]
pub mod armed;
