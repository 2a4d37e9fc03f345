//! Schemas that every client and every model understands: written out where they are used, one type for each value, no
//! formats.

use std::sync::Arc;

use rmcp::{
    model::JsonObject,
    schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform},
};
use serde_json::{Map, Value};

/// Returns the schema of a tool's arguments.
pub(super) fn input<T: JsonSchema>() -> Arc<JsonObject> {
    of::<T>(SchemaSettings::draft2020_12())
}

/// Returns the schema of a tool's answer: its outermost names and types alone. An agent reads the answer itself, and
/// pays for each word of the list of tools.
pub(super) fn output<T: JsonSchema>() -> Arc<JsonObject> {
    let without_words = RecursiveTransform(|schema: &mut Schema| {
        schema.remove("description");
        schema.remove("required");
    });
    let whole = of::<T>(SchemaSettings::draft2020_12().for_serialize().with_transform(without_words));
    let mut outermost = Arc::unwrap_or_clone(whole);
    for value in outermost.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        for inner in ["properties", "items"] {
            value.as_object_mut().and_then(|value| value.remove(inner));
        }
    }
    Arc::new(outermost)
}

fn of<T: JsonSchema>(settings: SchemaSettings) -> Arc<JsonObject> {
    let settings = settings
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .with_transform(RecursiveTransform(simplify));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema.remove("description");
    Arc::new(schema.ensure_object().clone())
}

/// An optional value is one that may be left out: that it may also be `null` is accepted but not said, because many
/// clients understand no list of types.
fn simplify(schema: &mut Schema) {
    schema.remove("format");
    // Of a count, nobody expects another.
    if schema.get("minimum").is_some_and(|minimum| *minimum == 0) {
        schema.remove("minimum");
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get("type")
        && let Some(only) = types.iter().find(|name| *name != "null").cloned()
    {
        schema.insert("type".to_owned(), only);
    }
    if let Some(Value::Array(names)) = schema.get_mut("enum") {
        names.retain(|name| !name.is_null());
    }
    if let Some(Value::Array(choices)) = schema.remove("anyOf")
        && let Some(Value::Object(only)) = choices.into_iter().find(|choice| choice["type"] != "null")
    {
        for (key, value) in only {
            schema.insert(key, value);
        }
    }
    if let Some(names) = schema.get("oneOf").and_then(constants) {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), Value::from("string"));
        schema.insert("enum".to_owned(), Value::Array(names));
    }
}

/// The values of a choice that describes each value: to an agent, their names say enough.
fn constants(choices: &Value) -> Option<Vec<Value>> {
    let choices = choices.as_array()?;
    let mut names = Vec::new();
    for choice in choices {
        match (choice.get("const"), choice.get("enum").and_then(Value::as_array)) {
            (Some(name), _) => names.push(name.clone()),
            (None, Some(alike)) => names.extend(alike.iter().cloned()),
            (None, None) => return None,
        }
    }
    Some(names)
}
