//! How articles are ranked, the same for a ranking and for what explains it.
//!
//! *Source:* Robertson, Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.

use afterword_actors::store::Engine;

/// How soon another occurrence says nothing new.
pub(super) const K1: f64 = 1.2;
/// How much a text's length counts.
pub(super) const B: f64 = 0.75;
/// In SQLite, the worth of a term that more than half of all articles have.
const NEXT_TO_NOTHING: f64 = 1e-6;

/// What a term is worth that so many articles have, of `all`: each engine has its form of the formula.
pub(crate) fn idf(engine: Engine, articles: f64, all: f64) -> f64 {
    match engine {
        // *Source:* SQLite, `fts5_aux.c`.
        Engine::Sqlite => {
            let idf = ((all.max(articles) - articles + 0.5) / (articles + 0.5)).ln();
            if idf <= 0.0 { NEXT_TO_NOTHING } else { idf }
        }
        Engine::Postgres => (1.0 + (all.max(articles) - articles + 0.5) / (articles + 0.5)).ln(),
    }
}

/// What a term of this idf adds to an article that has it so many times, and is so long where articles have `average`
/// terms.
pub(crate) fn worth(idf: f64, times: f64, length: f64, average: f64) -> f64 {
    idf * ((times * (K1 + 1.0)) / (times + K1 * (1.0 - B + B * length / average)))
}
