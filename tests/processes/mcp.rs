//! The door for AI agents: what it promises to every client, over each transport and in both eras of the protocol.

mod attacks;
mod doors;
mod editing;
mod http;
mod lenient;
mod links;
mod pages;
mod properties;
mod resources;
mod served;
mod stdio;
mod tools;
mod visit;
