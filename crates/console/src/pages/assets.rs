//! The style and the script that every page uses: in the binary, under names that change with what is in them, so that a
//! browser keeps them for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::xxh3_64;

/// One that a page names.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Where it is.
    pub(crate) path: String,
    mime: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, mime: &'static str, text: &'static str) -> Self {
        Self { path: format!("/assets/{stem}-{:016x}.{ending}", xxh3_64(text.as_bytes())), mime, text }
    }
}

/// How pages look.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    const PARTS: &str =
        concat!(include_str!("assets/base.css"), include_str!("assets/parts.css"), include_str!("assets/pages.css"));
    Asset::new("weir", "css", "text/css; charset=utf-8", PARTS)
});

/// What makes them livelier.
pub(crate) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("weir", "js", "text/javascript; charset=utf-8", include_str!("assets/weir.js")));

/// What a browser shows beside the title.
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("weir", "svg", "image/svg+xml", include_str!("assets/weir.svg")));

/// One of them; 404 for a name of another version.
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let path = format!("/assets/{name}");
    let Some(asset) = [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.path == path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.mime), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.text).into_response()
}
