//! The settings as an operator meets them.

use std::time::Duration;

use super::*;

fn sources(variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Sources {
    let pair = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    Sources {
        variables: variables.iter().map(pair).collect(),
        flags: flags.iter().map(pair).collect(),
        ..Sources::default()
    }
}

fn with_file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("config.toml"), text).expect("a file");
    let sources = Sources { folder: Some(folder.path().to_path_buf()), ..Sources::default() };
    (folder, sources)
}

#[test]
fn flags_beat_variables_beat_the_file() {
    let (_folder, mut from) = with_file("[queue]\nslots = 2\nlease = \"40s\"\nmax_attempts = 5\n");
    from.variables = sources(&[("AFTERWORD_QUEUE__SLOTS", "3"), ("AFTERWORD_QUEUE__LEASE", "50s")], &[]).variables;
    from.flags = vec![("queue.slots".into(), "4".into())];
    let loaded = LoadedSettings::load(&from).expect("settings");
    let queue = &loaded.settings.queue;
    assert_eq!((queue.slots, queue.lease, queue.max_attempts), (Slots::Number(4), Duration::from_secs(50), 5));
    assert_eq!(loaded.origin("queue.slots"), Origin::Flag);
    assert_eq!(loaded.origin("queue.lease"), Origin::Variable("AFTERWORD_QUEUE__LEASE".into()));
    assert!(matches!(loaded.origin("queue.max_attempts"), Origin::File(_)));
    assert_eq!(loaded.origin("queue.enabled"), Origin::Default);
}

#[test]
fn every_fault_is_reported_at_once_with_its_source() {
    let (_folder, mut from) = with_file("[queue]\nslotss = 2\nlease = \"soon\"\n[embedding]\nmax_tokens = 1\n");
    from.variables = sources(&[("AFTERWORD_SEARCH__RRF_K", "-1"), ("AFTERWORD_NONSENSE", "1")], &[]).variables;
    let ConfigErrors(faults) = LoadedSettings::load(&from).expect_err("faults");
    let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
    for key in ["queue.slotss", "queue.lease", "embedding.max_tokens", "search.rrf_k", "nonsense"] {
        assert!(keys.contains(&key), "{key} in {keys:?}");
    }
    let misspelt = faults.iter().find(|fault| fault.key == "queue.slotss").expect("a fault");
    assert!(misspelt.message.contains("did you mean queue.slots?"), "{}", misspelt.message);
    let text = ConfigErrors(faults).to_string();
    assert!(text.contains("environment variable AFTERWORD_SEARCH__RRF_K"), "{text}");
}

#[test]
fn a_section_is_told_from_a_setting() {
    for (text, said) in [
        ("queue = 4\n", "is a section of settings"),
        ("[serch]\nx = 1\n", "there is no section serch; did you mean search?"),
        ("[serch]\nmax_limit = 1\n", "did you mean search.max_limit?"),
        ("max_limit = 1\n", "did you mean search.max_limit?"),
    ] {
        let (_folder, from) = with_file(text);
        let faults = LoadedSettings::load(&from).expect_err("a fault").to_string();
        assert!(faults.contains(said), "{text}: {faults}");
    }
}

#[test]
fn numbers_that_no_machine_can_serve_and_addresses_without_a_host_are_faults() {
    for (key, value) in [
        ("embedding.openai.concurrency", "2305843009213693952"),
        ("embedding.openai.concurrency", "0"),
        ("embedding.local.threads", "100000"),
        ("embedding.openai.base_url", "http://"),
        ("embedding.openai.base_url", "ftp://one.example"),
    ] {
        let flags = [("embedding.provider", "openai"), (key, value)];
        let ConfigErrors(faults) = LoadedSettings::load(&sources(&[], &flags)).expect_err("a fault");
        assert_eq!(faults.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), [key], "{value}");
    }
    let most = [("embedding.openai.concurrency", "1024"), ("embedding.local.threads", "1024")];
    assert!(LoadedSettings::load(&sources(&[], &most)).is_ok());
}

