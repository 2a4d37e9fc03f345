//! The description of the interface, against the interface.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::process::Server;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_described_is_there_and_names_are_used_once() {
    let server = Server::start(&[]);
    let description = server.json("/api/openapi.json").await;
    let mut names = HashSet::new();
    for (path, operations) in description["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{name} is used twice");
            assert!(operation["responses"]["default"].is_object(), "{name} says nothing of refusals");
            let path = path.replace("{slug}", "none").replace("{id}", "1").replace("{revision}", "1");
            let method: Method = method.to_uppercase().parse().expect("a method");
            let response = server.request(method, &path).send().await.expect("an answer");
            let status = response.status().as_u16();
            // Only a refusal is read: a stream has no end.
            let body = if status < 400 { Value::Null } else { response.json().await.unwrap_or_default() };
            assert!(status < 500 && status != 405 && body["code"] != "no_route", "{name}: {status} {body}");
        }
    }
    for named in ["create_article", "search_articles", "queue_stats", "start_bulk_run", "status", "follow_events"] {
        assert!(names.contains(named), "{named} is not described");
    }
}

/// The fields of a schema, with a question mark if they may be missing; the values, if it has a few.
fn parts(schema: &Value) -> Vec<String> {
    let list = |name: &str| schema[name].as_array().cloned().unwrap_or_default();
    let needed = list("required");
    let mark = |field: &String| {
        if needed.contains(&Value::from(field.as_str())) { field.clone() } else { format!("{field}?") }
    };
    let fields = schema["properties"].as_object().into_iter().flatten().map(|(field, _)| mark(field));
    let values = list("enum").into_iter().map(|value| value.to_string());
    let others = list("allOf").into_iter().chain(list("oneOf"));
    let of_others = others.flat_map(|part| match part["$ref"].as_str() {
        Some(other) => vec![format!("..{}", other.rsplit('/').next().unwrap_or_default())],
        None => parts(&part),
    });
    fields.chain(values).chain(of_others).collect()
}

/// What programs are written against. Review a difference, and accept it with `INSTA_UPDATE=always`.
#[tokio::test(flavor = "multi_thread")]
async fn the_interface_is_described_as_before() {
    let server = Server::start(&[]);
    let description = server.json("/api/openapi.json").await;
    let mut lines = Vec::new();
    for (path, operations) in description["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let needed = |parameter: &Value| if parameter["required"] == true { "" } else { "?" };
            let parameters: Vec<_> = parameters
                .iter()
                .map(|one| format!("{}{}", one["name"].as_str().expect("a name"), needed(one)))
                .collect();
            let answers: Vec<_> = operation["responses"].as_object().expect("answers").keys().cloned().collect();
            let name = operation["operationId"].as_str().expect("a name");
            let (method, parameters, answers) = (method.to_uppercase(), parameters.join(" "), answers.join(" "));
            lines.push(format!("{method} {path} {name} ({parameters}) {answers}"));
        }
    }
    for (name, schema) in description["components"]["schemas"].as_object().expect("schemas") {
        lines.push(format!("{name} {{ {} }}", parts(schema).join(" ")));
    }
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_read_without_anything_from_elsewhere() {
    let server = Server::start(&[]);
    let page = server.get("/api/docs/").await.text().await.expect("text");
    let mut parts: Vec<_> =
        page.split(['"', '\'']).filter(|part| part.ends_with(".js") || part.ends_with(".css")).collect();
    parts.sort_unstable();
    assert!(parts.len() >= 3, "{page}");
    for part in parts {
        assert!(!part.starts_with("http") && !part.starts_with("//"), "{part}");
        let response = server.get(&format!("/api/docs/{}", part.trim_start_matches("./"))).await;
        assert_eq!(response.status(), 200, "{part}");
    }
}
