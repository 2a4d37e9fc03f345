//! A message of a client, read before the protocol's library sees it: bounded while it is read, with large texts taken
//! out, and with arguments that were sent as a text.
//!
//! The library tries one type after the other on a message, and makes a copy for each: a list of a million zeros would
//! become a hundred times as large. So a message may have few values, and long texts bypass the library.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::model::ErrorCode;
use serde_json::{Map, Value, json};

use super::half_characters;
use crate::{
    bounded_json::{self, LONGEST_REASON},
    printable,
};

/// A longer text among a tool's arguments, or within one, bypasses the library: so many edits of a call are few bytes
/// without their texts. *Units:* bytes.
const LARGE_TEXT_BYTES: usize = 512;
/// Longest message without its large texts. *Units:* bytes.
const LONGEST_REST: usize = 256 << 10;
/// Longest message that begins a session, which is kept with it. *Units:* bytes.
const LONGEST_BEGINNING: usize = 16 << 10;

/// A message as the library gets it.
pub(super) struct Message {
    pub(super) value: Value,
    pub(super) large: LargeArguments,
}

/// Texts that were taken out of a message, by their places in the arguments (RFC 6901). Clones share them; the first
/// taker gets them.
#[derive(Clone, Default)]
pub(super) struct LargeArguments(Arc<Mutex<HashMap<String, String>>>);

/// Why a message cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    code: ErrorCode,
    reason: String,
    id: Value,
}

impl LargeArguments {
    pub(super) fn take(&self) -> HashMap<String, String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, place: String, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place, text);
    }
}

impl Unreadable {
    pub(super) fn too_long(limit: usize) -> Self {
        Self::of(ErrorCode::INVALID_REQUEST, format!("the message is too long; at most {limit} bytes are allowed here"))
    }

    /// JSON, but not a message of the protocol.
    pub(super) fn senseless() -> Self {
        let reason = "the message does not follow the protocol: a field is missing, or has the wrong type";
        Self::of(ErrorCode::INVALID_REQUEST, reason.to_owned())
    }

    pub(super) fn of_request(self, id: Option<Value>) -> Self {
        Self { id: id.unwrap_or_default(), ..self }
    }

    pub(super) fn incomplete() -> Self {
        Self::of(ErrorCode::PARSE_ERROR, "the message is incomplete".to_owned())
    }

    fn of(code: ErrorCode, reason: String) -> Self {
        Self { code, reason, id: Value::Null }
    }

    /// Returns the answer to the client.
    pub(super) fn answer(&self) -> Value {
        let error = json!({ "code": self.code.0, "message": self.reason });
        json!({ "jsonrpc": "2.0", "id": self.id, "error": error })
    }
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let value = bounded_json::read(bytes).map_err(|error| {
            let reason = printable::line(&error.to_string(), LONGEST_REASON);
            match error.is_data() {
                true => Unreadable::of(ErrorCode::INVALID_REQUEST, format!("the message cannot be read: {reason}")),
                false => Unreadable::of(ErrorCode::PARSE_ERROR, not_json(bytes, &reason)),
            }
            .of_request(id_of(bytes))
        })?;
        let large = LargeArguments::default();
        let mut message = match value {
            Value::Object(message) => message,
            other => {
                let reason = match other {
                    Value::Array(_) => "a message is one JSON object; batches are not accepted, so send each by itself",
                    _ => {
                        "a message is one JSON object, such as {\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"ping\"}"
                    }
                };
                return Err(Unreadable::of(ErrorCode::INVALID_REQUEST, reason.to_owned()));
            }
        };
        let id = message.get("id").filter(|id| is_id(id)).cloned();
        let fail = |code, reason: String| {
            let id = id.clone().filter(|id| id.as_str().is_none_or(|id| id.len() < LONGEST_REASON));
            Unreadable { code, reason, id: id.unwrap_or_default() }
        };
        check_shape(&message).map_err(|reason| fail(ErrorCode::INVALID_REQUEST, reason.to_owned()))?;
        check_params(&message).map_err(|reason| fail(ErrorCode::INVALID_PARAMS, reason))?;
        if message.get("method").is_some_and(|method| method == "tools/call") {
            unwrap_arguments(&mut message).map_err(|reason| fail(ErrorCode::INVALID_PARAMS, reason))?;
            take_out(&mut message, &large);
        }
        let begins = message.get("method").is_some_and(|method| method == "initialize");
        let limit = if begins { LONGEST_BEGINNING } else { LONGEST_REST };
        let value = Value::Object(message);
        if length(&value) > limit {
            return Err(fail(ErrorCode::INVALID_REQUEST, Unreadable::too_long(limit).reason));
        }
        Ok(Self { value, large })
    }
}

fn is_id(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.is_string()
}

/// What is wrong with a message that is no JSON.
fn not_json(bytes: &[u8], reason: &str) -> String {
    match half_characters::place(bytes) {
        Some(place) => format!(
            "{}: has half a character, \\ud800 to \\udfff without its other half; send whole characters",
            printable::line(&place, LONGEST_REASON)
        ),
        None => format!("the message is not JSON: {reason}"),
    }
}

