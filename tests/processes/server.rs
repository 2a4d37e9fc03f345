//! The host server from outside: the real program, over real sockets.

mod abuse;
mod access;
mod asked;
mod changing;
mod closed;
mod description;
mod echo;
mod in_step;
mod issuer;
mod life;
mod limits;
mod pages;
mod shares;
mod stopping;
mod telling;
mod without_queue;
