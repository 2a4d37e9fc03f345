//! The door for AI agents before clients that others wrote: the conformance suite, the inspector, and the Python SDKs
//! of both eras. `scripts/test` installs them.

mod conformance;
mod fixture;
mod inspector;
mod python;
mod site;
