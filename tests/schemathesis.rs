//! REST against its own description: requests made up from it, well formed and not, and every answer judged by it.

#[path = "server/process.rs"]
mod process;
#[path = "support/tool.rs"]
mod tool;

use process::Server;

const SCHEMATHESIS: &str = "schemathesis==4.32.5";

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_a_fault_or_other_than_described() {
    let server = Server::start(&[]);
    server.create("How embeddings are kept true", "There is something to be found.").await;
    let mut run = tool::tool(SCHEMATHESIS, "schemathesis");
    run.arg("--config-file").arg(tool::root("tests/schemathesis.toml")).args(["run", "--no-color"]);
    run.arg(server.url("/api/openapi.json")).env("PYTHONUTF8", "1");
    // What it remembers from run to run belongs nowhere.
    let folder = tempfile::tempdir().expect("a folder");
    run.current_dir(folder.path());
    let said = tokio::task::spawn_blocking(move || tool::approved(&mut run)).await.expect("an answer");
    let summary = said.lines().find(|line| line.contains("generated")).unwrap_or_else(|| panic!("{said}"));
    assert!(summary.ends_with("passed") && !summary.contains("found"), "{said}");
    assert_eq!(server.json("/ready").await["parts"]["database"]["state"], "ready");
}
