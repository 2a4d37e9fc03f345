//! Examples of each command, as its help and its manual page show them.

use clap::Command;

/// Examples of the program.
pub(in crate::cli) const OF_ALL: &str = "\
afterword demo                                   try it, in a database of its own
afterword import notes/ --wait                   bring in markdown files and embed them
afterword search \"why does the water rise\"       find them by words and by meaning
afterword article create \"Tides\" --file tides.md
afterword serve                                  REST, MCP and workers at http://127.0.0.1:8080
afterword doctor                                 check everything, and say what to do";

/// Commands by their words, with examples. A test checks that every command is there.
pub(in crate::cli) const EXAMPLES: &[(&str, &str)] = &[
    ("demo", "afterword demo\nafterword demo notes/ --keep"),
    ("serve", "afterword serve\nafterword serve --bind 127.0.0.1:9000 --set queue.slots=4"),
    ("mcp", "claude mcp add afterword -- afterword mcp"),
    (
        "import",
        "afterword import notes/ --dry-run\nafterword import notes/ --wait\nafterword import docs/ --folder manual --on-conflict update\nafterword import export/ --as notion --dry-run\nafterword import --from-manager postgres://user:password@host/articles --dry-run",
    ),
    ("export", "afterword export backup/\nafterword export site/ --folder blog --prune"),
    ("sync", "afterword sync notes/ --dry-run\nafterword sync notes/\nafterword sync docs/ --folder manual --watch"),
    (
        "article create",
        "afterword article create \"Tides\" --body \"The moon pulls.\"\nafterword article create \"Tides\" --file tides.md --folder sea\nman ls | afterword article create \"ls\" --file -",
    ),
    ("article show", "afterword article show tides\nafterword article show tides --revision 2 --body > tides.md"),
    (
        "article list",
        "afterword article list --folder sea\nafterword article list --since 7d --tag rust\nafterword article list --filter \"status:draft created:2026-01..2026-03\"\nafterword article list --deleted",
    ),
    (
        "article update",
        "afterword article update tides --title \"The tides\"\nafterword article update tides --file tides.md --expected-revision 3",
    ),
    (
        "article edit",
        "afterword article edit tides\nEDITOR=\"code --wait\" afterword article edit tides\nafterword article edit tides --append \"- 14:00 high water\"\nafterword article edit tides --replace-section \"Guide > Sources\" --file sources.md\nafterword article edit tides --find \"teh\" --replace \"the\" --count 3\nafterword article edit tides --edits edits.json",
    ),
    (
        "article diff",
        "afterword article diff tides\nafterword article diff tides --from 1 --to 3\nafterword article diff tides --file tides.md",
    ),
    ("article delete", "afterword article delete tides"),
    (
        "article rename",
        "afterword article rename tides ebb-and-flow\nafterword article rename tides ebb-and-flow --update-links",
    ),
    ("article history", "afterword article history tides"),
    (
        "article restore",
        "afterword article restore tides\nafterword article restore tides --revision 2\nafterword article restore id:12",
    ),
    (
        "search",
        "afterword search \"why does the water rise\"\nafterword search tides --mode keyword --folder sea --tag coast --limit 5\nafterword search tides --json | jq -r '.hits[].slug'",
    ),
    ("tags", "afterword tags\nafterword tags project/"),
    ("properties", "afterword properties\nafterword properties status"),
    ("links", "afterword links tides\nafterword links --broken"),
    ("related", "afterword related tides\nafterword related tides --limit 3 --json"),
    ("bulk start", "afterword bulk start\nafterword bulk start --failed --folder sea\nafterword bulk start --dry-run"),
    ("bulk status", "afterword bulk status\nafterword bulk status 3"),
    ("bulk list", "afterword bulk list"),
    ("bulk cancel", "afterword bulk cancel 3"),
    ("queue stats", "afterword queue stats"),
    ("queue list", "afterword queue list --status failed\nafterword queue list --article tides"),
    ("queue show", "afterword queue show 17"),
    ("queue retry", "afterword queue retry 17"),
    ("queue retry-failed", "afterword queue retry-failed"),
    ("queue cancel", "afterword queue cancel 17"),
    ("queue pause", "afterword queue pause"),
    ("queue resume", "afterword queue resume"),
    ("queue cleanup", "afterword queue cleanup --older-than 1d"),
    ("queue rescue", "afterword queue rescue"),
    ("queue events", "afterword queue events --limit 20\nafterword queue events --task 17"),
    ("queue watch", "afterword queue watch\nafterword queue watch --json | jq -r .event"),
    ("status", "afterword status"),
    ("db migrate", "afterword db migrate"),
    ("db status", "afterword db status"),
    ("db rollback", "afterword db rollback\nafterword db rollback --steps 2 --yes"),
    ("db backup", "afterword db backup backup.db"),
    ("db restore", "afterword db restore backup.db"),
    ("db verify", "afterword db verify"),
    ("db copy", "afterword db copy --from sqlite://~/notes.db --to postgres://me@localhost/afterword"),
    ("index rebuild", "afterword index rebuild"),
    ("config show", "afterword config show"),
    ("config check", "afterword config check\nafterword config check --config new.toml"),
    ("config path", "mkdir -p \"$(dirname \"$(afterword config path)\")\"\n\"$EDITOR\" \"$(afterword config path)\""),
    ("config template", "afterword config template > config.toml"),
    ("token create", "afterword token create laptop\nafterword token create scraper --scope read --expires-in 90d"),
    ("token list", "afterword token list"),
    ("token revoke", "afterword token revoke scraper"),
    ("token open", "afterword token open"),
    ("model fetch", "afterword model fetch"),
    ("model list", "afterword model list"),
    ("model switch", "afterword model switch\nafterword model switch --detach"),
    ("model status", "afterword model status"),
    ("model cancel", "afterword model cancel"),
    ("doctor", "afterword doctor\nafterword doctor --json | jq -r '.checks[] | select(.level != \"ok\").message'"),
    ("eval", "afterword eval collection/"),
    (
        "completions",
        "afterword completions bash > ~/.local/share/bash-completion/completions/afterword\nafterword completions zsh > ~/.zfunc/_afterword\nafterword completions fish > ~/.config/fish/completions/afterword.fish",
    ),
    ("man", "afterword man | man -l -\nafterword man ~/.local/share/man/man1"),
];

/// Returns the examples of a command, one per line.
pub(in crate::cli) fn of(words: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(command, _)| *command == words).map(|(_, examples)| *examples)
}

/// Adds their examples to the command and to all below it.
pub(super) fn add_examples(command: Command, above: &str) -> Command {
    let names: Vec<_> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        let words = format!("{above} {name}").trim_start().to_owned();
        command.mut_subcommand(name, |below| {
            let below = match of(&words) {
                Some(examples) => below.after_help(format!("Examples:\n  {}", examples.replace('\n', "\n  "))),
                None => below,
            };
            add_examples(below, &words)
        })
    })
}
