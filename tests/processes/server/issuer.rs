//! Tokens of an issuer: which are accepted, and that no others are.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, Response};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

use crate::{server::life::refusal, support::process::Server};

const AUDIENCE: &str = "https://notes.example.org";

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of the issuer.
struct Key {
    name: &'static str,
    pair: EcdsaKeyPair,
}

impl Key {
    fn make(name: &'static str) -> Self {
        let random = SystemRandom::new();
        let written = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, written.as_ref(), &random);
        Self { name, pair: pair.expect("a key") }
    }

    fn published(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (encoded(&point[1..33]), encoded(&point[33..]));
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.name, "x": x, "y": y })
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.name });
        signed(&header, claims, |text| {
            self.pair.sign(&SystemRandom::new(), text).expect("a signature").as_ref().to_vec()
        })
    }
}

fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let text = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    format!("{text}.{}", encoded(sign(text.as_bytes())))
}

/// An issuer that publishes keys, with a server that trusts it.
struct Site {
    issuer: MockServer,
    server: Server,
}

impl Site {
    async fn start(keys: &[&Key]) -> Self {
        let issuer = MockServer::start().await;
        let description = json!({ "issuer": issuer.uri(), "jwks_uri": format!("{}/keys", issuer.uri()) });
        Mock::given(path("/.well-known/openid-configuration"))
            .respond_with(ResponseTemplate::new(200).set_body_json(description))
            .mount(&issuer)
            .await;
        let (name, audience) = (format!("auth.issuer={}", issuer.uri()), format!("auth.audience={AUDIENCE}"));
        let site = Self { server: Server::start(&[&name, &audience]), issuer };
        site.publish(keys).await;
        site
    }

    async fn publish(&self, keys: &[&Key]) {
        let mut published: Vec<_> = keys.iter().map(|key| key.published()).collect();
        published.push(json!({ "kty": "oct", "kid": "shared", "k": encoded("secret") }));
        published.push(json!({ "kty": "of-the-future", "kid": "other" }));
        self.answer(json!(published)).await;
    }

    async fn answer(&self, published: Value) {
        let answer = ResponseTemplate::new(200).set_body_json(json!({ "keys": published }));
        // Keys that are published later come first.
        let later = u8::try_from(250 - self.looks().await.min(200)).expect("small");
        Mock::given(path("/keys")).respond_with(answer).with_priority(later).mount(&self.issuer).await;
    }

    /// How often the keys were looked up.
    async fn looks(&self) -> usize {
        let requests = self.issuer.received_requests().await.unwrap_or_default();
        requests.iter().filter(|request| request.url.path() == "/keys").count()
    }

