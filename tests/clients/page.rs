//! The page for people, as a person meets it: the real program, and a real browser that is driven as a hand would.

mod browser;
mod site;

mod accessible;
mod articles;
mod costs;
mod entrance;
mod managing;
mod payloads;
mod pictures;
mod provider;
