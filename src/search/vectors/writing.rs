//! Writing what is in memory to a file.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    codes::{signs, words},
    index::{ArticleRecords, Index},
    reading::DamagedFile,
    vector_file::{BESIDE_CODES, MAGIC},
};

/// Articles taken from the index at a time: searches and changes go on between.
const ARTICLES_PER_STEP: usize = 500;
/// Articles whose vectors tell where the middle of all is, spread over all: it need not be exact.
const FOR_THE_MEAN: usize = 2_000;

/// Writes `index`, which has every change up to `seq`, as vectors of `model_id`. A change meanwhile may be in the file
/// or not: it is read again after `seq`. Ends early when `stop` is set.
pub(super) fn write(file: &File, index: &RwLock<Index>, model_id: i64, seq: i64, stop: &AtomicBool) -> io::Result<()> {
    let read = || index.read().unwrap_or_else(PoisonError::into_inner);
    let (articles, dimension) = {
        let index = read();
        (index.articles(), index.dimension())
    };
    let mut head = Head { mean: mean(&articles, dimension, |id| read().whole(id))?, ..Head::default() };
    let mut to = BufWriter::with_capacity(1 << 20, file);
    for slice in articles.chunks(ARTICLES_PER_STEP) {
        if stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let wholes: Result<Vec<_>, DamagedFile> = {
            let index = read();
            slice.iter().filter_map(|&id| index.whole(id).transpose()).collect()
        };
        let wholes = wholes.map_err(damaged)?;
        wholes.iter().try_for_each(|whole| head.take(whole, dimension, &mut to))?;
    }
    to.write_all(&head.bytes(model_id, seq, dimension))?;
    to.flush()
}

fn damaged(_: DamagedFile) -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// The middle of the vectors of some articles.
fn mean(
    articles: &[i64],
    dimension: usize,
    whole: impl Fn(i64) -> Result<Option<ArticleRecords>, DamagedFile>,
) -> io::Result<Vec<f32>> {
    let (mut sum, mut count) = (vec![0.0_f64; dimension], 0_u32);
    for &id in articles.iter().step_by(articles.len().div_ceil(FOR_THE_MEAN).max(1)) {
        let Some(ArticleRecords { chunks, .. }) = whole(id).map_err(damaged)? else { continue };
        for (_, scale, codes) in chunks {
            sum.iter_mut().zip(codes).for_each(|(sum, code)| *sum += f64::from(code) * f64::from(scale));
            count += 1;
        }
    }
    Ok(sum.into_iter().map(|sum| (sum / f64::from(count.max(1))) as f32).collect())
}

/// What is known of the records.
#[derive(Default)]
struct Head {
    mean: Vec<f32>,
    articles: Vec<u8>,
    chunk_ids: Vec<u8>,
    signs: Vec<u8>,
    article_count: u32,
    chunk_count: u32,
}

impl Head {
    /// Writes the records of an article.
    fn take(
        &mut self,
        ArticleRecords { id, mark, chunks }: &ArticleRecords,
        dimension: usize,
        to: &mut impl Write,
    ) -> io::Result<()> {
        self.articles.extend(id.to_le_bytes());
        self.articles.extend(mark.to_le_bytes());
        self.articles.extend(self.chunk_count.to_le_bytes());
        self.article_count += 1;
        let mut record = Vec::with_capacity(dimension + BESIDE_CODES);
        for (chunk, scale, codes) in chunks {
            record.clear();
            record.extend(scale.to_le_bytes());
            record.extend(codes.iter().map(|code| code.cast_unsigned()));
            record.extend(crc32fast::hash(&record).to_le_bytes());
            to.write_all(&record)?;
            self.chunk_ids.extend(chunk.to_le_bytes());
            self.signs.extend(signs(*scale, codes, &self.mean).flat_map(u64::to_le_bytes));
            self.chunk_count += 1;
        }
        debug_assert_eq!(self.signs.len(), self.chunk_count as usize * words(dimension) * 8);
        Ok(())
    }

    /// Head and foot.
    fn bytes(&self, model_id: i64, seq: i64, dimension: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.articles.len() + self.chunk_ids.len() + self.signs.len() + 64);
        bytes.extend(model_id.to_le_bytes());
        bytes.extend(seq.to_le_bytes());
        bytes.extend(u32::try_from(dimension).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(self.article_count.to_le_bytes());
        bytes.extend(self.chunk_count.to_le_bytes());
        bytes.extend(self.mean.iter().flat_map(|number| number.to_le_bytes()));
        bytes.extend([&self.articles[..], &self.chunk_ids, &self.signs].concat());
        let checksum = crc32fast::hash(&bytes);
        let length = bytes.len() as u64;
        bytes.extend(length.to_le_bytes());
        bytes.extend(checksum.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(MAGIC);
        bytes
    }
}
