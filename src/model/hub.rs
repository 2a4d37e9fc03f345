//! The Hugging Face hub: plain files over HTTPS, continued where they broke off.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
    time::Duration,
};

use reqwest::{Client, StatusCode, header};

use super::{CatalogEntry, PinnedFile, Progress, Stage, WEIGHTS};

/// Longest wait for a connection: on a closed network the other source should be tried soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest pause within a file.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub(super) enum HubError {
    #[error("{0}")]
    Http(String),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<reqwest::Error> for HubError {
    fn from(error: reqwest::Error) -> Self {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Self::Http(cause.to_string())
    }
}

/// Fetches the missing files of `known` into `directory`.
pub(super) async fn fetch(
    known: &'static CatalogEntry,
    directory: &Path,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), HubError> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build()?;
    for file in &known.files {
        if !file.is_genuine(&directory.join(file.name)).unwrap_or(false) {
            fetch_file(&client, known, file, directory, tell).await?;
        }
    }
    Ok(())
}

async fn fetch_file(
    client: &Client,
    known: &'static CatalogEntry,
    file: &PinnedFile,
    directory: &Path,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), HubError> {
    let name = file.name;
    let url = format!("https://huggingface.co/{}/resolve/main/{name}", known.repository);
    let part = directory.join(format!("{name}.part"));
    let mut have = fs::metadata(&part).map_or(0, |metadata| metadata.len());
    if have >= file.size {
        fs::remove_file(&part)?;
        have = 0;
    }
    let mut response = client.get(url).header(header::RANGE, format!("bytes={have}-")).send().await?;
    let mut options = OpenOptions::new();
    match response.status() {
        StatusCode::PARTIAL_CONTENT => options.append(true).create(true),
        StatusCode::OK => {
            // The hub begins again, so this does too.
            have = 0;
            options.write(true).truncate(true).create(true)
        }
        status => return Err(HubError::Http(format!("{name}: HTTP {}", status.as_u16()))),
    };
    let mut out = options.open(&part)?;
    while let Some(chunk) = response.chunk().await? {
        have += chunk.len() as u64;
        if have > file.size {
            break;
        }
        out.write_all(&chunk)?;
        if name == WEIGHTS {
            tell(Progress { stage: Stage::Hub, done: have, total: file.size });
        }
    }
    out.sync_all()?;
    drop(out);
    if have < file.size {
        return Err(HubError::Http(format!("{name}: it broke off after {have} of {} bytes", file.size)));
    }
    if have > file.size || !file.is_genuine(&part)? {
        fs::remove_file(&part)?;
        return Err(HubError::Http(format!("{name} is not the file that is expected")));
    }
    Ok(fs::rename(&part, directory.join(name))?)
}
