//! Numbers from a file.

use std::{fs::File, io};

/// The file is damaged.
#[derive(Debug)]
pub(super) struct DamagedFile;

impl From<io::Error> for DamagedFile {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// What is left to be read, little-endian.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DamagedFile> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(DamagedFile)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DamagedFile> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, DamagedFile> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, DamagedFile> {
        self.take().map(i64::from_le_bytes)
    }

    pub(super) fn usize(&mut self) -> Result<usize, DamagedFile> {
        Ok(self.u32()? as usize)
    }

    /// `count` parts of `size` bytes.
    pub(super) fn array(&mut self, count: usize, size: usize) -> Result<std::slice::ChunksExact<'a, u8>, DamagedFile> {
        let length = count.checked_mul(size).ok_or(DamagedFile)?;
        let (array, rest) = self.0.split_at_checked(length).ok_or(DamagedFile)?;
        self.0 = rest;
        Ok(array.chunks_exact(size))
    }
}

/// Fills `bytes` with what stands from `at` on.
#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

/// Fills `bytes` with what stands from `at` on.
#[cfg(windows)]
pub(super) fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = std::os::windows::fs::FileExt::seek_read(file, bytes, at)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[count..];
        at += count as u64;
    }
    Ok(())
}
