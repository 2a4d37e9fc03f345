//! Servers of others that are asked over HTTP: how they are reached, and how what they say is read. It is told from
//! errors whose server it was; no secret is passed on.

mod body;
mod client;
mod endpoint;
mod failure;
mod pause;
mod server;
mod wordings;
mod words;

pub(crate) use self::{
    body::at_most,
    client::client,
    endpoint::endpoint,
    failure::{Failure, failure},
    pause::{LONGEST_PAUSE, retry_after, stated_pause},
    server::Server,
    wordings::{Meaning, ends_by_itself, is_about_size, meaning_of, never_fits, stated_limit},
    words::{MAX_SHOWN_CHARS, beginning, page_title, said_in, words_of},
};
