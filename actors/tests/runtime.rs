//! The runtime on real databases, in a file and on a server. One suite: `Bench` is the parent module's.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

mod support;

#[path = "."]
mod sqlite {
    type Bench = crate::support::Bench<crate::support::File>;

    #[path = "runtime/models.rs"]
    mod models;
    #[path = "runtime/suite.rs"]
    mod suite;
}

#[path = "."]
mod postgres {
    type Bench = crate::support::Bench<crate::support::Server>;

    #[path = "runtime/models.rs"]
    mod models;
    #[path = "runtime/suite.rs"]
    mod suite;
}
