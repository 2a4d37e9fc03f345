use super::*;

fn code(bytes: &[u8]) -> i64 {
    Message::read(bytes).err().expect("a refusal").answer()["error"]["code"].as_i64().expect("a code")
}

#[test]
fn what_is_no_json_and_what_is_no_message_are_told_apart() {
    for broken in [&b"{\"jsonrpc\":"[..], b"nonsense", b"{\"a\":\"\\ud83d\"}", b"\xff\xfe", b"{} {}", b""] {
        assert_eq!(code(broken), -32700, "{}", String::from_utf8_lossy(broken));
    }
    let half = b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"x\",\"arguments\":{\"body\":\"\\ud83d\"}}}";
    let refused = Message::read(half).err().expect("a refusal").answer();
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(7), &json!(-32700)));
    let reason = refused["error"]["message"].as_str().expect("a reason");
    assert!(reason.starts_with("params.arguments.body: has half a character"), "{reason}");
    for other in [&b"[]"[..], b"1", b"{}", b"{\"jsonrpc\":\"2.0\",\"id\":1}", b"{\"a\":1,\"a\":2}"] {
        assert_eq!(code(other), -32600, "{}", String::from_utf8_lossy(other));
    }
}

#[test]
fn many_values_and_deep_ones_are_refused_while_they_are_read() {
    let zeros = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":[{}0]}}", "0,".repeat(1 << 20));
    assert_eq!(code(zeros.as_bytes()), -32600);
    let id = |message: &str| Message::read(message.as_bytes()).err().expect("a refusal").answer()["id"].clone();
    assert_eq!(id(&zeros), 1, "the client learns which request was refused");
    assert_eq!(id(&zeros.replace("\"id\":1", "\"id\":[1]")), Value::Null);
    assert_eq!(id(&zeros.replace("\"id\":1", "\"id\":1,\"id\":2")), Value::Null);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(code(deep.as_bytes()), -32600);
    let begin = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "protocolVersion": "1", "clientInfo": { "name": "x", "version": "y".repeat(20_000) } } });
    assert_eq!(code(begin.to_string().as_bytes()), -32600);
}

#[test]
fn what_a_request_lacks_is_said() {
    let ask = |method: &str, params: Value| {
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        Message::read(message.to_string().as_bytes()).map(drop).map_err(|refused| refused.answer())
    };
    let newer = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } });
    assert!(ask("initialize", newer).is_ok(), "the library says that there is no such method");
    let complete = |reference: Value, argument: Value| json!({ "ref": reference, "argument": argument });
    let template = json!({ "type": "ref/resource", "uri": "article://{slug}" });
    for (method, params, field) in [
        ("initialize", json!({}), "params.protocolVersion: is missing"),
        ("resources/read", Value::Null, "params.uri: is missing"),
        ("resources/read", json!([]), "params.uri: is missing"),
        ("resources/read", json!({ "uri": 1 }), "params.uri: must be a text"),
        ("resources/list", json!({ "cursor": 1 }), "params.cursor: must be a text"),
        ("tools/call", json!({ "arguments": {} }), "params.name: is missing"),
        ("completion/complete", json!({}), "params.ref.type: is missing"),
        ("completion/complete", json!({ "ref": "x" }), "params.ref.type: is missing"),
        ("completion/complete", json!({ "ref": { "type": "x" } }), "params.ref.type: must be"),
        ("completion/complete", complete(json!({ "type": "ref/resource" }), json!({})), "params.ref.uri: is missing"),
        (
            "completion/complete",
            complete(template.clone(), json!({ "name": "slug" })),
            "params.argument.value: is missing",
        ),
    ] {
        let refused = ask(method, params.clone()).expect_err("a refusal");
        assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32602), &json!(7)), "{method} {params}");
        let reason = refused["error"]["message"].as_str().expect("a reason");
        assert!(reason.starts_with(field), "{method} {params}: {reason}");
    }
    let whole = complete(template, json!({ "name": "slug", "value": "" }));
    for (method, params) in [
        ("resources/read", json!({ "uri": "article://x" })),
        ("resources/list", Value::Null),
        ("completion/complete", whole),
        ("of/the/future", json!({ "uri": 1 })),
    ] {
        assert!(ask(method, params).is_ok(), "{method}");
    }
}

#[test]
fn arguments_come_as_an_object_or_as_its_text_and_large_ones_go_around() {
    let body = "x".repeat(1 << 20);
    let arguments = json!({ "title": "T", "body": body });
    for given in [arguments.clone(), json!(arguments.to_string())] {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                              "params": { "name": "create_article", "arguments": given } });
        let read = Message::read(message.to_string().as_bytes()).expect("a message");
        assert_eq!(read.value["params"]["arguments"], json!({ "title": "T", "body": "" }));
        assert_eq!(read.large.take().remove("/body"), Some(body.clone()));
    }
    let edits: Vec<_> = (0..100).map(|n| json!({ "action": "append", "text": body, "a/b~": format!("{n}") })).collect();
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                          "params": { "name": "edit_article", "arguments": { "slug": "t", "edits": edits } } });
    let read = Message::read(message.to_string().as_bytes()).expect("a message");
    assert_eq!(read.large.take().remove("/edits/99/text"), Some(body));
    assert!(read.value.to_string().len() < LONGEST_REST);
    let wrong = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "arguments": [1] } });
    assert_eq!(code(wrong.to_string().as_bytes()), -32602);
}
