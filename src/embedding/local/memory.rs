//! Memory for millions of numbers, in the large pages of the system if it has them: to get it in small ones takes longer than to
//! read what belongs there, and a product that reads through it looks each of them up.

/// Less is not worth asking for. *Units:* bytes.
const LARGE: usize = 2 << 20;

/// So many numbers, all of them 0.
pub(super) fn zeroed(length: usize) -> Vec<f32> {
    let numbers = vec![0.0; length];
    ask_for_large_pages(&numbers);
    numbers
}

/// Room for so many.
pub(super) fn room<T>(length: usize) -> Vec<T> {
    let numbers = Vec::with_capacity(length);
    ask_for_large_pages(&numbers);
    numbers
}

#[cfg(target_os = "linux")]
fn ask_for_large_pages<T>(numbers: &Vec<T>) {
    use rustix::mm::{Advice, madvise};
    let start = numbers.as_ptr().addr();
    let end = start + numbers.capacity() * size_of::<T>();
    // Only whole pages, and only those of this memory.
    let (first, last) = (start.next_multiple_of(LARGE), end - end % LARGE);
    if first >= last {
        return;
    }
    let pages = numbers.as_ptr().cast_mut().wrapping_byte_add(first - start);
    #[expect(unsafe_code, reason = "the system takes a pointer; it is only told how this memory will be used")]
    // SAFETY: the pages lie within the memory of `numbers`, and the advice changes nothing of what is in them.
    let asked = unsafe { madvise(pages.cast(), last - first, Advice::LinuxHugepage) };
    // A system without them does as always.
    let _ = asked;
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages<T>(_: &Vec<T>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_in_large_pages_is_as_any_other() {
        for length in [0, 1, 1_000, 600_000, 3_000_001] {
            let mut numbers = zeroed(length);
            assert!(numbers.len() == length && numbers.iter().all(|number| *number == 0.0));
            numbers.fill(1.5);
            let mut copy = room::<f32>(length);
            copy.extend(&numbers);
            assert!(copy == numbers && copy.capacity() >= length);
        }
    }
}
