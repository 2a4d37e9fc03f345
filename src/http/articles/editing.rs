//! Changing a part of an article.

use std::fmt;

use axum::{
    Extension, Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::{insert, keep, room};
use crate::{
    api::{AskedEdit, EditAnswer, OnConflict},
    articles::{
        PartEdits,
        editing::{Edit, MAX_EDITS},
    },
    auth::Caller,
    http::{
        app::HttpState,
        extract::{self, IfMatch, IfMatchHeader, Path},
        problem::Problem,
        responses::ProblemResponses,
    },
    only_object::OnlyObject,
};

pub(super) fn writing() -> OpenApiRouter<HttpState> {
    OpenApiRouter::new().routes(routes!(edit))
}

/// Changes of parts of an article's text: all of them are saved as one revision, or none is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Edits {
    /// In their order; each sees what those before it have made.
    #[schema(min_items = 1)]
    #[serde(deserialize_with = "not_many")]
    edits: Vec<AskedEdit>,
    /// What happens if the article is at another revision than `If-Match` says: `refuse` it, or `merge` both changes if what the
    /// edits change is still as it was, or if they are of different lines.
    #[serde(default)]
    on_conflict: OnConflict,
}

/// Reads edits, and no more than are looked at: one too many is refused with the others' words, and further ones are not
/// read.
fn not_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AskedEdit>, D::Error> {
    deserializer.deserialize_seq(NotMany)
}

struct NotMany;

impl<'de> Visitor<'de> for NotMany {
    type Value = Vec<AskedEdit>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of edits")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut edits: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(OnlyObject(edit)) = edits.next_element()? {
            if list.len() > MAX_EDITS {
                return Err(A::Error::custom(format!("there are many more than {MAX_EDITS} edits")));
            }
            list.push(edit);
        }
        Ok(list)
    }
}

/// Change parts of an article's text: add at an end, change a section, replace a text. Answers what changed, not the text.
#[utoipa::path(patch, path = "/articles/{slug}/body", operation_id = "edit_article", tag = "articles", request_body = Edits,
    params(("slug" = String, Path), IfMatchHeader),
    responses((status = OK, description = "What changed", body = EditAnswer, headers(("ETag" = String))), ProblemResponses))]
async fn edit(
    State(app): State<HttpState>,
    caller: Extension<Caller>,
    Path(slug): Path<String>,
    IfMatch(expected_revision): IfMatch,
    extract::Json(given): extract::Json<Edits>,
) -> Result<Response, Problem> {
    let edits = given.edits.into_iter().map(Edit::try_from).collect::<Result<_, _>>();
    let edits = edits.map_err(|error| Problem::invalid("edits", error))?;
    let room = room(&app, &caller, &slug).await?;
    let request = PartEdits { edits, expected_revision, on_conflict: given.on_conflict };
    let answer = app.host.edit(&slug, request).await?;
    let tag = format!("\"{}\"", answer.revision);
    let mut response = Json(answer).into_response();
    insert(response.headers_mut(), header::ETAG, tag);
    Ok(keep(response, room))
}
