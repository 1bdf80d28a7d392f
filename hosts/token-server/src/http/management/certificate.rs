//! Requests on connections whose client has shown a certificate.
//!
//! A certificate that is no longer valid gets no answer but 401, whatever else the request has. The
//! holder of a valid one is a credential of management alone: nothing of the registry, and not the
//! authority, reads it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::error::ManagementError;
use crate::clock;
use crate::http::context::Context;
use crate::http::tls::clients::ShownCertificate;

/// Adds the holder of the certificate to the [`Context`].
pub(crate) async fn identify(mut request: Request, next: Next) -> Response {
    let Some(certificate) = request.extensions().get::<ShownCertificate>() else {
        return next.run(request).await;
    };
    let mut context = Context::of(request.extensions());
    match certificate.holder(context.address, clock::now()) {
        Ok(holder) => context.certificate = Some(holder),
        Err(reason) => return ManagementError::Unauthenticated(reason).into_response(),
    }
    request.extensions_mut().insert(context);
    next.run(request).await
}
