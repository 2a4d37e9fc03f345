//! The Python SDK of the protocol: version 1 speaks the older era, version 2 the newer one.

use std::path::Path;

use crate::{
    site::{Site, clients, command, program},
    support::TOKIO,
};

fn visit(sdk: &str, server: &[&str], settings: &[(String, String)]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp_clients/visit.py");
    let output = command(&clients().join(sdk).join("bin/python"))
        .arg(script)
        .args(server)
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{sdk}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn both_versions_visit_over_stdio() {
    for sdk in ["python-1", "python-2"] {
        let folder = tempfile::tempdir().expect("a folder");
        let (program, settings) = program(folder.path());
        visit(sdk, &[program, "mcp"], &settings);
    }
}

#[test]
fn both_versions_visit_over_http() {
    let site = Site::open();
    let worker = TOKIO.block_on(site.worker());
    let _inside = TOKIO.enter();
    let url = site.http(&worker);
    for sdk in ["python-1", "python-2"] {
        visit(sdk, &[&url], &[]);
    }
}
