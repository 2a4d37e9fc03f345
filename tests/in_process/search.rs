//! What people can expect of a search, in every script and on both engines.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

#[path = "."]
mod sqlite {
    type TestHost = crate::support::TestHost<crate::support::OnSqlite>;

    #[path = "search/earlier.rs"]
    mod earlier;
    #[path = "search/filters.rs"]
    mod filters;
    #[path = "search/language.rs"]
    mod language;
    #[path = "search/meaning.rs"]
    mod meaning;
    #[path = "search/names.rs"]
    mod names;
    #[path = "search/reranking.rs"]
    mod reranking;
    #[path = "search/scripts.rs"]
    mod scripts;
}

#[path = "."]
mod postgres {
    type TestHost = crate::support::TestHost<crate::support::OnPostgres>;

    #[path = "search/earlier.rs"]
    mod earlier;
    #[path = "search/filters.rs"]
    mod filters;
    #[path = "search/language.rs"]
    mod language;
    #[path = "search/meaning.rs"]
    mod meaning;
    #[path = "search/names.rs"]
    mod names;
    #[path = "search/reranking.rs"]
    mod reranking;
    #[path = "search/scripts.rs"]
    mod scripts;
}
