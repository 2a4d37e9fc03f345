//! A browser without a window, driven through WebDriver. It waits for what a person would wait for.
//!
//! The few commands of the protocol that are needed are sent directly: existing clients turn on features of other
//! libraries, and the tests would try another program than the one that is built.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::process::STUCK;

/// How often a condition is checked.
const LOOK_INTERVAL: Duration = Duration::from_millis(25);

/// A browser without a window, that asks nothing and makes no requests of its own.
const ARGUMENTS: [&str; 11] = [
    "--headless",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
];

/// A browser with a profile of its own. Dropping it ends it and all its processes.
pub(crate) struct Browser {
    client: Client,
    /// Address of the session at the driver.
    session: String,
    process: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub(crate) async fn open() -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let (process, port) = driver_process();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([folder.as_str()]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": { "args": arguments }, "timeouts": { "script": 60_000 } } } });
        // The client needs a provider even without encryption.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::new();
        let base = format!("http://127.0.0.1:{port}/session");
        let answer: Value =
            client.post(&base).json(&wanted).send().await.expect("an answer").json().await.expect("JSON");
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {answer}"));
        Self { session: format!("{base}/{id}"), client, process, _profile: profile }
    }

    /// Sends a command to the driver; a refusal is an error.
    async fn ask(&self, method: Method, command: &str, body: Value) -> Result<Value, String> {
        let request = self.client.request(method.clone(), format!("{}/{command}", self.session).trim_end_matches('/'));
        let request = if method == Method::POST { request.json(&body) } else { request };
        let answer: Value =
            request.send().await.map_err(|error| error.to_string())?.json().await.map_err(|error| error.to_string())?;
        let value = answer["value"].clone();
        if value["error"].is_string() { Err(value.to_string()) } else { Ok(value) }
    }

    async fn sure(&self, method: Method, command: &str, body: Value) -> Value {
        self.ask(method, command, body).await.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    pub(crate) async fn go(&self, url: &str) {
        self.sure(Method::POST, "url", json!({ "url": url })).await;
    }

    /// The value of a JavaScript expression.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}")).await
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.sure(Method::POST, "execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Waits until an expression is true. While a page changes to the next one, it counts as false.
    pub(crate) async fn until(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        let holding = async {
            loop {
                let answer = self.ask(Method::POST, "execute/sync", json!({ "script": script, "args": [] })).await;
                if answer == Ok(Value::Bool(true)) {
                    return;
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        };
        if tokio::time::timeout(STUCK, holding).await.is_err() {
            let text = self.value("document.body.innerText").await;
            panic!("{expression} never holds at {}:\n{}", self.address().await, text.as_str().unwrap_or_default());
        }
    }

    /// Waits until the element is there and has this text.
    pub(crate) async fn until_said(&self, css: &str, part: &str) {
        self.until(&format!("document.querySelector({css:?})?.innerText.includes({part:?})")).await;
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        let text = self.value(&format!("document.querySelector({css:?})?.innerText")).await;
        text.as_str().unwrap_or_else(|| panic!("no {css} on the page")).to_owned()
    }

    pub(crate) async fn has(&self, css: &str) -> bool {
        self.value(&format!("Boolean(document.querySelector({css:?}))")).await == Value::Bool(true)
    }

    /// Clicks the link or button with this text.
    pub(crate) async fn press(&self, name: &str) {
        let find = format!(
            "[...document.querySelectorAll('a, button')]
                 .find(element => !element.hidden && (element.innerText.trim() === {name:?} || element.ariaLabel === {name:?}))"
        );
        self.until(&find).await;
        self.run(&format!("{find}.click()")).await;
    }

    /// Clicks it and waits for the page that it leads to.
    pub(crate) async fn follow(&self, name: &str) {
        self.run("window.left = true").await;
        self.press(name).await;
        self.until("!window.left && document.readyState === 'complete'").await;
    }

    /// Types into a field.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        let script = format!(
            "const field = document.querySelector({css:?}); field.focus(); field.select?.();
             document.execCommand('insertText', false, {text:?}) || (field.value = {text:?});"
        );
        self.run(&script).await;
        let holds = self.value(&format!("document.querySelector({css:?}).value")).await;
        assert_eq!(holds, Value::String(text.to_owned()), "{css}");
    }

    /// Presses one key.
    pub(crate) async fn key(&self, key: &str) {
        self.run(&format!(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: {key:?}, bubbles: true, cancelable: true }}))"
        ))
        .await;
    }

    /// Sets the size of the screen.
    pub(crate) async fn size(&self, width: u32, height: u32) {
        let parameters = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", parameters).await;
    }

    /// Sets the preferred colour scheme.
    pub(crate) async fn scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Sends a command of the browser itself, outside the protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.sure(Method::POST, "goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// The result of a script that calls `done`.
    pub(crate) async fn awaited(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0]; {script}");
        self.sure(Method::POST, "execute/async", json!({ "script": script, "args": [] })).await
    }

    /// The present window.
    pub(crate) async fn window(&self) -> Value {
        self.sure(Method::GET, "window", Value::Null).await
    }

    /// Changes to another window.
    pub(crate) async fn switch_to(&self, window: &Value) {
        self.sure(Method::POST, "window", json!({ "handle": window })).await;
    }

    /// Opens another window, and changes to it.
    pub(crate) async fn open_window(&self) {
        let opened = self.sure(Method::POST, "window/new", json!({ "type": "tab" })).await;
        self.switch_to(&opened["handle"]).await;
    }

    pub(crate) async fn address(&self) -> String {
        self.sure(Method::GET, "url", Value::Null).await.as_str().unwrap_or_default().to_owned()
    }

    pub(crate) async fn close(self) {
        self.sure(Method::DELETE, "", Value::Null).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver and what it has started are a group of their own.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}

fn driver_process() -> (Child, u16) {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut process = command.spawn().expect("chromedriver; scripts/test installs it");
    let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let port = lines.find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
    std::thread::spawn(move || lines.for_each(drop));
    (process, port.expect("a port"))
}
