//! The model on this machine.

use crate::config::section::section;

section! {
    /// The local model.
    Local {
        /// Threads that embed documents; 0: one for each core.
        threads: usize = 0,
        /// Whether to compute in 16-bit numbers (bfloat16) on processors with AMX, which is several times as fast.
        bf16: bool = true,
    }
}
