//! The model on this machine.

use crate::config::{rules::Rules, section::section};

/// Slots of each thread: while one text is computed, the next are read and cut.
const FOR_EACH_THREAD: usize = 4;
/// More threads than any machine has cores would take minutes to start.
const MAX_THREADS: usize = 1_024;

section! {
    /// The local model.
    Local {
        /// Threads that embed documents; 0: one for each core.
        threads: usize = 0,
        /// Whether to compute in 16-bit numbers (bfloat16) on processors with AMX, which is several times as fast.
        bf16: bool = true,
    }
}

impl Local {
    pub(in crate::config) fn slots(&self) -> usize {
        let threads = match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        threads.saturating_mul(FOR_EACH_THREAD)
    }

    pub(in crate::config) fn check(&self, rules: &mut Rules) {
        rules.check(self.threads <= MAX_THREADS, "embedding.local.threads", "must be from 0 to 1024");
    }
}
