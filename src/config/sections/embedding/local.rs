//! The model on this machine.

use crate::config::section::section;

section! {
    /// The local model.
    Local {
        /// Threads that embed documents; 0: one for each core.
        threads: usize = 0,
    }
}
