//! Small files that would take much memory or an age if they were read carelessly. The system sets the bounds.

use super::CliFixture;

/// Most memory that the program may hold. *Units:* KiB.
const MEMORY: usize = 600 << 10;
/// Most work of a processor. *Units:* seconds.
const WORK: usize = 30;

#[test]
fn front_matter_that_unfolds_is_imported_within_a_bounded_memory_and_work() {
    let cli = CliFixture::new();
    std::fs::create_dir(cli.path("vault")).expect("a folder");
    let put = |name: &str, text: String| std::fs::write(cli.path("vault").join(name), text).expect("a file");
    let front = |text: &str| format!("---\ntitle: Bomb\n{text}\n---\ntext");
    put("good.md", "---\ntags: [a]\n---\ngood".to_owned());
    // Each name is ten of the one before: a billion, if they were put in.
    let laughs = (1..10).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", ")));
    put("laughs.md", front(&("a0: &a0 ha\n".to_owned() + &laughs.collect::<String>())));
    put("aliases.md", front(&format!("a: &a [{}]\nb: [{}]", "x, ".repeat(20_000), "*a, ".repeat(20_000))));
    put("merged.md", front(&format!("a: &a {{{}}}\n{}", "k: v, ".repeat(20_000), "<<: *a\n".repeat(20_000))));
    for (name, part) in
        [("lists", "["), ("maps", "{"), ("nested", "- "), ("keys", "? "), ("quotes", "\""), ("tags", "!")]
    {
        put(&format!("{name}.md"), front(&format!("a: {}", part.repeat(200_000 / part.len()))));
        put(&format!("{name}-behind.md"), "> [![".repeat(4_000) + &part.repeat(20_000));
    }
    put("toml.md", format!("+++\na = {}\n+++\ntext", "[".repeat(200_000)));
    put("json.md", format!("{{\"a\": {}\n", "{\"a\":".repeat(40_000)));
    let bounded = format!("ulimit -d {MEMORY} && ulimit -t {WORK} && exec \"$0\" \"$@\"");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &bounded, env!("CARGO_BIN_EXE_afterword"), "import", "vault", "--json"]);
    shell.current_dir(cli.path(""));
    for (name, value) in cli.command(&[]).get_envs() {
        shell.env(name, value.expect("a value"));
    }
    let output = shell.output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {said}", output.status);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (report["created"].as_u64(), report["failed"].as_array().map(Vec::len)),
        (Some(18), Some(0)),
        "{report}"
    );
}
