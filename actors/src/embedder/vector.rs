//! A unit-length vector, checked once where it enters.

/// A vector of unit length with finite numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector(Box<[f32]>);

/// Why numbers are not a [`Vector`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// A vector without numbers.
    #[error("the vector is empty")]
    Empty,
    /// A NaN or an infinity.
    #[error("the vector has a number that is not finite, at position {0}")]
    NotFinite(usize),
    /// All numbers are zero, so that it has no direction.
    #[error("the vector is zero and has no direction")]
    Zero,
    /// The number of stored bytes is not a multiple of four.
    #[error("a stored vector has {0} bytes, which is not a multiple of 4")]
    Torn(usize),
}

impl Vector {
    /// Scales `numbers` to unit length.
    ///
    /// # Errors
    /// [`VectorError`] if they are empty, not finite, or all zero.
    pub fn normalised(mut numbers: Vec<f32>) -> Result<Self, VectorError> {
        if numbers.is_empty() {
            return Err(VectorError::Empty);
        }
        if let Some(position) = numbers.iter().position(|number| !number.is_finite()) {
            return Err(VectorError::NotFinite(position));
        }
        let norm = numbers.iter().map(|&n| f64::from(n) * f64::from(n)).sum::<f64>().sqrt();
        if norm == 0.0 {
            return Err(VectorError::Zero);
        }
        for number in &mut numbers {
            *number = (f64::from(*number) / norm) as f32;
        }
        Ok(Self(numbers.into_boxed_slice()))
    }

    /// Reads what [`Vector::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`VectorError::Torn`] or [`VectorError::Empty`] if the bytes were cut.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VectorError> {
        if bytes.is_empty() {
            return Err(VectorError::Empty);
        }
        if !bytes.len().is_multiple_of(4) {
            return Err(VectorError::Torn(bytes.len()));
        }
        let numbers = bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        Ok(Self(numbers.collect()))
    }

    /// The numbers as little-endian `f32`, four bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// How many numbers there are.
    pub fn dimension(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip_and_torn_bytes_are_refused() {
        let vector = Vector::normalised(vec![3.0, 4.0]).expect("a vector");
        assert_eq!(vector.as_slice(), [0.6, 0.8]);
        assert_eq!(Vector::from_bytes(&vector.to_bytes()), Ok(vector.clone()));
        assert_eq!(Vector::from_bytes(&vector.to_bytes()[..7]), Err(VectorError::Torn(7)));
    }

    #[test]
    fn what_has_no_direction_is_no_vector() {
        assert_eq!(Vector::normalised(vec![]), Err(VectorError::Empty));
        assert_eq!(Vector::normalised(vec![0.0; 3]), Err(VectorError::Zero));
        assert_eq!(Vector::normalised(vec![1.0, f32::NAN]), Err(VectorError::NotFinite(1)));
    }
}
