//! The page for people, as a person meets it: the real program, and a real browser that is driven as a hand would.

mod support;

#[path = "page/browser.rs"]
mod browser;
#[path = "server/process.rs"]
mod process;
#[path = "page/site.rs"]
mod site;

#[path = "page/accessible.rs"]
mod accessible;
#[path = "page/articles.rs"]
mod articles;
#[path = "page/costs.rs"]
mod costs;
#[path = "page/entrance.rs"]
mod entrance;
#[path = "page/managing.rs"]
mod managing;
#[path = "page/payloads.rs"]
mod payloads;
#[path = "page/pictures.rs"]
mod pictures;
#[path = "page/provider.rs"]
mod provider;