#[test]
fn the_variables_of_earlier_deployments_are_understood() {
    let loaded = LoadedSettings::load(&sources(
        &[
            ("EMBEDDING_QUEUE_ENABLED", "false"),
            ("EMBEDDING_QUEUE_WORKER_INTERVAL", "250"),
            ("EMBEDDING_QUEUE_MAX_RETRIES", "4"),
            ("EMBEDDING_QUEUE_RETRY_BACKOFF_BASE", "1500"),
            ("EMBEDDING_QUEUE_BATCH_SIZE", "7"),
            ("EMBEDDING_QUEUE_CLEANUP_INTERVAL", "2"),
            ("EMBEDDING_QUEUE_CLEANUP_RETENTION_DAYS", "3"),
            ("EMBEDDING_QUEUE_HEARTBEAT_INTERVAL", "2000"),
            ("EMBEDDING_QUEUE_METRICS_INTERVAL", "30000"),
            ("EMBEDDING_QUEUE_MAX_PROCESSING_TIME", "90000"),
        ],
        &[],
    ))
    .expect("settings");
    let Settings { queue, retention, .. } = loaded.settings;
    assert!(!queue.enabled);
    assert_eq!((queue.max_attempts, queue.claim_batch), (4, 7));
    assert_eq!((queue.poll_interval, queue.retry_base), (Duration::from_millis(250), Duration::from_millis(1500)));
    assert_eq!((queue.heartbeat_interval, queue.metrics_interval), (Duration::from_secs(2), Duration::from_secs(30)));
    assert_eq!(queue.max_processing_time, Duration::from_secs(90));
    assert_eq!(retention.cleanup_interval, Duration::from_secs(7200));
    assert_eq!(retention.tasks, Duration::from_secs(3 * 86_400));
}

#[test]
fn a_list_in_a_variable_is_read_as_in_the_settings_file_and_never_split_into_nonsense() {
    for text in [r#"["a.example", "b.example"]"#, " ['a.example','b.example',] ", "a.example, b.example"] {
        for from in [
            sources(&[("AFTERWORD_SERVER__ALLOWED_HOSTS", text)], &[]),
            sources(&[], &[("server.allowed_hosts", text)]),
        ] {
            let loaded = LoadedSettings::load(&from).expect("settings");
            assert_eq!(*loaded.settings.server.allowed_hosts, ["a.example", "b.example"], "{text}");
        }
    }
    for text in ["[a.example,b.example]", r#"["a.example""#, "[1, 2]", "[\"a\"]\nother = [\"b\"]"] {
        let faults = LoadedSettings::load(&sources(&[("AFTERWORD_SERVER__ALLOWED_ORIGINS", text)], &[]));
        let said = faults.expect_err(text).to_string();
        assert!(said.contains("server.allowed_origins") && said.contains("must be a list of texts"), "{said}");
    }
}

#[test]
fn a_bad_number_in_an_old_variable_is_a_fault_and_not_ignored() {
    let faults =
        LoadedSettings::load(&sources(&[("EMBEDDING_QUEUE_WORKER_INTERVAL", "often")], &[])).expect_err("a fault");
    let said = faults.to_string();
    assert!(said.contains("EMBEDDING_QUEUE_WORKER_INTERVAL") && said.contains("number of milliseconds"), "{said}");
}

#[test]
fn a_language_without_stems_and_requests_too_small_for_a_text_are_faults() {
    for (key, value) in [("search.language", "klingon"), ("embedding.openai.batch_tokens", "255")] {
        let flags = [("embedding.provider", "openai"), (key, value)];
        let ConfigErrors(faults) = LoadedSettings::load(&sources(&[], &flags)).expect_err("a fault");
        assert_eq!(faults.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), [key], "{value}");
    }
    let flags =
        [("embedding.provider", "openai"), ("embedding.openai.batch_tokens", "256"), ("search.language", "german")];
    assert!(LoadedSettings::load(&sources(&[], &flags)).is_ok());
}

