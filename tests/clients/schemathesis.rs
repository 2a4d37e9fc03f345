//! REST against its own description: requests made up from it, well formed and not, and every answer judged by it.

use crate::support::{process::Server, tool};

const SCHEMATHESIS: &str = "schemathesis==4.32.5";

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_a_fault_or_other_than_described() {
    let server = Server::start(&[]);
    server.create("How embeddings are kept true", "There is something to be found.").await;
    let mut run = tool::tool(SCHEMATHESIS, "schemathesis");
    run.arg("--config-file").arg(tool::root("tests/schemathesis.toml")).args(["run", "--no-color"]);
    run.arg(server.url("/api/openapi.json")).env("PYTHONUTF8", "1");
    // Its cache of earlier runs goes to a temporary folder.
    let folder = tempfile::tempdir().expect("a folder");
    run.current_dir(folder.path());
    let said = tokio::task::spawn_blocking(move || tool::approved(&mut run)).await.expect("an answer");
    let counted = said.lines().find_map(|line| line.trim().split_once(" generated, "));
    let (made, judged) = counted.unwrap_or_else(|| panic!("{said}"));
    assert!(made.parse::<u32>().is_ok_and(|made| made > 500) && judged.ends_with("passed"), "{said}");
    assert_eq!(server.json("/ready").await["parts"]["database"]["state"], "ready");
}
