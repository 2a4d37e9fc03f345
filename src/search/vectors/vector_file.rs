//! Vectors that a file keeps: their signs are in memory and choose, their codes stay in the file and are read for those
//! that were chosen. The file is never changed, only replaced by another.
//!
//! *Shape:* one record for each chunk, then the head, then the foot. A record is scale, codes and checksum; the chunks
//! of an article stand together, and the articles are in the order of their numbers. What has been read wrong is known
//! by a checksum, of each record and of the head.

use std::{fs::File, io, path::Path};

use pulp::Arch;
use rayon::prelude::*;

use super::{
    Nearest,
    codes::{count_differences, dot_stored, quantise, signs, words},
    reading::{DamagedFile, Fields, read_at},
    top_k::TopK,
};

/// The end of the foot. Another version of the layout has another number.
pub(super) const MAGIC: [u8; 8] = *b"AWVEC\0\0\x02";
/// The foot: length of the head, its checksum, four bytes of nothing, [`MAGIC`]. *Units:* bytes.
pub(super) const FOOTER_BYTES: usize = 24;
/// Beside its codes, a record has a scale and a checksum. *Units:* bytes.
pub(super) const BESIDE_CODES: usize = 8;
/// For each wanted chunk, this many are chosen by their signs…
const CHOSEN_FOR_EACH: usize = 8;
/// …and at least this many: all of the ten nearest are among the first 500
/// (`docs/decisions/0202-vectors-in-a-file.md`).
const CHOSEN_AT_LEAST: usize = 2_000;
/// Records whose signs are compared on one core at a time.
const RECORDS_PER_CORE: usize = 1 << 16;
/// Records that are passed over together if none of them is chosen.
const SKIPPED_TOGETHER: usize = 64;
/// Records with up to this many others between them are read together.
const MAX_GAP: usize = 8;

/// An article in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileArticle {
    pub(super) id: i64,
    /// Which of its sets of vectors it was: see `catch_up`.
    pub(super) mark: u32,
    /// Its first record; the next article's is behind its last.
    pub(super) first: u32,
}

/// A file of vectors.
pub(super) struct VectorFile {
    file: File,
    pub(super) model_id: i64,
    /// The last change that is included.
    pub(super) seq: i64,
    pub(super) dimension: usize,
    /// The middle of the vectors, by which their signs were told.
    mean: Vec<f32>,
    pub(super) articles: Vec<FileArticle>,
    pub(super) chunk_ids: Vec<i64>,
    signs: Vec<u64>,
}

