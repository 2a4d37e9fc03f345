//! The units of the processor: Intel's Advanced Matrix Extensions, told apart and asked for as Linux wants it.
//!
//! In assembly, because Rust's own functions for them are not stable. Nothing is left in the units from one call to the
//! next.
//!
//! *Source:* "Intel Architecture Instruction Set Extensions Programming Reference", chapter 3; Linux,
//! `Documentation/arch/x86/xstate.rst`.

#![expect(unsafe_code, reason = "these instructions have no safe form; each block says why it is sound")]

use std::{
    arch::{
        asm,
        x86_64::{__cpuid, __cpuid_count},
    },
    marker::PhantomData,
    sync::LazyLock,
};

use super::block::{BLOCK, Block, DEPTH, SIDE, Tile};

/// The shape of the eight tiles, as `ldtilecfg` reads it: all have 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    nothing: [u8; 15],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static SHAPES: Shapes = Shapes {
    palette: 1,
    nothing: [0; 15],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Whether the processor has them and the system lets this process use them.
pub(super) fn is_there() -> bool {
    static IS_THERE: LazyLock<bool> = LazyLock::new(|| has_units() && is_allowed());
    *IS_THERE
}

fn has_units() -> bool {
    /// Leaf 7: AMX-BF16 and AMX-TILE.
    const UNITS: u32 = 1 << 22 | 1 << 24;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & UNITS == UNITS
}

/// Asks the system for the memory in which it keeps the tiles of a thread that has to wait. It refuses what it does not
/// know.
fn is_allowed() -> bool {
    const ARCH_PRCTL: u64 = 158;
    const REQUEST_PERMISSION: u64 = 0x1023;
    const TILE_DATA: u64 = 18;
    let answer: u64;
    // SAFETY: this call of the system takes two numbers, writes to no memory of the process, and changes `rcx` and
    // `r11` as all do.
    unsafe {
        asm!(
            "syscall",
            inout("rax") ARCH_PRCTL => answer,
            in("rdi") REQUEST_PERMISSION,
            in("rsi") TILE_DATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    answer == 0
}

/// The units of this thread, ready for products.
pub(super) struct Units {
    /// They are the thread's.
    _of_this_thread: PhantomData<*const ()>,
}

impl Units {
    /// # Panics
    /// If there are none.
    pub(super) fn take() -> Self {
        assert!(is_there(), "this processor has no AMX");
        // SAFETY: the processor has this instruction, the system allows it, and it reads the 64 bytes of `SHAPES`.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &SHAPES, options(nostack, readonly));
        }
        Self { _of_this_thread: PhantomData }
    }

    /// `to = left * right`.
    ///
    /// *Shape:* `left` has [`BLOCK`] rows, one behind the other; `right` the tiles of 16 outputs, and of the next 16.
    ///
    /// # Panics
    /// If they do not have the same number of inputs.
    pub(super) fn multiply(&self, left: &[u16], right: &[Tile], to: &mut Block) {
        let depth = right.len() / 2;
        let inputs = depth * DEPTH;
        assert!(depth > 0 && right.len() == 2 * depth && left.len() == BLOCK * inputs, "another number of inputs");
        let (upper, lower) = left.split_at(SIDE * inputs);
        let (first, second) = right.split_at(depth);
        // SAFETY: `take` has given the tiles their shapes, and this thread has kept them. Each of the `depth` rounds
        // reads 16 rows of 64 bytes of both halves of `left`, whose rows have `depth` times 64 bytes, and one tile of
        // 1,024 bytes of both halves of `right`. Four tiles of 16 rows of 64 bytes are written, which are `to`. All
        // tiles that are used are named as changed.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm6, [{first} + {tile_row}]",
                "tileloadd tmm4, [{upper} + {left_row}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{second} + {tile_row}]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{lower} + {left_row}]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {upper}, 64",
                "add {lower}, 64",
                "add {first}, 1024",
                "add {second}, 1024",
                "dec {depth}",
                "jnz 2b",
                "tilestored [{to} + {to_row}], tmm0",
                "tilestored [{to} + {to_row} + 64], tmm1",
                "tilestored [{to} + {to_row} + 2048], tmm2",
                "tilestored [{to} + {to_row} + 2112], tmm3",
                upper = inout(reg) upper.as_ptr() => _,
                lower = inout(reg) lower.as_ptr() => _,
                first = inout(reg) first.as_ptr() => _,
                second = inout(reg) second.as_ptr() => _,
                depth = inout(reg) depth => _,
                left_row = in(reg) 2 * inputs,
                tile_row = in(reg) size_of::<[[u16; 2]; SIDE]>(),
                to = in(reg) std::ptr::from_mut(to),
                to_row = in(reg) size_of::<[f32; BLOCK]>(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}

impl Drop for Units {
    /// A thread without tiles is quicker to switch to.
    fn drop(&mut self) {
        // SAFETY: it exists only where the processor has this instruction.
        unsafe {
            asm!("tilerelease", options(nostack, nomem));
        }
    }
}
