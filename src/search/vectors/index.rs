//! The vectors of one model: those that a file keeps, and in memory what is newer.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Matrix, Nearest, reading::DamagedFile, top_k::TopK, vector_file::VectorFile};

/// All of them.
#[derive(Default)]
pub(super) struct Index {
    kept: Option<VectorFile>,
    /// By their places in the file: articles whose chunks there are not the present ones.
    gone: Vec<bool>,
    gone_chunks: usize,
    newer: Matrix,
    /// Which set of vectors each newer article has.
    marks: HashMap<i64, u32>,
}

/// The chunks of an article, as they are written to a file.
pub(super) struct ArticleRecords {
    pub(super) id: i64,
    pub(super) mark: u32,
    /// Number, scale and codes of each chunk.
    pub(super) chunks: Vec<(i64, f32, Vec<i8>)>,
}

impl Index {
    /// What a file keeps.
    pub(super) fn of(kept: VectorFile) -> Self {
        let gone = vec![false; kept.articles.len()];
        Self { newer: Matrix::of(kept.dimension), kept: Some(kept), gone, ..Self::default() }
    }

    /// Takes in a stored vector.
    pub(super) fn insert(&mut self, article_id: i64, chunk_id: i64, bytes: &[u8]) {
        self.newer.insert(article_id, chunk_id, bytes);
    }

    /// Notes which set of vectors an article has, chunks or not.
    pub(super) fn mark(&mut self, article_id: i64, mark: u32) {
        self.marks.insert(article_id, mark);
    }

    /// Forgets all of an article.
    pub(super) fn remove(&mut self, article_id: i64) {
        self.newer.remove(article_id);
        self.marks.remove(&article_id);
        if let Some(kept) = &self.kept
            && let Some(place) = kept.place(article_id)
            && !std::mem::replace(&mut self.gone[place], true)
        {
            self.gone_chunks += kept.rows(place).len();
        }
    }

    /// How many chunks the file does not know, or knows although they have gone.
    pub(super) fn lag(&self) -> usize {
        self.newer.len() + self.gone_chunks
    }

    /// Chunks in the file.
    pub(super) fn kept(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.chunk_ids.len())
    }

    /// How long the vectors are.
    pub(super) fn dimension(&self) -> usize {
        self.newer.dimension()
    }

    /// The chunks nearest to `query`, the best first, as well as codes can tell.
    pub(super) fn scan(
        &self,
        query: &[f32],
        within: Option<&HashSet<i64>>,
        count: usize,
    ) -> Result<Vec<Nearest>, DamagedFile> {
        if query.len() != self.dimension() || count == 0 {
            return Ok(Vec::new());
        }
        let mut best = TopK::new(count);
        if let Some(kept) = &self.kept {
            let allowed = |place: usize| {
                !self.gone[place] && within.is_none_or(|within| within.contains(&kept.articles[place].id))
            };
            let is_every_one = within.is_none() && !self.gone.contains(&true);
            best = kept.scan(query, (!is_every_one).then_some(&allowed), best)?;
        }
        Ok(self.newer.scan(query, within, best).into_sorted())
    }

    /// The numbers of all articles, in order.
    pub(super) fn articles(&self) -> Vec<i64> {
        let kept = self.kept.iter().flat_map(|kept| &kept.articles).zip(&self.gone);
        let present = kept.filter(|(_, gone)| !**gone).map(|(article, _)| article.id);
        present.chain(self.marks.keys().copied()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// An article with all of its chunks; `None` if it has gone.
    pub(super) fn whole(&self, id: i64) -> Result<Option<ArticleRecords>, DamagedFile> {
        if let Some(&mark) = self.marks.get(&id) {
            let chunks = self.newer.rows(id).map(|(chunk, scale, codes)| (chunk, scale, codes.to_vec()));
            return Ok(Some(ArticleRecords { id, mark, chunks: chunks.collect() }));
        }
        let place = self.kept.as_ref().and_then(|kept| Some((kept, kept.place(id)?)));
        let Some((kept, place)) = place.filter(|(_, place)| !self.gone[*place]) else { return Ok(None) };
        let rows = kept.rows(place);
        let ids = kept.chunk_ids[rows.clone()].iter();
        let chunks = ids.zip(kept.records(rows.clone())?).map(|(chunk, (scale, codes))| (*chunk, scale, codes));
        Ok(Some(ArticleRecords { id, mark: kept.articles[place].mark, chunks: chunks.collect() }))
    }

    /// How many articles the file keeps and the sum of their marks, without those that are `changed`.
    pub(super) fn kept_without(&self, changed: &HashSet<i64>) -> (i64, i64) {
        let articles = self.kept.iter().flat_map(|kept| &kept.articles);
        articles
            .filter(|article| !changed.contains(&article.id))
            .fold((0, 0), |(count, sum), article| (count + 1, sum + i64::from(article.mark)))
    }
}
