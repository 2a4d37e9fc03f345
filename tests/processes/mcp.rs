//! The door for AI agents: what it promises to every client, over each transport and in both eras of the protocol.

mod asked;
mod attacks;
mod cuts;
mod deleted;
mod doors;
mod editing;
mod ends;
mod http;
mod in_flight;
mod lenient;
mod links;
mod pages;
mod properties;
mod resources;
mod round_trip;
mod served;
mod stdio;
mod tools;
mod visit;
