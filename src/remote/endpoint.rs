//! Where a server takes requests of one kind.

use reqwest::Url;

/// The address of the endpoint `name` at `base_url`, which may end with it already. A query, e.g. `?api-version=…`,
/// stays behind the path.
pub(crate) fn endpoint(base_url: &str, name: &str) -> String {
    let Ok(mut url) = Url::parse(base_url) else { return format!("{}/{name}", base_url.trim_end_matches('/')) };
    let is_there = url.path().trim_end_matches('/').ends_with(&format!("/{name}"));
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        if !is_there {
            path.push(name);
        }
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn the_endpoint_is_behind_the_path_and_before_the_query() {
        for (base_url, wanted) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/embeddings"),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1/embeddings"),
            ("http://localhost:11434", "http://localhost:11434/embeddings"),
            ("http://localhost/v1/embeddings", "http://localhost/v1/embeddings"),
            ("http://localhost/v1/embeddings/", "http://localhost/v1/embeddings"),
            (
                "https://x.example/openai/deployments/d?api-version=2024-02-01",
                "https://x.example/openai/deployments/d/embeddings?api-version=2024-02-01",
            ),
        ] {
            assert_eq!(endpoint(base_url, "embeddings"), wanted);
        }
    }
}
