//! The tensors of a file of weights, in safetensors' format: each is read when it is asked for, and the file stays
//! open.
//!
//! The file is not mapped: whoever writes into it while it is in use would end the process. So read, he is noticed.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use half::{bf16, f16};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// A tensor is missing.
    #[error("there is no tensor \"{0}\"")]
    Missing(String),
    /// A tensor has another size than the configuration says.
    #[error("the tensor \"{name}\" has {found} numbers, and {expected} are expected")]
    Size {
        /// Which one.
        name: String,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A tensor of numbers that no model of this kind is stored in.
    #[error("the tensor \"{name}\" has numbers of type {kind}, and F64, F32, F16 and BF16 are known")]
    Kind {
        /// Which one.
        name: String,
        /// Its type, by its name in the file.
        kind: Dtype,
    },
    /// It is no such file, or a part of one.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Somebody has written into it while it was in use.
    #[error("the file has changed since it was opened: start this program again")]
    Changed,
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
}

/// Where a tensor is in the file; some files put `bert.` before each name.
pub(super) struct Tensors {
    file: Mutex<File>,
    /// When the file was last written to, and its bytes then.
    state: (SystemTime, u64),
    header: Metadata,
    /// Where the tensors begin. *Units:* bytes.
    start: u64,
}

impl Tensors {
    /// Reads what is in the file, and where.
    ///
    /// # Errors
    /// [`WeightError`]
    pub(super) fn open(path: &Path) -> Result<Self, WeightError> {
        /// As safetensors itself has it.
        const LONGEST_HEADER: u64 = 100_000_000;
        let mut file = File::open(path)?;
        let state = state(&file)?;
        let (_, whole) = state;
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(|_| WeightError::Damaged(format!("it has {whole} bytes")))?;
        let length = u64::from_le_bytes(length);
        if length > LONGEST_HEADER || length > whole {
            return Err(WeightError::Damaged(format!("its header has {length} bytes")));
        }
        let mut header = Vec::new();
        Read::take(&mut file, length).read_to_end(&mut header)?;
        let header: Metadata =
            serde_json::from_slice(&header).map_err(|error| WeightError::Damaged(error.to_string()))?;
        let start = 8 + length;
        let expected = start + header.data_len() as u64;
        if whole != expected {
            return Err(WeightError::Damaged(format!("it has {whole} bytes, and its header says {expected}")));
        }
        Ok(Self { file: Mutex::new(file), state, header, start })
    }

    /// Reads a tensor, row by row; its numbers may be stored with more or fewer bits.
    ///
    /// # Errors
    /// [`WeightError`]
    pub(super) fn read(&self, name: &str) -> Result<Vec<f32>, WeightError> {
        let info = self.info(name)?;
        let mut numbers = vec![0.0; length(info)];
        self.read_to(name, info, 0, &mut numbers)?;
        Ok(numbers)
    }

    /// How many numbers a tensor has.
    ///
    /// # Errors
    /// [`WeightError`] if it is not there.
    pub(super) fn length(&self, name: &str) -> Result<usize, WeightError> {
        Ok(length(self.info(name)?))
    }

    /// Reads a part of a tensor, from its number `first` on, until `to` is full.
    ///
    /// # Errors
    /// [`WeightError`]
    ///
    /// # Panics
    /// If it has less than that.
    pub(super) fn read_part(&self, name: &str, first: usize, to: &mut [f32]) -> Result<(), WeightError> {
        let info = self.info(name)?;
        assert!(first + to.len() <= length(info), "\"{name}\" has {} numbers", length(info));
        self.read_to(name, info, first, to)
    }

