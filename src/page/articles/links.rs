//! Where the links of a text lead that is about to be shown.

use crate::{
    articles::linking::LinkTarget,
    page::{
        app::PageState,
        markdown::{self, Destinations},
        refusal::Refusal,
    },
};

/// At most this many different links of a text are resolved.
const MAX_LINKS: usize = 2_000;

/// Resolves the links of `text`, which is of `article`, or of none that is saved.
pub(super) async fn of(app: &PageState, article: Option<&LinkTarget>, text: &str) -> Result<Destinations, Refusal> {
    let links = app.host.articles.links_in(markdown::beginning(text), article, MAX_LINKS).await?;
    Ok(Destinations::from(links))
}
