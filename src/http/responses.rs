//! What every operation may answer in addition.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, RefOr, Response, ResponseBuilder},
};

use super::problem::Details;

/// A refusal, whatever its status: see [`Details`].
pub(super) struct ProblemResponses;

impl IntoResponses for ProblemResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = ContentBuilder::new().schema(Some(utoipa::openapi::Ref::from_schema_name(Details::name())));
        let refused = ResponseBuilder::new()
            .description("Refused; `code` says why, and `detail` what to do")
            .content("application/problem+json", content.build());
        BTreeMap::from([("default".to_owned(), RefOr::T(refused.build()))])
    }
}
