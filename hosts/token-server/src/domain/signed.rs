//! Documents that are signed once a minute and shared by all requests.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::domain::issue::SignError;
use crate::store::Known;

/// A document, signed.
#[derive(Debug)]
pub struct Signed {
    /// Its entity tag: revision and minute.
    pub tag: String,
    /// Header, payload and signature as a token carries them.
    pub text: Arc<str>,
}

/// The document that was made last.
#[derive(Debug, Default)]
pub(crate) struct Last(Mutex<Option<(Known, i64, Arc<Signed>)>>);

/// The bundles that were made last, of either version.
#[derive(Debug, Default)]
pub(crate) struct Bundles {
    /// Of the version that is served for one release.
    pub first: Last,
    /// Of the present one.
    pub second: Last,
}

impl Last {
    /// The document of a known state at a minute; made unless it is the last one.
    ///
    /// # Errors
    ///
    /// The error of `make`.
    pub(crate) async fn at(
        &self,
        known: Known,
        minute: i64,
        make: impl FnOnce() -> Result<Signed, SignError> + Send + 'static,
    ) -> Result<Arc<Signed>, SignError> {
        // Concurrent requests wait for the same document.
        let mut made = self.0.lock().await;
        if let Some((of, at, signed)) = made.as_ref()
            && *of == known
            && *at == minute
        {
            return Ok(Arc::clone(signed));
        }
        let signed = spawn_blocking(make).await;
        let signed = signed.map_err(|error| SignError(error.to_string()))??;
        let signed = Arc::new(signed);
        *made = Some((known, minute, Arc::clone(&signed)));
        Ok(signed)
    }
}
