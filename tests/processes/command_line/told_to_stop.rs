//! Commands that embed and are told to stop: they say so at once, and a second signal ends them.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::CliFixture;

/// A command that embeds for an hour.
struct Long(Child);

impl Long {
    /// Starts it, and waits until an article is being embedded.
    fn start(cli: &CliFixture, arguments: &[&str], drain_timeout: &str) -> Self {
        let drain = format!("queue.drain_timeout={drain_timeout}");
        let mut command = cli.command(arguments);
        command.args(["--set", "embedding.scripted.latency=1h", "--set", &drain]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut long = Self(command.spawn().expect("a process"));
        while cli.json(&["queue", "stats"])["queue"]["processing"] == 0 {
            assert!(long.0.try_wait().expect("a process").is_none(), "it ended by itself");
        }
        long
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.0.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    /// What it says, line by line.
    fn said(&mut self) -> impl Iterator<Item = String> + use<> {
        BufReader::new(self.0.stderr.take().expect("a pipe")).lines().map_while(Result::ok)
    }

    fn code(&mut self) -> Option<i32> {
        self.0.wait().expect("an end").code()
    }
}

impl Drop for Long {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A desk with a folder of notes, one article that waits, and the commands that embed it.
fn cli() -> (CliFixture, [Vec<String>; 3]) {
    let cli = CliFixture::new();
    cli.text(&["article", "create", "One", "--body", "text"]);
    std::fs::create_dir(cli.path("notes")).expect("a folder");
    std::fs::write(cli.path("notes/two.md"), "# Two\n").expect("a file");
    let url = format!("sqlite://{}", cli.path("desk.db").display());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let commands = [
        words(&["bulk", "start"]),
        words(&["import", "notes", "--wait"]),
        words(&["--database", &url, "demo", "notes"]),
    ];
    (cli, commands)
}

#[test]
fn a_command_that_is_told_to_stop_gives_back_what_it_holds() {
    for (number, signal) in ["TERM", "INT", "TERM"].into_iter().enumerate() {
        let (cli, commands) = cli();
        let arguments: Vec<_> = commands[number].iter().map(String::as_str).collect();
        let mut long = Long::start(&cli, &arguments, "100ms");
        long.signal(signal);
        let said: Vec<_> = long.said().collect();
        assert_eq!(long.code(), Some(130), "{arguments:?}: {said:?}");
        let last = said.last().expect("a reason");
        assert!(last.contains("interrupted; "), "{arguments:?}: {said:?}");
        assert!(said.iter().any(|line| line.contains("a second Ctrl-C ends at once")), "{arguments:?}: {said:?}");
        let told = cli.json(&["queue", "events"]);
        let mut events = told["events"].as_array().expect("events").iter();
        let released = events.find(|event| event["event"] == "released").expect("given back");
        assert_eq!(released["attempt"], 0, "{arguments:?} costs no attempt");
    }
}

#[test]
fn a_second_signal_ends_a_command_at_once() {
    for (number, signal) in ["INT", "TERM", "INT"].into_iter().enumerate() {
        let (cli, commands) = cli();
        let arguments: Vec<_> = commands[number].iter().map(String::as_str).collect();
        let mut long = Long::start(&cli, &arguments, "10m");
        long.signal(signal);
        let mut said = long.said();
        assert!(said.any(|line| line.contains("a second Ctrl-C ends at once")), "{arguments:?} says nothing");
        long.signal(signal);
        assert_eq!(long.code(), Some(130), "{arguments:?}");
    }
}
