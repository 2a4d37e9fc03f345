//! The Python SDK of the protocol: version 1 speaks the older era, version 2 the newer one.

use std::path::Path;

use crate::{
    mcp_clients::site::{clients, command, over_http, over_stdio, over_stdio_on},
    support::{OnPostgres, TestDatabase},
};

fn run(script: &str, sdk: &str, server: &[String]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/mcp_clients").join(script);
    let python = clients().join(sdk).join("bin/python");
    let output = command(&python).arg(script).args(server).output().expect("Python runs");
    assert!(output.status.success(), "{sdk}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn both_versions_visit_over_stdio() {
    for sdk in ["python-1", "python-2"] {
        let folder = tempfile::tempdir().expect("a folder");
        run("visit.py", sdk, &over_stdio(folder.path()));
    }
}

#[test]
fn both_versions_visit_over_http() {
    let server = over_http();
    for sdk in ["python-1", "python-2"] {
        run("visit.py", sdk, &[server.url("/mcp")]);
    }
}

#[test]
fn an_agent_spends_a_day_with_its_articles() {
    for sdk in ["python-1", "python-2"] {
        let folder = tempfile::tempdir().expect("a folder");
        run("day.py", sdk, &over_stdio(folder.path()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_spends_a_day_with_articles_on_postgresql() {
    for sdk in ["python-1", "python-2"] {
        let place = OnPostgres::fresh().await;
        run("day.py", sdk, &over_stdio_on(&place.url()));
    }
}
