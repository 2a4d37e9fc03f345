//! Converts a tool's arguments from what clients write: numbers as texts, switches as words, nothing as `null` or as an
//! empty text. What is ambiguous is refused with the argument's name and what is allowed.

use std::collections::HashMap;

use rmcp::model::{JsonObject, Tool};
use serde_json::{Number, Value};

use super::problem::Problem;
use crate::{bounded_json, printable};

/// Longest value that a refusal shows. *Units:* characters.
const MAX_SHOWN_CHARS: usize = 60;
/// Largest whole number where negative ones are not allowed.
const MAX_INTEGER: i64 = u32::MAX as i64;

/// Returns `given`, with the large texts that were taken out of it, as the tool's schema has it.
pub(super) fn understood(
    tool: &Tool,
    given: Option<JsonObject>,
    large: HashMap<String, String>,
) -> Result<JsonObject, Problem> {
    let mut given = Value::Object(given.unwrap_or_default());
    for (place, text) in large {
        if let Some(taken) = given.pointer_mut(&place) {
            *taken = Value::String(text);
        }
    }
    let Value::Object(given) = given else { return Err(Problem::new("arguments: must be an object")) };
    let schema = Schema { of: &tool.input_schema, what: "an argument of this tool", needing: &tool.name };
    match schema.known() {
        // Some clients send a made-up argument to tools without any.
        None => Ok(JsonObject::new()),
        Some(known) => schema.fields(known, given),
    }
}

/// The schema of an object: a tool's arguments, or an item of one.
struct Schema<'a> {
    of: &'a JsonObject,
    what: &'a str,
    needing: &'a str,
}

impl Schema<'_> {
    fn known(&self) -> Option<&JsonObject> {
        self.of.get("properties").and_then(Value::as_object).filter(|known| !known.is_empty())
    }

    fn requires(&self, name: &str) -> bool {
        let required = self.of.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|required| required == name))
    }

    fn fields(&self, known: &JsonObject, given: JsonObject) -> Result<JsonObject, Problem> {
        let mut understood = JsonObject::new();
        for (name, value) in given {
            let Some(argument) = known.get(&name) else { return Err(self.unknown(&name, known)) };
            let argument = Argument { name: &name, schema: argument, is_required: self.requires(&name) };
            if let Some(value) = argument.understand(value)? {
                understood.insert(name, value);
            }
        }
        match known.keys().find(|name| self.requires(name) && !understood.contains_key(*name)) {
            Some(name) => Err(Problem::new(format!("{name}: is missing, and {} needs it", self.needing))),
            None => Ok(understood),
        }
    }

    fn unknown(&self, name: &str, known: &JsonObject) -> Problem {
        let name = printable::line(name, MAX_SHOWN_CHARS);
        let names: Vec<_> = known.keys().map(String::as_str).collect();
        Problem::new(format!("{name}: is not {}; it takes {}", self.what, names.join(", ")))
    }
}

struct Argument<'a> {
    name: &'a str,
    schema: &'a Value,
    is_required: bool,
}

