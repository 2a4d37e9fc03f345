//! Notes of people: their files are imported and exported byte for byte, no two of them become one article, and
//! simultaneous changes lose nothing.
#![expect(clippy::duplicate_mod, reason = "one suite over both engines")]

mod vault;

#[path = "."]
mod sqlite {
    type TestHost = crate::support::TestHost<crate::support::OnSqlite>;

    #[path = "notes/files.rs"]
    mod files;
    #[path = "notes/layouts.rs"]
    mod layouts;
    #[path = "notes/places.rs"]
    mod places;
    #[path = "notes/races.rs"]
    mod races;
    #[path = "notes/resting.rs"]
    mod resting;
    #[path = "notes/round_trip.rs"]
    mod round_trip;
    #[path = "notes/sync.rs"]
    mod sync;
    #[path = "notes/texts.rs"]
    mod texts;
    #[path = "notes/trees.rs"]
    mod trees;
    #[path = "notes/watch.rs"]
    mod watch;
}

#[path = "."]
mod postgres {
    type TestHost = crate::support::TestHost<crate::support::OnPostgres>;

    #[path = "notes/files.rs"]
    mod files;
    #[path = "notes/layouts.rs"]
    mod layouts;
    #[path = "notes/manager.rs"]
    mod manager;
    #[path = "notes/places.rs"]
    mod places;
    #[path = "notes/races.rs"]
    mod races;
    #[path = "notes/resting.rs"]
    mod resting;
    #[path = "notes/round_trip.rs"]
    mod round_trip;
    #[path = "notes/sync.rs"]
    mod sync;
    #[path = "notes/texts.rs"]
    mod texts;
    #[path = "notes/trees.rs"]
    mod trees;
    #[path = "notes/watch.rs"]
    mod watch;
}