#[test]
fn secrets_are_never_shown() {
    let loaded = LoadedSettings::load(&sources(&[("OPENAI_API_KEY", "sk-very-secret")], &[])).expect("settings");
    assert_eq!(loaded.settings.embedding.openai.api_key.expose(), Some("sk-very-secret"));
    let shown = format!("{:?} {:?}", loaded, loaded.rows());
    assert!(!shown.contains("very-secret"), "{shown}");
    assert!(loaded.rows().iter().any(|row| row.key == "embedding.openai.api_key" && row.value == "(hidden)"));
}

#[test]
fn every_setting_that_is_a_secret_is_known_as_one() {
    let texts = known_keys().into_iter().filter(|(_, default)| matches!(default, Value::String(..)));
    let mut secrets = Vec::new();
    for (key, _) in texts {
        let Ok(loaded) = LoadedSettings::load(&sources(&[], &[(&key, "a-very-secret-text")])) else { continue };
        // As the type of the setting writes it, not as the list of names has it.
        if flat::flattened(&loaded.settings).get(&key).and_then(Value::as_str) == Some(crate::secrets::HIDDEN) {
            assert!(hidden::is_secret(&key), "{key}");
            secrets.push(key);
        }
    }
    let all = ["embedding.openai.api_key", "embedding.openai.former_api_key", "search.rerank.api_key"];
    assert_eq!(secrets, all);
}

#[test]
fn a_secret_is_hidden_in_whatever_value_it_stands() {
    for text in [
        "[database]\nurl = [\"postgres://me:hidden-word@host/db\"]\n",
        "[database]\nurl = [{ at = \"postgres://me:hidden-word@host/db\" }]\n",
        "[server]\nallowed_hosts = [1, \"http://me:hidden-word@host\"]\n",
        "[embedding.openai]\napi_key = [\"hidden-word\"]\n",
        "[embedding.openai]\nformer_api_key = [{ key = \"hidden-word\" }]\n",
        "[embedding.openai.api_key]\nof = [\"hidden-word\"]\n",
        "[[sync]]\npath = 3\nurl = \"http://me:hidden-word@host\"\n",
    ] {
        let (_folder, from) = with_file(text);
        let faults = LoadedSettings::load(&from).expect_err("a fault").to_string();
        assert!(!faults.contains("hidden-word"), "{faults}");
        let said = crate::secrets::strike("it is hidden-word").into_owned();
        assert!(!said.contains("hidden-word"), "{text}");
    }
}

#[test]
fn the_variables_of_a_service_in_a_cluster_are_no_settings() {
    let of_cluster = [
        ("AFTERWORD_SERVICE_HOST", "10.0.0.7"),
        ("AFTERWORD_SERVICE_PORT", "8080"),
        ("AFTERWORD_PORT", "tcp://10.0.0.7:8080"),
        ("AFTERWORD_PORT_8080_TCP", "tcp://10.0.0.7:8080"),
        ("AFTERWORD_PORT_8080_TCP_ADDR", "10.0.0.7"),
    ];
    LoadedSettings::load(&sources(&of_cluster, &[])).expect("settings");
    LoadedSettings::load(&sources(&[("AFTERWORD_PORT", "8080")], &[])).expect_err("a slip of the pen");
}

#[test]
fn no_wait_for_a_lock_is_longer_than_sqlite_can_count() {
    LoadedSettings::load(&sources(&[], &[("database.busy_timeout", "24days")])).expect("settings");
    for long in ["25days", "100000000years"] {
        let faults = LoadedSettings::load(&sources(&[], &[("database.busy_timeout", long)])).expect_err("a fault");
        assert!(faults.to_string().contains("24days"), "{faults}");
    }
}

