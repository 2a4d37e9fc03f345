//! `/api/openapi.json`, and the same to read at `/api/docs`, without anything fetched from elsewhere.

use axum::{Json, Router, routing::get};
use utoipa::openapi::{
    Components, InfoBuilder, License, OpenApi, OpenApiBuilder, RefOr, SecurityRequirement,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{app::HttpState, problem::Details};

const OPENAPI_PATH: &str = "/api/openapi.json";
const SECURITY_SCHEME: &str = "token";

/// The description without the operations, which are added by their routes.
pub(super) fn head() -> OpenApi {
    let mut components = Components::new();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("`afterword token create NAME` makes one. Not needed on this machine while there is none."));
    components.add_security_scheme(SECURITY_SCHEME, SecurityScheme::Http(bearer.build()));
    components.schemas.insert(Details::name().into_owned(), Details::schema());
    let mut parts = Vec::new();
    Details::schemas(&mut parts);
    components.schemas.extend(parts.into_iter().map(|(name, schema): (String, RefOr<_>)| (name, schema)));
    let mut license = License::new("MIT");
    license.identifier = Some("MIT".to_owned());
    let tag = |name: &str, about: &str| TagBuilder::new().name(name).description(Some(about)).build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Afterword")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "An article server. A save returns at once; the embedding comes after, in the background. Every \
                     refusal is a problem as in RFC 9457.",
                ))
                .license(Some(license)),
        )
        .components(Some(components))
        .security(Some([
            SecurityRequirement::default(),
            SecurityRequirement::new(SECURITY_SCHEME, Vec::<String>::new()),
        ]))
        .tags(Some([
            tag("articles", "Articles and their revisions"),
            tag("search", "By words, by meaning, or both"),
            tag("queue", "The tasks that make embeddings"),
            tag("bulk", "Embedding many articles"),
            tag("server", "Health of the server and its actors"),
        ]))
        .build()
}

pub(super) fn routes(description: OpenApi) -> Router<HttpState> {
    let answer = Json(description);
    // Otherwise the page would send its address to a validator on the internet.
    let config = Config::new([OPENAPI_PATH]).validator_url("none").try_it_out_enabled(true);
    Router::new()
        .route(OPENAPI_PATH, get(move || async move { answer }))
        .merge(SwaggerUi::new("/api/docs").config(config))
}
