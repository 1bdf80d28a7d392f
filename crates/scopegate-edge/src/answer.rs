//! The answers that are the same everywhere.
//!
//! Follows <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>, the end points
//! `end-1` and the section on error codes.
//!
//! Left out: refusals, which are [`scopegate_core::admission`]'s; header fields but the challenge.

/// The status and the body of `GET /v2/` for a client with a good token.
pub const BASE: (u16, &str) = (200, "{}");

/// The status and the body where no decision can be made. No request is let through then, and a
/// client learns nothing but that it may ask again.
pub const UNAVAILABLE: (u16, &str) = (
    503,
    r#"{"errors":[{"code":"UNAVAILABLE","message":"decision unavailable, try again","detail":null}]}"#,
);
