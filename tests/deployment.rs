//! What surrounds the server: the image, the unit, the dashboard, the registry's entry, and how clients are connected; and
//! what the program's own text says of itself.

#[path = "deployment/clients.rs"]
mod clients;
#[path = "deployment/image.rs"]
mod image;
#[path = "deployment/monitoring.rs"]
mod monitoring;
#[path = "server/process.rs"]
mod process;
#[path = "deployment/registry.rs"]
mod registry;
#[path = "deployment/structure.rs"]
mod structure;
#[path = "support/tool.rs"]
mod tool;
#[path = "deployment/unit.rs"]
mod unit;

/// A file of this repository.
fn file(path: &str) -> String {
    std::fs::read_to_string(tool::root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(path: &str) -> serde_json::Value {
    serde_json::from_str(&file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
