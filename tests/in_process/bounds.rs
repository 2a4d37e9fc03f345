//! Large texts, histories and collections of vectors: nothing of them is refused, lost, or kept for ever.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

#[path = "."]
mod sqlite {
    type TestHost = crate::support::TestHost<crate::support::OnSqlite>;

    #[path = "bounds/cleaning.rs"]
    mod cleaning;
    #[path = "bounds/lists.rs"]
    mod lists;
    #[path = "bounds/texts.rs"]
    mod texts;
    #[path = "bounds/vectors.rs"]
    mod vectors;
    #[path = "bounds/walks.rs"]
    mod walks;
}

#[path = "."]
mod postgres {
    type TestHost = crate::support::TestHost<crate::support::OnPostgres>;

    #[path = "bounds/cleaning.rs"]
    mod cleaning;
    #[path = "bounds/lists.rs"]
    mod lists;
    #[path = "bounds/texts.rs"]
    mod texts;
    #[path = "bounds/vectors.rs"]
    mod vectors;
    #[path = "bounds/walks.rs"]
    mod walks;
}
