//! One file in its encodings: identity, and compressed.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rust_embed::EmbeddedFile;

use super::Built;
use crate::http::negotiate::{has, values};

/// The suffixes of compressed files and their content codings, the smallest first.
const CODINGS: [(&str, &str); 2] = [("br", "br"), ("gz", "gzip")];

#[derive(Clone, Debug)]
pub(super) struct File {
    content_type: HeaderValue,
    /// The smallest first, the identity last.
    forms: Vec<Form>,
}

/// The bytes of a file, perhaps compressed.
#[derive(Clone, Debug)]
struct Form {
    coding: Option<&'static str>,
    tag: HeaderValue,
    bytes: Bytes,
}

impl File {
    /// The file of a name; `None` when it is the compressed form of another.
    pub(super) fn of(name: &str) -> Option<Self> {
        let is_form = CODINGS.iter().any(|(ending, _)| name.ends_with(&format!(".{ending}")));
        let identity = Built::get(name).filter(|_| !is_form)?;
        let content_type = content_type(&identity)?;
        let compressed = CODINGS.iter().filter_map(|(ending, coding)| {
            Form::new(Built::get(&format!("{name}.{ending}"))?, Some(coding))
        });
        let forms = compressed.chain(Form::new(identity, None)).collect();
        Some(Self { content_type, forms })
    }

    /// The file in the encoding that a client accepts; 304 when the client has it already.
    pub(super) fn answer(&self, request_headers: &HeaderMap) -> Response {
        let accepted =
            |form: &&Form| form.coding.is_none_or(|coding| accepts(request_headers, coding));
        let Some(form) = self.forms.iter().find(accepted) else {
            return StatusCode::NOT_ACCEPTABLE.into_response();
        };
        let vary = HeaderValue::from_static("Accept-Encoding");
        let headers = [(header::ETAG, form.tag.clone()), (header::VARY, vary)];
        if has(request_headers, &form.tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let coding = form.coding.map(|coding| [(header::CONTENT_ENCODING, coding)]);
        let content_type = [(header::CONTENT_TYPE, self.content_type.clone())];
        (headers, coding, content_type, form.bytes.clone()).into_response()
    }
}

impl Form {
    fn new(file: EmbeddedFile, coding: Option<&'static str>) -> Option<Self> {
        let digest: String =
            file.metadata.sha256_hash().iter().map(|byte| format!("{byte:02x}")).collect();
        let bytes = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        let tag = HeaderValue::from_str(&format!("\"{digest}\"")).ok()?;
        Some(Self { coding, tag, bytes })
    }
}

fn content_type(file: &EmbeddedFile) -> Option<HeaderValue> {
    let kind = file.metadata.mimetype();
    let charset = if kind.starts_with("text/") { "; charset=utf-8" } else { "" };
    HeaderValue::from_str(&format!("{kind}{charset}")).ok()
}

/// Whether a client accepts a coding (RFC 9110, section 12.5.3).
fn accepts(request_headers: &HeaderMap, coding: &str) -> bool {
    values(request_headers, &header::ACCEPT_ENCODING).any(|item| {
        let (name, quality) = item.split_once(';').unwrap_or((item, "q=1"));
        let quality = quality.trim().strip_prefix("q=").and_then(|value| value.parse().ok());
        name.trim().eq_ignore_ascii_case(coding) && quality.is_some_and(|value: f32| value > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn codings() {
        for (value, brotli, gzip) in [
            ("", false, false),
            ("br", true, false),
            ("gzip, deflate, br, zstd", true, true),
            ("GZIP;q=0.5,br;q=0", false, true),
            ("br ; q=0.1", true, false),
            ("br;q=0.000", false, false),
            ("br;q=much", false, false),
            ("brotli, xgzip, *", false, false),
        ] {
            let request_headers = headers(header::ACCEPT_ENCODING, value);
            assert_eq!(
                (accepts(&request_headers, "br"), accepts(&request_headers, "gzip")),
                (brotli, gzip),
                "{value}"
            );
        }
    }
}
