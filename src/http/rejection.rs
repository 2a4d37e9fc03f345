//! Requests that cannot be read: what the libraries say of them, as a problem and in plain words.

use axum::{
    extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection},
    http::StatusCode,
};
use tower_http::timeout::TimeoutError;

use super::problem::Problem;

/// What the libraries write, and what it means to a client.
const PHRASES: [(&str, &str); 8] = [
    ("Failed to deserialize query string: ", "the query: "),
    ("Failed to deserialize the JSON body into the target type: ", "the body: "),
    ("Failed to parse the request body as JSON: ", "the body is not JSON: "),
    ("Invalid URL: ", "the address: "),
    ("invalid digit found in string", "must be a whole number from 0"),
    ("cannot parse integer from empty string", "must be a whole number"),
    ("number too large to fit in target type", "is too large"),
    ("provided string was not `true` or `false`", "must be true or false"),
];

/// What a library says, without its own names for things.
fn plain(text: &str) -> String {
    let said = PHRASES.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours));
    said.replace('`', "\"")
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        if is_timeout(&rejection) {
            let detail = "the body came too slowly (server.body_timeout); nothing was saved";
            return Self::new(StatusCode::REQUEST_TIMEOUT, "slow_client", detail).with_the_rest_unread();
        }
        let code = match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
            StatusCode::PAYLOAD_TOO_LARGE => "too_large",
            StatusCode::UNPROCESSABLE_ENTITY => "invalid",
            _ => "malformed",
        };
        let problem = Self::new(rejection.status(), code, plain(&rejection.body_text()));
        if code == "too_large" { problem.with_the_rest_unread() } else { problem }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if is_timeout(&rejection) {
            let detail = "the body came too slowly (server.body_timeout); nothing was saved";
            return Self::new(StatusCode::REQUEST_TIMEOUT, "slow_client", detail).with_the_rest_unread();
        }
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(rejection.status(), "too_large", plain(&rejection.body_text())).with_the_rest_unread()
            }
            _ => Self::malformed(plain(&rejection.body_text())),
        }
    }
}

fn is_timeout(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<TimeoutError>() || error.source().is_some_and(is_timeout)
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        let said = plain(&rejection.body_text());
        match field_with_fault(&said) {
            Some((field, fault)) => Self::invalid(field.to_owned(), fault),
            None => Self::malformed(said),
        }
    }
}

/// The field that has an invalid value, and what is wrong with it, if it is about one.
fn field_with_fault(said: &str) -> Option<(&str, &str)> {
    let (field, fault) = said.strip_prefix("the query: ")?.split_once(": ")?;
    let is_name = field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_name.then_some((field, fault))
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::malformed(plain(&rejection.body_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::{field_with_fault, plain};

    #[test]
    fn what_a_library_says_is_said_plainly() {
        for (theirs, ours) in [
            ("Failed to deserialize query string: duplicate field `limit`", "the query: duplicate field \"limit\""),
            (
                "Failed to deserialize query string: limit: invalid digit found in string",
                "the query: limit: must be a whole number from 0",
            ),
        ] {
            assert_eq!(plain(theirs), ours);
        }
        assert_eq!(field_with_fault("the query: limit: is too large"), Some(("limit", "is too large")));
        assert_eq!(field_with_fault("the query: duplicate field \"limit\""), None);
        assert_eq!(field_with_fault("the address: limit: x"), None);
    }
}