    fn claims(&self, scope: &str) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
        json!({ "iss": self.issuer.uri(), "aud": AUDIENCE, "sub": "somebody", "exp": now + 3600, "scope": scope })
    }

    async fn get(&self, token: &str) -> Response {
        let request = self.server.request(Method::GET, "/api/articles").bearer_auth(token);
        request.send().await.expect("an answer")
    }

    async fn status(&self, token: &str) -> u16 {
        self.get(token).await.status().as_u16()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_issuer_comes_in_and_does_what_its_scopes_allow() {
    let key = Key::make("one");
    let site = Site::start(&[&key]).await;
    assert_eq!(site.server.get("/api/articles").await.status(), 401, "with an issuer, nobody comes in without a token");
    let metadata = site.server.json("/.well-known/oauth-protected-resource/mcp").await;
    assert_eq!(metadata["authorization_servers"], json!([site.issuer.uri()]));
    for (scope, read, write, admin) in [
        ("openid read", 200, 403, 403),
        ("write", 200, 201, 403),
        ("admin read", 200, 201, 200),
        ("openid email", 403, 403, 403),
    ] {
        let token = key.sign(&site.claims(scope));
        assert_eq!(site.status(&token).await, read, "{scope}");
        let article = json!({ "title": format!("By {scope}") });
        let save = site.server.request(Method::POST, "/api/articles").bearer_auth(&token).json(&article);
        assert_eq!(save.send().await.expect("an answer").status(), write, "{scope}");
        let pause = site.server.request(Method::POST, "/api/queue/pause").bearer_auth(&token);
        assert_eq!(pause.send().await.expect("an answer").status(), admin, "{scope}");
    }
    let mut listed = site.claims("");
    listed["scp"] = json!(["read"]);
    assert_eq!(site.status(&key.sign(&listed)).await, 200, "scopes may come as a list");
    let ours = site.server.command(&["token", "create", "ours"]);
    assert_eq!(site.status(&ours).await, 200, "tokens made here hold beside them");
    assert_eq!(site.looks().await, 1, "keys are fetched once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_issuer_did_not_sign_for_this_server_and_now_is_not_believed() {
    let (key, other) = (Key::make("one"), Key::make("one"));
    let site = Site::start(&[&key]).await;
    let good = site.claims("admin");
    assert_eq!(site.status(&key.sign(&good)).await, 200);
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        key.sign(&claims)
    };
    let header = |algorithm: &str| json!({ "alg": algorithm, "typ": "JWT", "kid": "one" });
    let by_hash = |secret: &[u8]| {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        signed(&header("HS256"), &good, |text| hmac::sign(&secret, text).as_ref().to_vec())
    };
    let edwards = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let mut cut = key.sign(&good);
    cut.truncate(cut.len() - 4);
    let past = json!(1_000_000_000);
    let mut without_end = good.clone();
    without_end.as_object_mut().expect("an object").remove("exp");
    let shared = json!({ "alg": "HS256", "kid": "shared" });
    let secret = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
    for (what, token) in [
        ("another key of the same name", other.sign(&good)),
        ("no signature", signed(&header("none"), &good, |_| Vec::new())),
        ("with a demand that is not understood", {
            let demanding = json!({ "alg": "ES256", "kid": "one", "crit": ["b64"], "b64": false });
            signed(&demanding, &good, |text| {
                key.pair.sign(&SystemRandom::new(), text).expect("a signature").as_ref().to_vec()
            })
        }),
        ("no signature under an honest name", signed(&header("ES256"), &good, |_| Vec::new())),
        ("the public key as a secret", by_hash(key.pair.public_key().as_ref())),
        ("the published key as a secret", by_hash(key.published().to_string().as_bytes())),
        (
            "a shared secret that was published",
            signed(&shared, &good, |text| hmac::sign(&secret, text).as_ref().to_vec()),
        ),
        ("another algorithm", signed(&header("EdDSA"), &good, |text| edwards.sign(text).as_ref().to_vec())),
        ("RSA with a key that is none", signed(&header("RS256"), &good, |_| vec![1; 256])),
        ("cut", cut),
        ("expired", changed("exp", past.clone())),
        ("without an end", key.sign(&without_end)),
        ("not yet", changed("nbf", json!(4_000_000_000_u64))),
        ("of another issuer", changed("iss", json!("https://evil.example"))),
        ("for another audience", changed("aud", json!("https://other.example.org"))),
        ("for no audience", changed("aud", Value::Null)),
        ("of nobody", changed("sub", json!(""))),
        ("nonsense", "a.b.c".to_owned()),
        ("endless", format!("{}.{}.x", encoded("{}"), "A".repeat(20_000))),
    ] {
        let (status, problem) = refusal(site.get(&token).await).await;
        assert_eq!((status, &problem["code"]), (401, &json!("unauthorized")), "{what}");
    }
    assert_eq!(site.status(&key.sign(&good)).await, 200, "and the good one still holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_new_is_found_and_names_of_none_are_not_looked_up_for_ever() {
    let (one, two) = (Key::make("one"), Key::make("two"));
    let site = Site::start(&[&one]).await;
    assert_eq!(site.status(&one.sign(&site.claims("read"))).await, 200);
    site.publish(&[&two]).await;
    assert_eq!(site.status(&two.sign(&site.claims("read"))).await, 200, "found at once");
    assert_eq!(site.status(&one.sign(&site.claims("read"))).await, 401, "what was withdrawn holds no longer");
    let unknown = Key::make("unknown");
    for _ in 0..30 {
        assert_eq!(site.status(&unknown.sign(&site.claims("read"))).await, 401);
    }
    assert!(site.looks().await <= 4, "{} looks", site.looks().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_without_a_name_all_count() {
    let (one, two, other) = (Key::make("one"), Key::make("two"), Key::make("other"));
    let site = Site::start(&[]).await;
    let unnamed = |key: &Key| {
        let mut published = key.published();
        published.as_object_mut().expect("an object").remove("kid");
        published
    };
    let rsa = json!({ "kty": "RSA", "use": "sig", "e": "AQAB", "n": encoded([0xc5; 256]) });
    let sign = |key: &Key| {
        signed(&json!({ "alg": "ES256", "typ": "JWT" }), &site.claims("read"), |text| {
            key.pair.sign(&SystemRandom::new(), text).expect("a signature").as_ref().to_vec()
        })
    };
    assert_eq!(site.status(&sign(&one)).await, 401, "not published yet");
    site.answer(json!([unnamed(&one), rsa, unnamed(&two)])).await;
    assert_eq!(site.status(&sign(&one)).await, 200, "the first");
    assert_eq!(site.status(&sign(&two)).await, 200, "the last");
    assert_eq!(site.status(&sign(&other)).await, 401);
    assert_eq!(site.status(&one.sign(&site.claims("read"))).await, 401, "by a name that no key has");
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_come_in_every_form_that_the_standard_allows() {
    let key = Key::make("one");
    let site = Site::start(&[&key]).await;
    let end = site.claims("read")["exp"].as_f64().expect("a time");
    for (name, value, expected) in [
        ("exp", json!(end + 0.5), 200),
        ("exp", json!(1_000_000_000.5), 401),
        ("exp", json!("soon"), 401),
        ("nbf", Value::Null, 200),
        ("nbf", json!(end - 4_000.25), 200),
        ("nbf", json!(end + 0.5), 401),
        ("nbf", json!("now"), 401),
        ("scp", Value::Null, 200),
        ("scope", Value::Null, 403),
    ] {
        let mut claims = site.claims("read");
        claims[name] = value.clone();
        assert_eq!(site.status(&key.sign(&claims)).await, expected, "{name}: {value}");
    }
    let mut listed = site.claims("");
    (listed["scope"], listed["scp"]) = (Value::Null, json!(["read"]));
    assert_eq!(site.status(&key.sign(&listed)).await, 200, "named by scp, and no scope");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_subject_passes_for_this_machine_or_for_a_token() {
    let key = Key::make("one");
    let site = Site::start(&[&key]).await;
    site.server.command(&["token", "create", "boss"]);
    for name in ["local", "boss"] {
        let mut claims = site.claims("read");
        claims["sub"] = json!(name);
        let page = site.server.request(Method::GET, "/settings").header("accept", "text/html");
        let page = page.bearer_auth(key.sign(&claims)).send().await.expect("an answer").text().await.expect("a page");
        assert!(page.contains(&format!(">subject:{name}<")), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_cannot_be_reached_is_no_reason_to_believe() {
    let key = Key::make("one");
    let server = Server::start(&["auth.issuer=http://127.0.0.1:9", "auth.audience=https://notes.example.org"]);
    let claims =
        json!({ "iss": "http://127.0.0.1:9", "aud": AUDIENCE, "sub": "x", "exp": 4_000_000_000_u64, "scope": "admin" });
    let request = server.request(Method::GET, "/api/articles").bearer_auth(key.sign(&claims));
    let (status, problem) = refusal(request.send().await.expect("an answer")).await;
    assert_eq!((status, &problem["code"]), (503, &json!("issuer_unavailable")));
}
