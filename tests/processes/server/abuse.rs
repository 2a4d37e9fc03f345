//! What a server must withstand: large, slow, broken and senseless requests.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use reqwest::{Body, Method};
use serde_json::{Value, json};

use crate::{
    server::life::refusal,
    support::process::{STUCK, Server},
};

/// *Units:* bytes.
async fn memory(server: &Server) -> f64 {
    let text = server.get("/metrics").await.text().await.expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
    line.and_then(|number| number.parse().ok()).expect("a number")
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(STUCK)).expect("a time-out");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_however_it_comes() {
    let server = Server::start(&["articles.max_size=100KiB", "server.max_body=2MiB"]);
    let article = |size: usize| json!({ "title": "Large", "body": "x".repeat(size) });
    let (status, problem) = refusal(server.post("/api/articles", &article(200 << 10)).await).await;
    assert_eq!((status, &problem["code"]), (413, &json!("too_large")));
    let (status, _) = refusal(server.post("/api/articles", &article(3 << 20)).await).await;
    assert_eq!(status, 413);
    let pieces = futures_util::stream::iter((0..4096).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1 << 10])));
    let chunked = server.request(Method::POST, "/api/articles").header("content-type", "application/json");
    // The server may answer and close before all is sent.
    if let Ok(response) = chunked.body(Body::wrap_stream(pieces)).send().await {
        assert_eq!(response.status(), 413);
        assert_eq!(response.headers()["connection"], "close", "what was not read cannot be followed by more");
    }
    assert_eq!(server.post("/api/articles", &article(50 << 10)).await.status(), 201, "and it goes on");
    assert_eq!(server.json("/api/articles").await["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_announces_too_much_is_not_asked_for_it() {
    let server = Server::start(&[]);
    for path in ["/api/articles", "/mcp", "/login"] {
        let mut stream = connect(&server);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n\
             Content-Length: 999999999\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = String::new();
        // Not a byte of the body is sent, and the connection ends.
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_coded_is_refused_and_not_misread() {
    let server = Server::start(&[]);
    for (coding, charset) in [("gzip", "utf-8"), ("identity", "utf-16")] {
        for path in ["/api/articles", "/mcp"] {
            let request = server.request(Method::POST, path).body("{\"title\": \"Coded\", \"body\": \"text\"}");
            let request = request.header("content-type", format!("application/json; charset={charset}"));
            let request = request.header("accept", "application/json, text/event-stream");
            let answer = request.header("content-encoding", coding).send().await.expect("an answer");
            let (status, problem) = refusal(answer).await;
            assert_eq!(
                (status, &problem["code"]),
                (415, &json!("unsupported_media_type")),
                "{path}, {coding}, {charset}"
            );
        }
    }
    assert_eq!(server.json("/api/articles").await["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_is_cut_off_at_its_limit() {
    let server = Server::start(&[]);
    let line = format!("x-filler: {}\r\n", "x".repeat(1_000));
    let before = memory(&server).await;
    let mut open: Vec<_> = (0..200).map(|_| connect(&server)).collect();
    for stream in &mut open {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n").expect("sent");
        // The server may have ended the connection meanwhile.
        let _ = stream.write_all(line.repeat(370).as_bytes());
    }
    for stream in &mut open {
        let mut status = [0; 12];
        stream.read_exact(&mut status).expect("an answer");
        assert_eq!(&status, b"HTTP/1.1 431");
    }
    assert!(memory(&server).await - before < 32e6, "200 of 370 KB each");
    let long = "x".repeat(20 << 10);
    let answered = server.request(Method::GET, "/health").header("x-long", long).send().await.expect("an answer");
    assert_eq!(answered.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_edits_are_not_read() {
    let server = Server::start(&[]);
    server.create("Edited", "text").await;
    let append = json!({ "action": "append", "text": "x" });
    let send = |edits: Vec<Value>| {
        let request = server.request(Method::PATCH, "/api/articles/edited/body").json(&json!({ "edits": edits }));
        async { refusal(request.send().await.expect("an answer")).await }
    };
    let (status, problem) = send(vec![append.clone(); 101]).await;
    assert_eq!((status, &problem["code"]), (422, &json!("invalid")));
    let mut many = vec![append; 1_000];
    many.push(json!("nobody reads this"));
    let (status, problem) = send(many).await;
    assert_eq!((status, &problem["code"]), (422, &json!("invalid")));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("many more than 100")), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_are_bounded_in_number_in_values_and_in_length() {
    let server = Server::start(&[]);
    server.create("Described", "text").await;
    let set = |properties: Value| {
        let request = server.request(Method::PATCH, "/api/articles/described");
        let request = request.json(&json!({ "properties": properties })).send();
        async { request.await.expect("an answer") }
    };
    let keys = |count: usize| (0..count).map(|n| (format!("key-{n}"), json!(n))).collect::<serde_json::Map<_, _>>();
    let list = |count: usize| json!({ "list": vec![1; count] });
    let long = |size: usize| json!({ "long": "x".repeat(size) });
    for (what, properties) in [
        ("201 properties", Value::from(keys(201))),
        ("more than 10,000 values", list(10_001)),
        ("very many values", json!({ "list": vec![vec![1; 1_000]; 1_000] })),
        ("more than 256 KiB", long(257 << 10)),
    ] {
        let (status, problem) = refusal(set(properties).await).await;
        assert_eq!((status, &problem["code"]), (422, &json!("invalid")), "{what}: {problem}");
    }
    for (what, properties) in [("200", Value::from(keys(200))), ("many values", list(1_000)), ("long", long(60 << 10))]
    {
        let set = set(properties).await;
        assert_eq!(set.status(), 200, "{what}: {:?}", set.text().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_of_fifty_megabytes_is_saved_and_read_back() {
    let server = Server::start(&["embedding.max_chunks=10"]);
    let body = "A line of a large article.\n".repeat((50 << 20) / 27);
    let created = server.post("/api/articles", &json!({ "title": "Fifty", "body": body })).await;
    assert_eq!(created.status(), 201);
    let read = server.json("/api/articles/fifty").await;
    assert_eq!(read["body"].as_str().map(str::len), Some(body.len()));
    let status = server.until_embedding("fifty", "failed").await;
    assert!(
        status["embedding"]["error"].as_str().is_some_and(|why| why.contains("max_chunks")),
        "{}",
        status["embedding"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_cut_off_and_hold_up_nobody() {
    let server =
        Server::start(&["server.header_timeout=500ms", "server.body_timeout=500ms", "server.max_connections=64"]);
    let mut slow: Vec<_> = (0..40).map(|_| connect(&server)).collect();
    for (number, stream) in slow.iter_mut().enumerate() {
        let head: &[u8] = if number % 2 == 0 {
            b"POST /api/articles HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
        } else {
            b"POST /api/articles HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"
        };
        stream.write_all(head).expect("sent");
    }
    server.create("Meanwhile", "somebody else is served").await;
    for mut stream in slow {
        let mut answer = Vec::new();
        // Ends when the server closes; a time-out would be an error.
        let ended = stream.read_to_end(&mut answer);
        assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(server.json("/api/articles").await["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_senseless_requests_change_nothing() {
    const REQUESTS: usize = 10_000;
    let server = Server::start(&[]);
    server.create("Before", "text").await;
    let before = memory(&server).await;
    let shapes: [&[u8]; 12] = [
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /api/articles HTTP/9.9\r\n\r\n",
        b"GET /api/articles HTTP/1.1\r\n\r\n",
        b"GET /api/articles HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /api/articles/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /api/articles/%00%ff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST /api/articles HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/articles HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /api/articles HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{{{",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ];
    for number in 0..REQUESTS {
        let mut stream = connect(&server);
        // A client that is cut off while writing has been refused.
        let _ = stream.write_all(shapes[number % shapes.len()]);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        let served = answer.starts_with("HTTP/1.1 2") || answer.starts_with("HTTP/1.1 5");
        assert!(!served, "{:?}: {answer}", String::from_utf8_lossy(shapes[number % shapes.len()]));
    }
    assert_eq!(server.json("/api/articles").await["total"], 1);
    let grown = memory(&server).await - before;
    assert!(grown < 32.0 * 1024.0 * 1024.0, "{grown} bytes more than before");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_leads_out_of_the_collection_or_out_of_the_folder() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("up.md"), "---\ntitle: Up\nfolder: ../../etc\n---\ntext").expect("a file");
    std::fs::write(folder.path().join("slug.md"), "---\ntitle: Slug\nslug: ../../passwd\n---\ntext").expect("a file");
    let mut import = crate::support::process::program(folder.path());
    let imported = import.args(["import", "."]).output().expect("a program that runs");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let mut list = crate::support::process::program(folder.path());
    let listed = list.args(["article", "list", "--json"]).output().expect("a program that runs");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("\"passwd\"") && listed.contains("\"etc\"") && !listed.contains(".."), "{listed}");
    let (status, _) =
        refusal(server.post("/api/articles", &json!({ "title": "x", "folder": "a/../../b" })).await).await;
    assert_eq!(status, 422);
}