impl Argument<'_> {
    /// Returns `None` if it counts as left out.
    fn understand(&self, value: Value) -> Result<Option<Value>, Problem> {
        let is_list = self.schema["type"] == "array" && !self.is_required;
        let is_empty_list = is_list && value.as_array().is_some_and(Vec::is_empty);
        if value.is_null() || is_empty_list || (value == "" && !self.may_be_empty()) {
            // If it is required, it is then reported as missing.
            return Ok(None);
        }
        match self.schema["type"].as_str() {
            Some("integer") => self.number(&value).map(Some),
            Some("boolean") => self.switch(&value).map(Some),
            Some("array") => self.list(value).map(Some),
            Some("object") => self.object(value).map(Some),
            _ => match self.schema["enum"].as_array() {
                Some(choices) => self.choice(&value, choices).map(Some),
                None => self.text(value).map(Some),
            },
        }
    }

    /// Whether an empty text is a value: not for a name, a choice or a number.
    fn may_be_empty(&self) -> bool {
        ["body", "text"].contains(&self.name) || (self.is_required && self.schema["type"] == "string")
    }

    /// A list, also of one thing without brackets, and as text.
    fn list(&self, value: Value) -> Result<Value, Problem> {
        let has_objects = self.schema["items"]["type"] == "object";
        match value {
            Value::Array(items) => self.items(items),
            one @ Value::Object(_) if has_objects => self.items(vec![one]),
            Value::String(text) => match bounded_json::read(text.as_bytes()) {
                Ok(Value::Array(items)) => self.items(items),
                Ok(one @ Value::Object(_)) if has_objects => self.items(vec![one]),
                _ if has_objects => Err(self.refuse(&Value::String(text), "a list of objects")),
                _ => Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()),
            },
            other => Err(self.refuse(&other, if has_objects { "a list of objects" } else { "a list of texts" })),
        }
    }

    /// The items of a list: of objects, their fields are understood as arguments are.
    fn items(&self, items: Vec<Value>) -> Result<Value, Problem> {
        let of = self.schema["items"].as_object();
        let schema = of.map(|of| Schema { of, what: "a field of an item", needing: "each item" });
        let Some((schema, known)) = schema.as_ref().and_then(|schema| Some((schema, schema.known()?))) else {
            return Ok(Value::Array(items));
        };
        let item = |(at, item): (usize, Value)| {
            let numbered = |why: String| Problem::new(format!("{}: number {}: {why}", self.name, at + 1));
            match item {
                Value::Object(fields) => {
                    schema.fields(known, fields).map(Value::Object).map_err(|problem| numbered(problem.into_text()))
                }
                other => Err(numbered(format!("is {}, and must be an object", show_value(&other)))),
            }
        };
        items.into_iter().enumerate().map(item).collect::<Result<_, _>>().map(Value::Array)
    }

    /// An object, also as text.
    fn object(&self, value: Value) -> Result<Value, Problem> {
        match value {
            object @ Value::Object(_) => Ok(object),
            Value::String(text) => match bounded_json::read(text.as_bytes()) {
                Ok(object @ Value::Object(_)) => Ok(object),
                _ => Err(self.refuse(&Value::String(text), "an object")),
            },
            other => Err(self.refuse(&other, "an object")),
        }
    }

    fn number(&self, value: &Value) -> Result<Value, Problem> {
        let number = match value {
            Value::Number(number) => whole(number),
            Value::String(text) => text.trim().parse().ok().as_ref().and_then(whole),
            _ => None,
        };
        let least = self.schema["minimum"].as_i64().filter(|least| *least >= 0);
        let fits = |number: &i64| least.is_none_or(|least| (least..=MAX_INTEGER).contains(number));
        let allowed = match least {
            Some(least) => format!("a whole number from {least}, e.g. 5"),
            None => "a whole number, e.g. 5".to_owned(),
        };
        number.filter(fits).map(Value::from).ok_or_else(|| self.refuse(value, &allowed))
    }

    fn switch(&self, value: &Value) -> Result<Value, Problem> {
        let word = match value {
            Value::Bool(on) => return Ok((*on).into()),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_ascii_lowercase(),
            _ => String::new(),
        };
        match word.as_str() {
            "true" | "yes" | "1" => Ok(true.into()),
            "false" | "no" | "0" => Ok(false.into()),
            _ => Err(self.refuse(value, "true or false")),
        }
    }

    fn choice(&self, value: &Value, choices: &[Value]) -> Result<Value, Problem> {
        let word = value.as_str().map(|word| word.trim().to_lowercase());
        let names: Vec<_> = choices.iter().filter_map(Value::as_str).collect();
        match names.iter().find(|name| word.as_deref() == Some(**name)) {
            Some(name) => Ok((*name).into()),
            None => Err(self.refuse(value, &format!("one of {}", names.join(", ")))),
        }
    }

    fn text(&self, value: Value) -> Result<Value, Problem> {
        match value {
            text @ Value::String(_) => Ok(text),
            Value::Number(number) => Ok(number.to_string().into()),
            Value::Bool(on) => Ok(on.to_string().into()),
            other => Err(self.refuse(&other, "a text")),
        }
    }

    fn refuse(&self, value: &Value, allowed: &str) -> Problem {
        Problem::new(format!("{}: is {}, and must be {allowed}", self.name, show_value(value)))
    }
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("\"{}\"", printable::line(text, MAX_SHOWN_CHARS)),
        other => printable::line(&other.to_string(), MAX_SHOWN_CHARS),
    }
}

/// The whole number that this is, however it is written.
fn whole(number: &Number) -> Option<i64> {
    /// Up to here, floating point can represent each whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let exact = |float: &f64| float.fract() == 0.0 && float.abs() <= EXACT;
    number.as_i64().or_else(|| number.as_f64().filter(exact).map(|float| float as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_sent_as_text_has_no_more_values_than_a_message() {
        let schema = serde_json::json!({ "type": "array", "items": { "type": "object" } });
        let list = |count: usize| Value::String(format!("[{}]", vec!["{}"; count].join(",")));
        let edits = Argument { name: "edits", schema: &schema, is_required: true };
        assert!(edits.understand(list(9_000)).is_ok());
        assert!(edits.understand(list(20_000)).is_err());
    }
}
