//! What an operator is told about hosts that share a database.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

#[path = "."]
mod sqlite {
    type TestHost = crate::support::TestHost<crate::support::OnSqlite>;

    #[path = "operating/suite.rs"]
    mod suite;
}

mod locked;

#[path = "."]
mod postgres {
    type TestHost = crate::support::TestHost<crate::support::OnPostgres>;

    #[path = "operating/suite.rs"]
    mod suite;
}
