//! The tensors of a file of weights, in safetensors' format: each is read into memory once, when it is asked for.
//!
//! The file is not mapped: whoever writes into it while it is in use would end the process.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::{Mutex, PoisonError},
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
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
}

/// Where a tensor is in the file; some files put `bert.` before each name.
pub(super) struct Tensors {
    file: Mutex<File>,
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
        let whole = file.metadata()?.len();
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
        Ok(Self { file: Mutex::new(file), header, start })
    }

    /// Reads a tensor, row by row; its numbers may be stored with more or fewer bits.
    ///
    /// # Errors
    /// [`WeightError`]
    pub(super) fn read(&self, name: &str) -> Result<Vec<f32>, WeightError> {
        let info = self.info(name)?;
        let mut numbers = vec![0.0; length(info)];
        self.read_to(name, info, &mut numbers)?;
        Ok(numbers)
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
        self.read_to(name, info, &mut numbers[start..])
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, WeightError> {
        let info = self.header.info(name).or_else(|| self.header.info(&format!("bert.{name}")));
        info.ok_or_else(|| WeightError::Missing(name.to_owned()))
    }

    fn read_to(&self, name: &str, info: &TensorInfo, to: &mut [f32]) -> Result<(), WeightError> {
        match info.dtype {
            Dtype::F32 => {
                self.fill(info, bytemuck::cast_slice_mut(to))?;
                // In the file, the least byte is first: nothing is done where memory has it so, too.
                to.iter_mut().for_each(|number| *number = f32::from_bits(u32::from_le(number.to_bits())));
                Ok(())
            }
            Dtype::F16 => self.convert(info, to, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => self.convert(info, to, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Dtype::F64 => self.convert(info, to, |bytes| f64::from_le_bytes(bytes) as f32),
            kind => Err(WeightError::Kind { name: name.to_owned(), kind }),
        }
    }

    fn convert<const N: usize>(
        &self,
        info: &TensorInfo,
        to: &mut [f32],
        number: impl Fn([u8; N]) -> f32,
    ) -> Result<(), WeightError> {
        let mut bytes = vec![0; to.len() * N];
        self.fill(info, &mut bytes)?;
        to.iter_mut().zip(bytes.as_chunks().0).for_each(|(to, bytes)| *to = number(*bytes));
        Ok(())
    }

    fn fill(&self, info: &TensorInfo, bytes: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.start + info.data_offsets.0 as u64))?;
        file.read_exact(bytes)
    }
}

/// How many numbers it has.
fn length(info: &TensorInfo) -> usize {
    info.shape.iter().product()
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::{TensorView, serialize_to_file};

    use super::*;

    /// A file with these tensors: name, kind, bytes.
    fn written(tensors: &[(&str, Dtype, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let views = tensors.iter().map(|(name, kind, bytes)| {
            let shape = vec![bytes.len() * 8 / kind.bitsize()];
            (*name, TensorView::new(*kind, shape, bytes).expect("a tensor"))
        });
        serialize_to_file(views, None, file.path()).expect("room");
        file
    }

    #[test]
    fn numbers_of_every_width_are_read() {
        let (wide, usual) = ([1.5_f64, -2.0].map(f64::to_le_bytes), [1.5_f32, -2.0].map(f32::to_le_bytes));
        let (half, brain) = (
            [1.5_f32, -2.0].map(|number| f16::from_f32(number).to_le_bytes()),
            [1.5_f32, -2.0].map(|number| bf16::from_f32(number).to_le_bytes()),
        );
        let file = written(&[
            ("wide", Dtype::F64, wide.as_flattened()),
            ("bert.usual", Dtype::F32, usual.as_flattened()),
            ("half", Dtype::F16, half.as_flattened()),
            ("brain", Dtype::BF16, brain.as_flattened()),
            ("whole", Dtype::I32, &[0; 8]),
        ]);
        let tensors = Tensors::open(file.path()).expect("a file of weights");
        for name in ["wide", "usual", "half", "brain"] {
            let mut behind = vec![3.0];
            tensors.append(name, 2, &mut behind).expect("numbers");
            assert_eq!(
                (tensors.read(name).expect("numbers"), behind),
                (vec![1.5, -2.0], vec![3.0, 1.5, -2.0]),
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
        let whole = std::fs::read(written(&[("a", Dtype::F32, &[0; 400])]).path()).expect("bytes");
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