impl VectorFile {
    /// Opens the file at `path`; `None` if there is none.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, DamagedFile> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let length = file.metadata()?.len();
        let mut foot = [0; FOOTER_BYTES];
        let foot_at = length.checked_sub(FOOTER_BYTES as u64).ok_or(DamagedFile)?;
        read_at(&file, &mut foot, foot_at)?;
        let mut fields = Fields(&foot);
        let (head_length, checksum, nothing) = (fields.u64()?, fields.u32()?, fields.u32()?);
        if nothing != 0 || fields.0 != MAGIC {
            return Err(DamagedFile);
        }
        let head_at = foot_at.checked_sub(head_length).ok_or(DamagedFile)?;
        let mut head = vec![0; usize::try_from(head_length).map_err(|_| DamagedFile)?];
        read_at(&file, &mut head, head_at)?;
        if crc32fast::hash(&head) != checksum {
            return Err(DamagedFile);
        }
        let kept = Self::read(file, Fields(&head))?;
        let records = kept.chunk_ids.len() as u64 * kept.record() as u64;
        if records == head_at { Ok(Some(kept)) } else { Err(DamagedFile) }
    }

    fn read(file: File, mut head: Fields<'_>) -> Result<Self, DamagedFile> {
        let (model_id, seq) = (head.i64()?, head.i64()?);
        let (dimension, articles, chunks) = (head.usize()?, head.usize()?, head.usize()?);
        let mean = head.array(dimension, 4)?.map(|bytes| Fields(bytes).u32().map(f32::from_bits));
        let mean = mean.collect::<Result<Vec<_>, DamagedFile>>()?;
        let article = |fields: &[u8]| {
            let mut fields = Fields(fields);
            Ok(FileArticle { id: fields.i64()?, mark: fields.u32()?, first: fields.u32()? })
        };
        let articles = head.array(articles, 16)?.map(article).collect::<Result<Vec<_>, DamagedFile>>()?;
        let number = |bytes: &[u8]| Fields(bytes).u64();
        let chunk_ids: Vec<_> =
            head.array(chunks, 8)?.map(|bytes| number(bytes).map(u64::cast_signed)).collect::<Result<_, _>>()?;
        let signs: Vec<_> = head.array(chunks * words(dimension), 8)?.map(number).collect::<Result<_, _>>()?;
        Ok(Self { file, model_id, seq, dimension, mean, articles, chunk_ids, signs })
    }

    fn record(&self) -> usize {
        self.dimension + BESIDE_CODES
    }

    /// The place of an article among those of the file.
    pub(super) fn place(&self, article_id: i64) -> Option<usize> {
        self.articles.binary_search_by_key(&article_id, |article| article.id).ok()
    }

    /// The records of the article at `place`.
    pub(super) fn rows(&self, place: usize) -> std::ops::Range<usize> {
        let first = |article: &FileArticle| article.first as usize;
        first(&self.articles[place])..self.articles.get(place + 1).map_or(self.chunk_ids.len(), first)
    }

    /// Scale and codes of records that follow each other.
    pub(super) fn records(&self, rows: std::ops::Range<usize>) -> Result<Vec<(f32, Vec<i8>)>, DamagedFile> {
        let bytes = self.bytes(rows.start, rows.end)?;
        let record = |bytes: &[u8]| {
            let (scale, codes) = whole(bytes)?;
            Ok((scale, codes.iter().map(|code| code.cast_signed()).collect()))
        };
        bytes.chunks_exact(self.record()).map(record).collect()
    }

    fn bytes(&self, from: usize, to: usize) -> Result<Vec<u8>, DamagedFile> {
        let mut bytes = vec![0; (to - from) * self.record()];
        read_at(&self.file, &mut bytes, from as u64 * self.record() as u64)?;
        Ok(bytes)
    }

    /// Adds the chunks nearest to `query` to `best`, of the articles whose places are `allowed`; of every one if that
    /// is
    /// `None`.
    pub(super) fn scan(
        &self,
        query: &[f32],
        allowed: Option<&dyn Fn(usize) -> bool>,
        best: TopK,
    ) -> Result<TopK, DamagedFile> {
        let mut codes = vec![0; self.dimension];
        let scale = quantise(query.iter().copied(), &mut codes);
        let signs: Vec<_> = signs(scale, &codes, &self.mean).collect();
        let count = (best.count() * CHOSEN_FOR_EACH).max(CHOSEN_AT_LEAST);
        let rows = self.choose(&signs, allowed, count);
        // Each core reads its part.
        let part = rows.len().div_ceil(rayon::current_num_threads()).max(1);
        let parts = rows.par_chunks(part).map(|rows| self.nearest_of(rows, (scale, &codes), TopK::new(best.count())));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        Ok(parts.into_iter().fold(best, TopK::join))
    }

    /// The nearest of these records, which are read.
    fn nearest_of(&self, rows: &[u32], query: (f32, &[i8]), mut best: TopK) -> Result<TopK, DamagedFile> {
        let mut rest = rows;
        while let Some(&first) = rest.first() {
            let near = rest.windows(2).take_while(|pair| (pair[1] - pair[0]) as usize <= MAX_GAP).count() + 1;
            let (together, behind) = rest.split_at(near);
            rest = behind;
            let bytes = self.bytes(first as usize, together[near - 1] as usize + 1)?;
            best = self.rank(first, together, &bytes, query, best)?;
        }
        Ok(best)
    }

    /// The records whose signs differ least, in order.
    fn choose(&self, signs: &[u64], allowed: Option<&dyn Fn(usize) -> bool>, count: usize) -> Vec<u32> {
        let differences = self.differences(signs, allowed);
        let (limit, mut at_limit) = limit(&histogram(&differences, self.dimension + 2), count);
        let mut chosen = Vec::with_capacity(count);
        for (number, together) in differences.chunks(SKIPPED_TOGETHER).enumerate() {
            // Nearly all are without one.
            if together.iter().all(|difference| usize::from(*difference) > limit) {
                continue;
            }
            for (place, difference) in together.iter().map(|difference| usize::from(*difference)).enumerate() {
                let is_chosen = difference < limit || difference == limit && at_limit > 0;
                at_limit -= usize::from(is_chosen && difference == limit);
                if is_chosen {
                    chosen.push(u32::try_from(number * SKIPPED_TOGETHER + place).unwrap_or(u32::MAX));
                }
            }
        }
        chosen
    }

    /// How many signs of each record differ; [`u16::MAX`] for articles that are not allowed.
    fn differences(&self, signs: &[u64], allowed: Option<&dyn Fn(usize) -> bool>) -> Vec<u16> {
        let mut differences = vec![0; self.chunk_ids.len()];
        let rows = self.signs.par_chunks(RECORDS_PER_CORE * words(self.dimension).max(1));
        differences
            .par_chunks_mut(RECORDS_PER_CORE)
            .zip(rows)
            .for_each(|(to, rows)| count_differences(rows, signs, to));
        if let Some(allowed) = allowed {
            for place in (0..self.articles.len()).filter(|place| !allowed(*place)) {
                differences[self.rows(place)].fill(u16::MAX);
            }
        }
        differences
    }

    /// Adds `rows` to the best; `bytes` are the records from `first` on.
    fn rank(
        &self,
        first: u32,
        rows: &[u32],
        bytes: &[u8],
        (query_scale, query): (f32, &[i8]),
        mut best: TopK,
    ) -> Result<TopK, DamagedFile> {
        for &row in rows {
            let at = (row - first) as usize * self.record();
            let (scale, codes) = whole(&bytes[at..at + self.record()])?;
            let similarity = similarity(codes, query) as f32 * scale * query_scale;
            if best.wants(similarity) {
                let place = self.articles.partition_point(|article| article.first <= row) - 1;
                let (article_id, chunk_id) = (self.articles[place].id, self.chunk_ids[row as usize]);
                best.push(Nearest { article_id, chunk_id, similarity });
            }
        }
        Ok(best)
    }
}