/// Returns the id of a message that is not read as a whole, if the rest of it is well-formed.
fn id_of(bytes: &[u8]) -> Option<Value> {
    bounded_json::id(bytes).filter(|id| is_id(id) && id.as_str().is_none_or(|id| id.len() < LONGEST_REASON))
}

fn check_shape(message: &Map<String, Value>) -> Result<(), &'static str> {
    if message.get("jsonrpc").is_none_or(|version| version != "2.0") {
        return Err("the message has no \"jsonrpc\": \"2.0\"");
    }
    let has_method = message.get("method").is_some_and(Value::is_string);
    if has_method || message.contains_key("result") || message.contains_key("error") {
        Ok(())
    } else {
        Err("the message has neither a method nor a result")
    }
}

/// Checks what a request must bring: the library takes one without it for a method that it does not know.
fn check_params(message: &Map<String, Value>) -> Result<(), String> {
    let Some(method) = message.get("method").and_then(Value::as_str).filter(|_| message.contains_key("id")) else {
        return Ok(());
    };
    let params = message.get("params").unwrap_or(&Value::Null);
    match method {
        // To clients of the newer era, this and "resources/subscribe" are methods that do not exist.
        "initialize" if !names_its_version(params) => {
            must_be_text(params, &["protocolVersion"])?;
            must_be_text(params, &["clientInfo", "name"])?;
            must_be_text(params, &["clientInfo", "version"])
        }
        "resources/read" => must_be_text(params, &["uri"]),
        "tools/call" => must_be_text(params, &["name"]),
        "completion/complete" => {
            must_be_text(params, &["ref", "type"])?;
            match params["ref"]["type"].as_str() {
                Some("ref/resource") => must_be_text(params, &["ref", "uri"])?,
                Some("ref/prompt") => must_be_text(params, &["ref", "name"])?,
                _ => return Err("params.ref.type: must be \"ref/resource\" or \"ref/prompt\"".to_owned()),
            }
            must_be_text(params, &["argument", "name"])?;
            must_be_text(params, &["argument", "value"])
        }
        "tools/list" | "resources/list" | "resources/templates/list" if !params["cursor"].is_null() => {
            must_be_text(params, &["cursor"])
        }
        _ => Ok(()),
    }
}

/// Whether a request says itself by which version of the protocol it is, as those of the newer era do.
pub(super) fn names_its_version(params: &Value) -> bool {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"].is_string()
}

fn must_be_text(params: &Value, path: &[&str]) -> Result<(), String> {
    let name = format!("params.{}", path.join("."));
    match path.iter().fold(params, |value, field| &value[*field]) {
        Value::String(_) => Ok(()),
        Value::Null => Err(format!("{name}: is missing")),
        _ => Err(format!("{name}: must be a text")),
    }
}

/// Some clients send the arguments of a tool as a text that is JSON, or null for none.
fn unwrap_arguments(message: &mut Map<String, Value>) -> Result<(), String> {
    let Some(params) = message.get_mut("params").and_then(Value::as_object_mut) else { return Ok(()) };
    match params.get("arguments") {
        None | Some(Value::Object(_)) => return Ok(()),
        Some(Value::Null) => drop(params.remove("arguments")),
        Some(Value::String(text)) if text.trim().is_empty() => drop(params.remove("arguments")),
        Some(Value::String(text)) => {
            let Ok(read @ Value::Object(_)) = bounded_json::read(text.as_bytes()) else {
                return Err("arguments: must be an object, e.g. {\"query\": \"tides\"}, and not a text".to_owned());
            };
            params.insert("arguments".to_owned(), read);
        }
        Some(_) => return Err("arguments: must be an object, e.g. {\"query\": \"tides\"}".to_owned()),
    }
    Ok(())
}

fn take_out(message: &mut Map<String, Value>, large: &LargeArguments) {
    let params = message.get_mut("params").and_then(Value::as_object_mut);
    if let Some(arguments) = params.and_then(|params| params.get_mut("arguments")) {
        take_out_of(arguments, &mut String::new(), large);
    }
}

fn take_out_of(value: &mut Value, place: &mut String, large: &LargeArguments) {
    let mut below = |name: &str, value: &mut Value| {
        let length = place.len();
        place.push('/');
        place.push_str(&name.replace('~', "~0").replace('/', "~1"));
        take_out_of(value, place, large);
        place.truncate(length);
    };
    match value {
        Value::String(text) if text.len() > LARGE_TEXT_BYTES => large.put(place.clone(), std::mem::take(text)),
        Value::Array(items) => items.iter_mut().enumerate().for_each(|(at, item)| below(&at.to_string(), item)),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, field)| below(name, field)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// About the length as it is written. *Units:* bytes.
fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 12,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| length(item) + 1).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + length(value) + 4).sum::<usize>() + 2,
    }
}