#[cfg(unix)]
#[test]
fn a_settings_file_that_might_never_end_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let from = Sources { file: Some(pipe), ..Sources::default() };
    assert!(LoadedSettings::load(&from).expect_err("a fault").to_string().contains("is a pipe"));
}

#[test]
fn the_documented_file_has_every_key_with_its_default() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
    let from = Sources { file: Some(path.into()), ..Sources::default() };
    let documented = LoadedSettings::load(&from).expect("a file that is valid");
    let default = LoadedSettings::load(&Sources::default()).expect("defaults");
    let text = std::fs::read_to_string(path).expect("a file");
    for (row, default) in documented.rows().iter().zip(default.rows()) {
        assert_eq!((&row.key, &row.value), (&default.key, &default.value));
        let name = row.key.rsplit('.').next().expect("a name");
        assert!(text.contains(&format!("{name} =")), "{} is not in config.toml", row.key);
    }
}

#[test]
fn the_documented_file_is_made_from_the_sections() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
    let kept = std::fs::read_to_string(path).expect("a file");
    assert_eq!(kept, template(), "config.toml is stale: `cargo run -- config template > config.toml`");
}

#[test]
fn a_settings_file_that_was_asked_for_must_exist() {
    let from = Sources { file: Some("/nowhere/config.toml".into()), ..Sources::default() };
    assert!(LoadedSettings::load(&from).expect_err("a fault").to_string().contains("/nowhere/config.toml"));
}

#[test]
fn a_file_that_was_asked_for_is_read_instead_of_the_users_own() {
    let (folder, mut from) = with_file("[queue]\nslots = 2\n");
    let slots = |from: &Sources| match LoadedSettings::load(from).expect("settings").settings.queue.slots {
        Slots::Number(number) => number,
        Slots::Auto => 0,
    };
    assert_eq!(slots(&from), 2);
    for (name, slots) in [("named.toml", 3), ("flag.toml", 4)] {
        std::fs::write(folder.path().join(name), format!("[queue]\nslots = {slots}\n")).expect("a file");
    }
    from.variables.insert("AFTERWORD_CONFIG".to_owned(), folder.path().join("named.toml").display().to_string());
    assert_eq!(slots(&from), 3);
    from.file = Some(folder.path().join("flag.toml"));
    assert_eq!(slots(&from), 4);
    from.file = None;
    from.variables.insert("AFTERWORD_CONFIG".to_owned(), String::new());
    assert_eq!(slots(&from), 2, "an empty variable names nothing");
    from.folder = None;
    assert_eq!((slots(&from), from.settings_file()), (0, None), "a user without a home folder has defaults");
}

#[test]
fn a_relative_path_in_a_settings_file_begins_at_that_file() {
    let text = "[database]\nurl = \"sqlite://notes/a.db?x=1\"\n[embedding]\nmodel_dir = \"models/b\"\n";
    let (folder, mut from) = with_file(text);
    let settings = LoadedSettings::load(&from).expect("settings").settings;
    assert_eq!(settings.database.url, format!("sqlite://{}/notes/a.db?x=1", folder.path().display()));
    assert_eq!(settings.embedding.model_dir, Some(folder.path().join("models/b")));
    from.flags = vec![("database.url".into(), "sqlite:///absolute.db".into())];
    assert_eq!(LoadedSettings::load(&from).expect("settings").settings.database.url, "sqlite:///absolute.db");
    let home = crate::user_folders::home().expect("a home folder");
    from.flags = vec![("database.url".into(), "sqlite://~/n.db".into()), ("embedding.model_dir".into(), "~".into())];
    let settings = LoadedSettings::load(&from).expect("settings").settings;
    assert_eq!(settings.database.url, format!("sqlite://{}/n.db", home.display()));
    assert_eq!(settings.embedding.model_dir, Some(home.join("")));
}