/// Counts how often each difference occurs; those of `kinds - 1` and above are counted together.
fn histogram(differences: &[u16], kinds: usize) -> Vec<usize> {
    let of_part = |part: &[u16]| {
        let mut counts = vec![0_usize; kinds];
        part.iter().for_each(|difference| counts[usize::from(*difference).min(kinds - 1)] += 1);
        counts
    };
    let sum = |mut counts: Vec<usize>, others: Vec<usize>| {
        counts.iter_mut().zip(others).for_each(|(count, other)| *count += other);
        counts
    };
    differences.par_chunks(RECORDS_PER_CORE).map(of_part).reduce(|| vec![0; kinds], sum)
}

/// The largest difference of the `count` least ones, and how many of that one are among them.
fn limit(counts: &[usize], count: usize) -> (usize, usize) {
    let (mut limit, mut below) = (0, 0);
    while limit + 2 < counts.len() && below + counts[limit] <= count {
        below += counts[limit];
        limit += 1;
    }
    (limit, count - below.min(count))
}

fn similarity(codes: &[u8], query: &[i8]) -> i32 {
    Arch::new().dispatch(
        #[inline(always)]
        || dot_stored(codes, query),
    )
}

/// Scale and codes of a record, if its checksum is right.
fn whole(record: &[u8]) -> Result<(f32, &[u8]), DamagedFile> {
    let (told, checksum) = record.split_at(record.len() - 4);
    if crc32fast::hash(told).to_le_bytes() != checksum {
        return Err(DamagedFile);
    }
    let (scale, codes) = told.split_at(4);
    Ok((f32::from_le_bytes([scale[0], scale[1], scale[2], scale[3]]), codes))
}
