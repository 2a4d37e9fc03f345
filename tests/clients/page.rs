//! The page for people: the real program, and a real browser that is driven as a person would.

mod browser;
mod site;

mod accessible;
mod articles;
mod costs;
mod drafts;
mod entrance;
mod looks;
mod managing;
mod payloads;
mod pictures;
mod provider;
mod reading;
mod truths;
