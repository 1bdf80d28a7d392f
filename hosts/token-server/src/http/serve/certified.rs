//! Connections whose clients may show a certificate.
//!
//! A handshake that fails by a certificate is logged. A certificate that was shown is added to each
//! request of its connection, and [`certificate`](crate::http::management::certificate) reads it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::http::Request;
use axum_server::accept::Accept;
use axum_server::tls_rustls::RustlsAcceptor;
use tokio::net::TcpStream;
use tower_service::Service;

use super::connection::Bounded;
use crate::http::tls::clients::{Clients, ShownCertificate};

/// Accepts connections over TLS.
#[derive(Clone, Debug)]
pub(super) struct Certified {
    inner: RustlsAcceptor<Bounded>,
    clients: Arc<Clients>,
}

impl Certified {
    pub(super) fn new(inner: RustlsAcceptor<Bounded>, clients: Arc<Clients>) -> Self {
        Self { inner, clients }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Certified {
    type Stream = <RustlsAcceptor<Bounded> as Accept<TcpStream, S>>::Stream;
    type Service = Showing<<Bounded as Accept<TcpStream, S>>::Service>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let address = stream.peer_addr();
        let handshake = self.inner.accept(stream, service);
        let clients = Arc::clone(&self.clients);
        Box::pin(async move {
            let (stream, service) = handshake.await.inspect_err(|error| {
                if let Ok(address) = address {
                    clients.log_handshake(address.ip(), error);
                }
            })?;
            let certificate =
                ShownCertificate::new(&clients, stream.get_ref().1.peer_certificates());
            Ok((stream, Showing { service, certificate }))
        })
    }
}

/// A connection's service that adds the certificate to its requests.
#[derive(Clone, Debug)]
pub(super) struct Showing<S> {
    service: S,
    certificate: Option<ShownCertificate>,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Showing<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if let Some(certificate) = &self.certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        self.service.call(request)
    }
}