    /// Reads a tensor of so many numbers behind those that are in `numbers`.
    ///
    /// # Errors
    /// [`WeightError`], also if it has another number of them.
    pub(super) fn append(&self, name: &str, expected: usize, numbers: &mut Vec<f32>) -> Result<(), WeightError> {
        let info = self.info(name)?;
        let found = length(info);
        if found != expected {
            return Err(WeightError::Size { name: name.to_owned(), found, expected });
        }
        let start = numbers.len();
        numbers.resize(start + found, 0.0);
        self.read_to(name, info, 0, &mut numbers[start..])
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, WeightError> {
        let info = self.header.info(name).or_else(|| self.header.info(&format!("bert.{name}")));
        info.ok_or_else(|| WeightError::Missing(name.to_owned()))
    }

    fn read_to(&self, name: &str, info: &TensorInfo, first: usize, to: &mut [f32]) -> Result<(), WeightError> {
        let start = self.start + (info.data_offsets.0 + first * info.dtype.bitsize() / 8) as u64;
        match info.dtype {
            Dtype::F32 => {
                self.fill(start, bytemuck::cast_slice_mut(to))?;
                // In the file, the least byte is first: nothing is done where memory has it so, too.
                to.iter_mut().for_each(|number| *number = f32::from_bits(u32::from_le(number.to_bits())));
                Ok(())
            }
            Dtype::F16 => self.convert(start, to, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => self.convert(start, to, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Dtype::F64 => self.convert(start, to, |bytes| f64::from_le_bytes(bytes) as f32),
            kind => Err(WeightError::Kind { name: name.to_owned(), kind }),
        }
    }

    fn convert<const N: usize>(
        &self,
        start: u64,
        to: &mut [f32],
        number: impl Fn([u8; N]) -> f32,
    ) -> Result<(), WeightError> {
        let mut bytes = vec![0; to.len() * N];
        self.fill(start, &mut bytes)?;
        to.iter_mut().zip(bytes.as_chunks().0).for_each(|(to, bytes)| *to = number(*bytes));
        Ok(())
    }

    /// Reads the bytes from `start` on, if the file is still the one that was opened.
    fn fill(&self, start: u64, bytes: &mut [u8]) -> Result<(), WeightError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        let read = file.read_exact(bytes);
        if state(&file)? != self.state {
            return Err(WeightError::Changed);
        }
        Ok(read?)
    }
}

/// When the file was last written to, and its bytes.
fn state(file: &File) -> io::Result<(SystemTime, u64)> {
    let found = file.metadata()?;
    Ok((found.modified()?, found.len()))
}

/// How many numbers it has.
fn length(info: &TensorInfo) -> usize {
    info.shape.iter().product()
}

/// Files of weights for tests.
#[cfg(test)]
pub(super) mod samples {
    use safetensors::tensor::{Dtype, TensorView, serialize_to_file};

    /// The name of a tensor, its type and its bytes.
    pub(in super::super) type Sample<'a> = (&'a str, Dtype, Vec<u8>);

    pub(in super::super) fn floats<'a>(name: &'a str, numbers: &[f32]) -> Sample<'a> {
        (name, Dtype::F32, numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    pub(in super::super) fn written(tensors: &[Sample<'_>]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let views = tensors.iter().map(|(name, kind, bytes)| {
            let shape = vec![bytes.len() * 8 / kind.bitsize()];
            (*name, TensorView::new(*kind, shape, bytes).expect("a tensor"))
        });
        serialize_to_file(views, None, file.path()).expect("room");
        file
    }
}

#[cfg(test)]
mod tests {
    use super::{
        samples::{floats, written},
        *,
    };

    #[test]
    fn numbers_of_every_width_are_read() {
        let half = [1.5_f32, -2.0].map(|number| f16::from_f32(number).to_le_bytes());
        let brain = [1.5_f32, -2.0].map(|number| bf16::from_f32(number).to_le_bytes());
        let file = written(&[
            ("wide", Dtype::F64, [1.5_f64, -2.0].map(f64::to_le_bytes).concat()),
            floats("bert.usual", &[1.5, -2.0]),
            ("half", Dtype::F16, half.concat()),
            ("brain", Dtype::BF16, brain.concat()),
            ("whole", Dtype::I32, vec![0; 8]),
        ]);
        let tensors = Tensors::open(file.path()).expect("a file of weights");
        for name in ["wide", "usual", "half", "brain"] {
            let mut behind = vec![3.0];
            tensors.append(name, 2, &mut behind).expect("numbers");
            let mut second = [0.0];
            tensors.read_part(name, 1, &mut second).expect("a number");
            assert_eq!(
                (tensors.read(name).expect("numbers"), behind, second),
                (vec![1.5, -2.0], vec![3.0, 1.5, -2.0], [-2.0]),
                "{name}"
            );
        }
        let refused = tensors.append("usual", 3, &mut Vec::new());
        assert!(matches!(refused, Err(WeightError::Size { found: 2, expected: 3, .. })), "{refused:?}");
        assert!(matches!(tensors.read("whole"), Err(WeightError::Kind { kind: Dtype::I32, .. })));
        assert!(matches!(tensors.read("other"), Err(WeightError::Missing(_))));
    }

    #[test]
    fn a_part_of_a_file_and_another_file_are_refused() {
        let whole = std::fs::read(written(&[floats("a", &[0.0; 100])]).path()).expect("bytes");
        let refused = |bytes: &[u8]| {
            let file = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(file.path(), bytes).expect("room");
            matches!(Tensors::open(file.path()), Err(WeightError::Damaged(_)))
        };
        assert!(!refused(&whole));
        for length in 0..whole.len() {
            assert!(refused(&whole[..length]), "{length}");
        }
        assert!(refused(&[whole.as_slice(), b"more"].concat()));
        assert!(refused(&[u8::MAX; 100]) && refused(&[b'x'; 100]) && refused(&[0; 100]));
    }
}
