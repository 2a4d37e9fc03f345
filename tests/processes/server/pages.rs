//! What the page says to people, as a browser without scripts is sent it.

use reqwest::{Method, StatusCode};

use crate::support::process::Server;

async fn page(server: &Server, path: &str) -> String {
    let answer = server.request(Method::GET, path).header("accept", "text/html").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.expect("text")
}

async fn send(server: &Server, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let form = fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect::<Vec<_>>();
    let request = server.request(Method::POST, path).header("accept", "text/html").body(form.join("&"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.text().await.expect("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_says_what_it_is_within_and_leads_out_of_it() {
    let server = Server::start(&[]);
    server.create("Locks", "A mutex in a text with a #rust tag").await;
    server.create("Other locks", "A mutex in another text").await;
    let within = page(&server, "/?q=mutex&mode=keyword&filter=tag%3Arust").await;
    assert!(within.contains("Only among") && within.contains("tag:rust"), "{within}");
    assert!(within.contains("href=\"/?q=mutex&amp;mode=keyword\""), "{within}");
    assert!(!page(&server, "/?q=mutex&mode=keyword").await.contains("Only among"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_token_shuts_nobody_out_of_the_page() {
    let server = Server::start(&[]);
    assert!(page(&server, "/login").await.contains("Nobody has to sign in"));
    let (status, said) = send(&server, "/settings/tokens", &[("name", "first"), ("scope", "read")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
    assert!(said.contains("needs the scope admin"), "{said}");
    assert!(page(&server, "/settings/tokens").await.contains("<option value=\"admin\" selected"), "it is offered");
    let (status, made) = send(&server, "/settings/tokens", &[("name", "first"), ("scope", "admin")]).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    assert!(page(&server, "/login").await.contains("Enter a token"));
}

/// The first refusal removes the token from the browser, and what is typed after it is searched for without one.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_says_that_the_session_has_ended_whether_its_token_is_still_sent_or_not() {
    let server = Server::start(&[]);
    let (status, made) = send(&server, "/settings/tokens", &[("name", "first"), ("scope", "admin")]).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    for cookie in ["", "afterword=afterword_1_none"] {
        let request = server.request(Method::GET, "/?q=moon&mode=keyword").header("x-part", "part");
        let answer = request.header("accept", "text/html").header("cookie", cookie).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{cookie}");
        let said = answer.text().await.expect("text");
        assert!(said.contains("Your session has ended"), "{cookie}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_shows_all_that_differs() {
    let server = Server::start(&[]);
    server.create("Both", "one text").await;
    let first = [("title", "Both"), ("body", "one text"), ("revision", "1"), ("skip_embedding", "on"), ("act", "save")];
    let (status, said) = send(&server, "/articles/both/edit", &first).await;
    assert!(status.is_success(), "{said}");
    let first =
        [("title", "Both"), ("body", "other words"), ("revision", "2"), ("skip_embedding", "on"), ("act", "save")];
    let (status, said) = send(&server, "/articles/both/edit", &first).await;
    assert!(status.is_success(), "{said}");
    let second = [("title", "Both"), ("body", "another text"), ("revision", "1"), ("act", "save")];
    let (status, said) = send(&server, "/articles/both/edit", &second).await;
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    assert!(said.contains("Revision 3 was saved "), "{said}");
    assert!(said.contains("<del>by words and by meaning</del> <ins>by words only</ins>"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_nowhere_is_a_page_for_people_and_a_problem_for_programs() {
    let server = Server::start(&[]);
    for path in ["/artikles/first", "/api/nothing", "/runtime/nothing"] {
        let answer =
            server.request(Method::GET, path).header("accept", "text/html, */*").send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(answer.headers()["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/html")), "{path}");
        let said = answer.text().await.expect("text");
        assert!(said.contains("Not found") && said.contains("Back to the articles"), "{path}: {said}");
        let answer = server.get(path).await;
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
}
