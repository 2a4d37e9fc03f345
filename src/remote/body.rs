//! Reading bodies, of which none may be larger than what was asked for explains.

use reqwest::Response;

/// The first bytes of a body: all of it, or a little more than `most`.
///
/// # Errors
/// The failure of the connection.
pub(crate) async fn at_most(mut response: Response, most: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            break;
        }
    }
    Ok(bytes)
}
