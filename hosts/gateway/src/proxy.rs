//! The request and the answer, between client and registry.
//!
//! Everything is decided before the registry is asked. Bodies pass through in pieces, both ways;
//! nothing here holds one.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use pingora_core::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy, Peer as _};
use pingora_core::{Error, ErrorSource, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, Session};
use scopegate_api::claims::{AccessClaims, PrincipalKind};
use scopegate_api::errors::RegistryErrors;
use scopegate_core::admission::{Authority, Credential, Forward, Refusal, Request};
use scopegate_core::route::{Endpoint, Route, route};
use scopegate_core::{Catalog, RequiredScope};
use scopegate_edge::{Checked, Decision as Decided, Edge, Stale, TokenStatus, answer, bearer};
use scopegate_host::client::Client;
use scopegate_host::correlation;
use scopegate_host::peers::{Peers, Slot};
use scopegate_host::setting::Compatibility;

use crate::address::{self, Area, Owner};
use crate::call;
use crate::charts;
use crate::compatibility;
use crate::config::{ChartIndex, Config};
use crate::data_plane::{Call, DataPlane, Reply, Wanted};
use crate::head;
use crate::headers::{self, Origin, Sent};
use crate::keys::Keys;
use crate::listing::{self, Listed, Page};
use crate::pass::{self, PassError, TokenServer};
use crate::password::{PasswordError, Passwords};
use crate::request::{self, HeadError};
use crate::status::{Snapshot, Status};
use crate::telemetry::{Decision, Outcome};
use crate::ticket::{self, Tickets};
use crate::token::{Tokens, Verified};
use crate::untag;

const JSON: &str = "application/json; charset=utf-8";
/// The longest answer of which a client may have as many as it has connections, in bytes.
const LONG: usize = 256 * 1024;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// The configuration.
    pub(crate) config: Config,
    /// The registry's address.
    pub(crate) upstream: SocketAddr,
    /// Asks the registry for lists.
    pub(crate) client: Client,
    /// The public keys.
    pub(crate) keys: Arc<Keys>,
    /// The tokens.
    pub(crate) tokens: Tokens,
    /// Names and passwords, where they are taken.
    pub(crate) passwords: Option<Passwords>,
    /// The token server, where this is its address too.
    pub(crate) token_server: Option<TokenServer>,
    /// The connections of each client.
    pub(crate) peers: Arc<Peers>,
    /// Bodies that take memory here, or a connection of the token server's, by client.
    pub(crate) bodies: Arc<Peers>,
    /// Where the status of tokens is known from.
    pub(crate) status: Status,
    /// Addresses that open an index of charts, where one is generated.
    pub(crate) tickets: Option<Tickets>,
    /// The registry's own data plane, where there is an index.
    pub(crate) data_plane: Option<Arc<DataPlane>>,
}

/// A gateway as Pingora drives it.
#[derive(Debug)]
pub(crate) struct Proxy(pub(crate) Arc<Gateway>);

/// What one request has come to so far.
#[derive(Debug)]
pub(crate) struct Context {
    origin: Origin,
    target: String,
    requested: String,
    denied: String,
    name: Option<String>,
    /// The provider of an identity.
    provider: Option<String>,
    /// The id of the token.
    presented_jti: Option<String>,
    /// Whether its credential proves a principal.
    is_proof: bool,
    outcome: Outcome,
    forwarded: Option<Forwarded>,
    passed: Option<Passed>,
    decided_in: std::time::Duration,
}

/// What the registry is sent instead of the client's request: the request as it was decided about.
#[derive(Debug)]
struct Forwarded {
    target: String,
    content_type: Option<String>,
    /// The manifest that is pulled.
    pulled: Option<Pulled>,
    /// The repository that a blob, or a piece of one, is uploaded to.
    uploaded_to: Option<String>,
}

/// A manifest that is pulled.
#[derive(Debug)]
struct Pulled {
    repository: String,
    /// What it was decided by; nothing for a tag in a repository where any manifest may be pulled.
    digest: Option<String>,
}

/// A request that the token server answers.
#[derive(Debug)]
struct Passed {
    area: Area,
    /// How much of its body is still to come, at most.
    left: usize,
    /// Its share, where its body goes on as it comes.
    _slot: Option<Slot>,
}

/// An answer of our own.
struct Answer {
    status: u16,
    content_type: Option<Cow<'static, str>>,
    headers: Vec<(Cow<'static, str>, String)>,
    body: Vec<u8>,
    outcome: Outcome,
    /// Its share of the memory for bodies, until it is sent.
    _share: Option<Slot>,
}

/// What is to be done with a request.
enum Action {
    Forward(Forwarded),
    Pass(Area),
    Answer(Answer),
    Call(Arc<DataPlane>, Call, Option<String>),
}

/// Why no decision can be made.
enum Unavailable {
    /// Something is too old to decide by.
    Stale(Stale),
    /// The token server does not say whether a password is good.
    TokenServer,
    /// The client has asked about too many passwords.
    TooMany,
}

impl From<Stale> for Unavailable {
    fn from(stale: Stale) -> Self {
        Self::Stale(stale)
    }
}

/// What a request presents: a token whose signature is good.
type Presented = Credential<Arc<Verified>>;

impl Gateway {
    /// What keeps this gateway from deciding.
    #[must_use]
    pub(crate) fn stale(&self) -> Option<Stale> {
        if !self.keys.has_any() {
            return Some(Stale::Keys);
        }
        self.status.snapshot().source().check(now()).err()
    }

    async fn decide(&self, session: &Session, context: &mut Context) -> Action {
        let head = session.as_downstream().to_h1_raw();
        let target = match request::target(&head) {
            Ok(target) => target,
            Err(error) => return Action::Answer(Answer::head(error)),
        };
        target.clone_into(&mut context.target);
        if let Some(action) = self.pass(target) {
            return action;
        }
        let method = session.req_header().method.as_str();
        let presented = match self.presented(session.req_header(), method, target, context).await {
            Ok(presented) => presented,
            Err(unavailable) => return Action::Answer(unavailable.into()),
        };
        let untagging = self.untagging(&presented, method, target);
        let credential = untagging.as_ref().map_or(claims(&presented), Credential::Valid);
        let headers = &session.req_header().headers;
        let headers = || headers.iter().map(|(name, value)| (name.as_ref(), value.as_bytes()));
        let request = || Request { method, target, headers: headers() };
        let first = self.status.snapshot();
        let renewed;
        let mut decided = self.decided(&first, credential, request());
        if let Status::Policy(bundles) = &self.status
            && matches!(decided, Ok((_, Decided::Refusal(_))))
            && self.opens_by_itself(credential, request())
        {
            bundles.renewed().await;
            renewed = self.status.snapshot();
            decided = self.decided(&renewed, credential, request());
        }
        let (checked, decided) = match decided {
            Ok(decided) => decided,
            Err(stale) => return Action::Answer(Unavailable::Stale(stale).into()),
        };
        if let Credential::Valid((claims, _)) = checked {
            context.note(claims);
        }
        match decided {
            Decided::Forward(forward) => {
                context.requested = forward.route.to_string();
                match self.chart_index(session, context, &forward.route, &checked).await {
                    Some(answer) => Action::Answer(answer),
                    None => self.forward(method, forward, checked).await,
                }
            }
            Decided::Base => Action::Answer(Answer::fixed(answer::BASE, Outcome::Answered)),
            Decided::Refusal(refusal) => {
                context.denied = joined(&refusal.missing);
                Action::Answer(self.refused(method, target, refusal))
            }
            Decided::Unavailable(stale) => Action::Answer(Unavailable::Stale(stale).into()),
        }
    }

    /// What is decided by what is known.
    fn decided<'s, 'c, 'a, H>(
        &'s self,
        known: &'s Snapshot,
        credential: Credential<&'c AccessClaims>,
        request: Request<'a, H>,
    ) -> std::result::Result<(Checked<'c, 's>, Decided<'a>), Stale>
    where
        H: IntoIterator<Item = (&'a [u8], &'a [u8])>,
    {
        let edge = self.edge(known);
        let checked = edge.check(credential, now())?;
        Ok((checked, edge.admit(request, checked)))
    }

    /// Whether a token opens what is requested where nothing else is known of it. It was issued by
    /// a policy that may be newer than the one held.
    fn opens_by_itself<'a, H>(
        &self,
        credential: Credential<&AccessClaims>,
        request: Request<'a, H>,
    ) -> bool
    where
        H: IntoIterator<Item = (&'a [u8], &'a [u8])>,
    {
        let decided = self.decided(&Snapshot::Expiry, credential, request);
        matches!(decided, Ok((_, Decided::Forward(_) | Decided::Base)))
    }

    /// What decides instead of the token's claims about the removal of a tag.
    fn untagging(&self, presented: &Presented, method: &str, target: &str) -> Option<AccessClaims> {
        let Credential::Valid(verified) = presented else { return None };
        untag::claims(verified, method, target, &self.config.route_settings())
    }

    /// The answer to a refused request. The data plane has one of its own for a path that it does
    /// not have.
    fn refused(&self, method: &str, target: &str, refusal: Refusal) -> Answer {
        let is_metadata = self.data_plane.is_some() && target.starts_with("/acr/v1/");
        if is_metadata && refusal.status == 404 {
            return Reply::no_page().into();
        }
        match self.config.compatibility {
            Compatibility::None => refusal.into(),
            Compatibility::Acr => {
                compatibility::as_acr(refusal, method, target, &self.config.route_settings()).into()
            }
        }
    }

    /// What becomes of a request that is the token server's.
    fn pass(&self, target: &str) -> Option<Action> {
        let server = self.token_server.as_ref()?;
        match address::owner(target, server.has_management()) {
            Owner::Registry => None,
            Owner::Ambiguous => {
                Some(Action::Answer(Answer::pass(PassError::Ambiguous, Area::Tokens)))
            }
            Owner::TokenServer(area) => Some(Action::Pass(area)),
        }
    }

    /// Receives a call of the data plane, and answers it.
    async fn call(
        &self,
        session: &mut Session,
        context: &Context,
        data_plane: Arc<DataPlane>,
        call: Call,
        content_type: Option<&str>,
    ) -> Result<Answer> {
        let (config, bodies) = (&self.config, Arc::clone(&self.bodies));
        let address = context.origin.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let added = call::headers_of_writes(session, &call);
        let sent = Sent { content_type, added: &config.forward_headers, origin: &context.origin };
        let received = call::receive(session, &call, sent, bodies, config.timeouts).await?;
        let mut reply = match received {
            Ok(received) => data_plane.answer(call, received.sent).await,
            Err(reply) => reply,
        };
        reply.headers.extend(added);
        // Who reads a long answer slowly keeps it here.
        let share = match reply.body.len() {
            ..=LONG => None,
            _ => match Arc::clone(&self.bodies).admit(address).await {
                None => return Ok(Answer::too_many()),
                share => share,
            },
        };
        Ok(Answer { _share: share, ..reply.into() })
    }

    /// This gateway as the rules see it.
    fn edge<'e>(&'e self, snapshot: &'e Snapshot) -> Edge<'e> {
        let (realm, service) = (self.config.realm.as_str(), self.config.service.as_str());
        Edge {
            issuer: self.config.issuer(),
            authority: Authority { realm, service },
            routes: self.config.route_settings(),
            catalog: self.config.catalog,
            can_filter: true,
            status: snapshot.source(),
        }
    }

    async fn forward(
        &self,
        method: &str,
        forward: Forward<'_>,
        checked: Checked<'_, '_>,
    ) -> Action {
        let Forward { route, target, content_type } = forward;
        if let Some(data_plane) = &self.data_plane
            && let Some(action) =
                self.plane(data_plane, method, &route, &target, content_type, &checked).await
        {
            return action;
        }
        // The registry's own list says too much, also in the head of an answer, and wherever else
        // it may have one.
        let is_filtered =
            route.endpoint == Endpoint::Catalog && self.config.catalog == Catalog::Filtered;
        match listing::field(route.endpoint) {
            Some(field) if route.path.starts_with("/v2/") && (method == "GET" || is_filtered) => {
                let query = query(&target);
                let repository = route.scopes.first().map_or("", |scope| scope.name.as_ref());
                let ending = match &self.data_plane {
                    Some(data_plane) if route.endpoint == Endpoint::TagsList => {
                        data_plane.ending_tags(repository).await
                    }
                    _ => HashSet::new(),
                };
                let is_shown = |name: &str| {
                    (!is_filtered || may_list(&checked, name))
                        && self.is_listed(route.endpoint, repository, name)
                        && !ending.contains(name)
                };
                Action::Answer(self.list(&route.path, field, query, is_shown).await)
            }
            _ if is_filtered => Action::Answer(Answer::error(
                404,
                "UNSUPPORTED",
                "the repositories are listed at /v2/_catalog",
            )),
            _ => Action::Forward(Forwarded {
                pulled: (route.endpoint == Endpoint::Manifest)
                    .then(|| route.scopes.first())
                    .flatten()
                    .map(|scope| Pulled::of(&scope.name, &route.path)),
                uploaded_to: matches!(route.endpoint, Endpoint::StartUpload | Endpoint::Upload)
                    .then(|| route.scopes.first().map(|scope| scope.name.clone().into_owned()))
                    .flatten()
                    .filter(|_| !matches!(method, "GET" | "HEAD" | "DELETE")),
                target: target.into_owned(),
                content_type: content_type.map(ToOwned::to_owned),
            }),
        }
    }

    /// The index of charts that a request asks for, where the configuration has one: the index
    /// itself, or the way to it. A client with a token is sent on to an address that needs none, as
    /// by the service, whose clients follow it without their token.
    async fn chart_index(
        &self,
        session: &Session,
        context: &Context,
        route: &Route<'_>,
        checked: &Checked<'_, '_>,
    ) -> Option<Answer> {
        let source = charts::source(route, &self.config)?;
        if let Some(reply) = self.data_plane.as_ref().and_then(|data_plane| data_plane.unready()) {
            return Some(reply.into());
        }
        let below = match source {
            ChartIndex::At(url) => return Some(Answer::redirect(url.as_str())),
            ChartIndex::Generated { below } => below,
        };
        let (data_plane, tickets) = (self.data_plane.as_ref()?, self.tickets.as_ref()?);
        let headers = &session.req_header().headers;
        let Some(host) = charts::host(headers) else {
            return Some(Answer::error(400, "UNSUPPORTED", "the host is not valid in an address"));
        };
        let origin = &context.origin;
        if ticket::of(query(&context.target)).is_none()
            && let Some(token) = charts::token(headers)
            && let Some(ticket) = tickets.write(&route.path, token, now())
        {
            let realm = &self.config.realm;
            let url = charts::address(host, origin.is_secure, realm, &route.path, &ticket);
            return Some(Answer::redirect(&url).unkept());
        }
        let address = origin.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let Some(share) = Arc::clone(&self.bodies).admit(address).await else {
            return Some(Answer::too_many());
        };
        let index = data_plane.chart_index(Wanted { host, below }, |name| may_read(checked, name));
        Some(Answer { _share: Some(share), ..Answer::from(index.await).unkept() })
    }

    /// What the data plane does with a request that goes on; nothing when the registry answers it.
    async fn plane(
        &self,
        data_plane: &Arc<DataPlane>,
        method: &str,
        route: &Route<'_>,
        target: &str,
        content_type: Option<&str>,
        checked: &Checked<'_, '_>,
    ) -> Option<Action> {
        if let Some(reply) = data_plane.unready() {
            return Some(Action::Answer(reply.into()));
        }
        let is_held = Call::is_held(method, route.endpoint, target);
        let is_metadata = route.path.starts_with("/acr/v1/");
        if is_held || (is_metadata && route.endpoint != Endpoint::Catalog) {
            let call = Call::new(method, route, target);
            let content_type = content_type.map(ToOwned::to_owned);
            return Some(Action::Call(Arc::clone(data_plane), call, content_type));
        }
        if !is_metadata {
            if let Some(reply) = data_plane.refusal(method, route) {
                return Some(Action::Answer(reply.into()));
            }
            return match route.endpoint {
                Endpoint::Referrers => self.referrers(data_plane, route, target).await,
                _ => self.pull(data_plane, route, target).await,
            };
        }
        let is_filtered = self.config.catalog == Catalog::Filtered;
        let is_shown =
            |name: &str| (!is_filtered || may_list(checked, name)) && data_plane.is_listed(name);
        let query = query(target);
        Some(Action::Answer(data_plane.catalog(query, is_shown).await.into()))
    }

    /// A list of referrers, where some manifest is kept back.
    async fn referrers(
        &self,
        data_plane: &Arc<DataPlane>,
        route: &Route<'_>,
        target: &str,
    ) -> Option<Action> {
        let repository = route.scopes.first()?.name.as_ref();
        let listed = data_plane.referrers(repository, last(&route.path), query(target));
        listed.await.map(|reply| Action::Answer(reply.into()))
    }

    /// A pull by a tag, where some manifest may not be pulled: it goes on by the digest that was
    /// decided about. By a tag the registry might convert what it has, or choose from a list.
    async fn pull(
        &self,
        data_plane: &Arc<DataPlane>,
        route: &Route<'_>,
        target: &str,
    ) -> Option<Action> {
        let scope = route.scopes.first().filter(|_| route.endpoint == Endpoint::Manifest)?;
        let (repository, reference) = (scope.name.as_ref(), last(&route.path));
        let digest = match data_plane.resolve(repository, reference).await {
            Ok(digest) => digest?,
            Err(reply) => return Some(Action::Answer(reply.into())),
        };
        let query = target.split_once('?').map(|(_, query)| ["?", query].concat());
        Some(Action::Forward(Forwarded {
            target: format!("/v2/{repository}/manifests/{digest}{}", query.unwrap_or_default()),
            content_type: None,
            pulled: Some(Pulled { repository: repository.to_owned(), digest: Some(digest) }),
            uploaded_to: None,
        }))
    }

    /// Whether a list of names at `/v2` shows one, as far as attributes say.
    fn is_listed(&self, endpoint: Endpoint, repository: &str, name: &str) -> bool {
        self.data_plane.as_ref().is_none_or(|data_plane| match endpoint {
            Endpoint::Catalog => data_plane.is_listed(name),
            _ => data_plane.is_tag_listed(repository, name),
        })
    }

    async fn list(
        &self,
        path: &str,
        field: &str,
        query: &str,
        is_shown: impl Fn(&str) -> bool,
    ) -> Answer {
        let Some(page) = Page::read(query) else {
            return Answer::error(
                400,
                "PAGINATION_NUMBER_INVALID",
                "invalid number of results requested",
            );
        };
        let (client, upstream) = (&self.client, &self.config.upstream);
        match listing::list(client, upstream, path, field, &page, is_shown).await {
            Ok(Listed { status, link, body }) => {
                let mut answer = Answer::json(status, body);
                answer.headers.extend(link.map(|link| ("link".into(), link)));
                answer
            }
            Err(reason) => {
                tracing::error!(reason, "the registry gives no list");
                Answer::bad_gateway()
            }
        }
    }

    async fn presented(
        &self,
        request: &RequestHeader,
        method: &str,
        target: &str,
        context: &Context,
    ) -> Result<Presented, Unavailable> {
        let Some(authorization) = request.headers.get(header::AUTHORIZATION) else {
            return self.by_ticket(method, target).await;
        };
        if bearer::is_bearer(authorization.as_bytes()) {
            return self.bearer(bearer::token(authorization.as_bytes()).unwrap_or_default()).await;
        }
        let is_basic = |text: &&str| {
            text.split(' ').next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
        };
        match (&self.passwords, authorization.to_str().ok().filter(is_basic)) {
            (Some(passwords), Some(basic)) => {
                self.basic(passwords, basic, method, target, context.origin.address).await
            }
            _ => Ok(Credential::Invalid),
        }
    }

    async fn bearer(&self, token: &str) -> Result<Presented, Unavailable> {
        match self.tokens.verify(token, now()).await {
            Some(verified) => Ok(Credential::Valid(verified)),
            None if self.keys.has_any() => Ok(Credential::Invalid),
            None => Err(Stale::Keys.into()),
        }
    }

    /// A request without a credential may have one in its address, at an index of charts alone.
    async fn by_ticket(&self, method: &str, target: &str) -> Result<Presented, Unavailable> {
        let (Some(tickets), Some(ticket)) = (&self.tickets, ticket::of(query(target))) else {
            return Ok(Credential::Absent);
        };
        let Ok(route) = route(method, target, &self.config.route_settings()) else {
            return Ok(Credential::Absent);
        };
        if !matches!(charts::source(&route, &self.config), Some(ChartIndex::Generated { .. })) {
            return Ok(Credential::Absent);
        }
        match tickets.open(&route.path, &ticket, now()) {
            Some(token) => self.bearer(&token).await,
            None => Ok(Credential::Invalid),
        }
    }

    /// A password is good for as much as a token that is asked for with it. What it is needed for
    /// is read from the request first.
    async fn basic(
        &self,
        passwords: &Passwords,
        authorization: &str,
        method: &str,
        target: &str,
        address: Option<IpAddr>,
    ) -> Result<Presented, Unavailable> {
        let Ok(route) = route(method, target, &self.config.route_settings()) else {
            // A path that the API does not have gets the same answer with any credential.
            return Ok(Credential::Absent);
        };
        let scopes = untag::scopes(&route, method, &self.config.route_settings());
        // What was remembered may have ended since, and the password may be right still.
        for _ in 0..2 {
            let issued = passwords.token(authorization, &scopes, address).await;
            let Some(issued) = issued.map_err(unavailable)? else {
                return Ok(Credential::Invalid);
            };
            let presented = self.bearer(&issued.token).await?;
            let snapshot = self.status.snapshot();
            let checked = self.edge(&snapshot).check(claims(&presented), now())?;
            // One that was issued a moment ago is right, whatever is held. Of another the password
            // may have ended with it, without the minute by which clocks may differ.
            let is_good = matches!(checked, Credential::Valid((claims, _)) if claims.exp > now());
            let untagging = self.untagging(&presented, method, target);
            let credential = untagging.as_ref().map_or(claims(&presented), Credential::Valid);
            let request = Request { method, target, headers: [] };
            let is_behind = || issued.may_be_behind() && !self.opens_by_itself(credential, request);
            if !issued.is_remembered() || is_good && !is_behind() {
                return Ok(presented);
            }
            passwords.forget(authorization, &scopes);
        }
        Ok(Credential::Invalid)
    }
}

/// Why a password decides nothing.
fn unavailable(error: PasswordError) -> Unavailable {
    match error {
        PasswordError::TooMany => Unavailable::TooMany,
        PasswordError::Unanswered(reason) => {
            tracing::error!(reason, "the token server does not answer");
            Unavailable::TokenServer
        }
    }
}

/// Whether a filtered list shows a repository to the token's holder.
fn may_list(checked: &Checked<'_, '_>, name: &str) -> bool {
    match checked {
        Credential::Valid((_, TokenStatus::Restricted(holder))) => holder.may_list(name),
        _ => false,
    }
}

/// Whether a generated index has the charts of a repository for the token's holder.
fn may_read(checked: &Checked<'_, '_>, name: &str) -> bool {
    match checked {
        Credential::Valid((_, TokenStatus::Restricted(holder))) => holder.may_read(name),
        _ => false,
    }
}

impl Pulled {
    /// What a path names: a digest, or a tag of whatever digest.
    fn of(repository: &str, path: &str) -> Self {
        let digest = Some(last(path)).filter(|reference| reference.contains(':'));
        Self { repository: repository.to_owned(), digest: digest.map(ToOwned::to_owned) }
    }
}

/// The last segment of a path.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The query of a target.
fn query(target: &str) -> &str {
    target.split_once('?').map_or("", |(_, query)| query)
}

fn claims(presented: &Presented) -> Credential<&AccessClaims> {
    match presented {
        Credential::Absent => Credential::Absent,
        Credential::Invalid => Credential::Invalid,
        Credential::Valid(verified) => Credential::Valid(&verified.claims),
    }
}

impl Context {
    /// Notes whose token it is.
    fn note(&mut self, claims: &AccessClaims) {
        self.name = Some(claims.sub.clone());
        self.provider.clone_from(&claims.provider);
        self.presented_jti = Some(claims.jti.clone());
        // Any client may have an anonymous token.
        let is_anonymous = claims.principal == Some(PrincipalKind::Anonymous);
        self.is_proof = !is_anonymous && !claims.sub.is_empty();
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        // Pingora makes one for each head that it has read.
        head::note();
        Context {
            origin: Origin { address: None, is_secure: false, correlation_id: String::new() },
            target: String::new(),
            requested: String::new(),
            denied: String::new(),
            name: None,
            provider: None,
            presented_jti: None,
            is_proof: false,
            outcome: Outcome::Failed,
            forwarded: None,
            passed: None,
            decided_in: std::time::Duration::ZERO,
        }
    }

    async fn request_filter(&self, session: &mut Session, context: &mut Context) -> Result<bool> {
        let start = Instant::now();
        let client = session.as_downstream_mut();
        client.set_read_timeout(Some(self.0.config.timeouts.client));
        client.set_write_timeout(Some(self.0.config.timeouts.client));
        client.set_total_drain_timeout(Some(self.0.config.timeouts.client));
        context.origin = self.0.origin(session);
        let action = self.0.decide(session, context).await;
        context.decided_in = start.elapsed();
        let answer = match action {
            Action::Forward(forwarded) => {
                context.outcome = Outcome::Forwarded;
                context.forwarded = Some(forwarded);
                return Ok(false);
            }
            Action::Pass(area) => {
                let (address, bodies) = (context.origin.address, Arc::clone(&self.0.bodies));
                let timeouts = self.0.config.timeouts;
                match pass::receive(session, address, bodies, timeouts).await? {
                    Ok(slot) => {
                        context.outcome = Outcome::Passed;
                        context.passed = Some(Passed { area, left: pass::MAX_BODY, _slot: slot });
                        return Ok(false);
                    }
                    Err(error) => Answer::pass(error, area),
                }
            }
            Action::Call(data_plane, call, content_type) => {
                let content_type = content_type.as_deref();
                self.0.call(session, context, data_plane, call, content_type).await?
            }
            Action::Answer(answer) => answer,
        };
        context.outcome = answer.outcome;
        let is_understood = answer.status != 400;
        answer.send(session, &context.origin).await?;
        if is_understood {
            linger(session).await;
        }
        Ok(true)
    }

    /// A body without a length is bounded as it comes. A blob's last piece goes on only if the
    /// repository may still be written: its client may have taken any time until now.
    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        is_end: bool,
        context: &mut Context,
    ) -> Result<()> {
        let uploaded_to = context.forwarded.as_ref().and_then(|it| it.uploaded_to.as_deref());
        if let (true, Some(data_plane), Some(repository)) =
            (is_end, &self.0.data_plane, uploaded_to)
            && let Some(reply) = data_plane.refused_upload("PUT", repository)
        {
            let status = ErrorType::HTTPStatus(reply.status);
            return Error::e_explain(status, "it may not be uploaded any more");
        }
        let (Some(passed), Some(piece)) = (&mut context.passed, body) else { return Ok(()) };
        match passed.left.checked_sub(piece.len()) {
            Some(left) => {
                passed.left = left;
                Ok(())
            }
            None => Error::e_explain(ErrorType::HTTPStatus(413), "the body is too large"),
        }
    }

    async fn upstream_peer(&self, _: &mut Session, context: &mut Context) -> Result<Box<HttpPeer>> {
        if let (Some(_), Some(server)) = (&context.passed, &self.0.token_server) {
            return Ok(Box::new(server.peer(self.0.config.timeouts)));
        }
        let is_tls = self.0.config.upstream.scheme() == "https";
        let name = self.0.config.upstream.host_str().unwrap_or_default().to_owned();
        let mut peer = HttpPeer::new(self.0.upstream, is_tls, name);
        if let Some(options) = peer.get_mut_peer_options() {
            let times = self.0.config.timeouts;
            options.connection_timeout = Some(times.connect);
            options.total_connection_timeout = Some(times.connect);
            options.read_timeout = Some(times.upstream);
            options.write_timeout = Some(times.upstream);
            options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        }
        Ok(Box::new(peer))
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        context: &mut Context,
    ) -> Result<()> {
        if let (Some(_), Some(server)) = (&context.passed, &self.0.token_server) {
            return server.forward(request, &context.origin);
        }
        // Nothing goes on that was not decided.
        let Some(Forwarded { target, content_type, .. }) = &context.forwarded else {
            return Error::e_explain(ErrorType::InternalError, "a request that was not decided");
        };
        request.set_raw_path(target.as_bytes())?;
        let sent = Sent {
            content_type: content_type.as_deref(),
            added: &self.0.config.forward_headers,
            origin: &context.origin,
        };
        headers::forward(request, sent)
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        answer: &mut ResponseHeader,
        context: &mut Context,
    ) -> Result<()> {
        if !headers::is_framed(answer) {
            return Error::e_explain(ErrorType::HTTPStatus(502), "an answer without a clear end");
        }
        if context.passed.is_some() {
            return pass::restrain(answer, &context.origin);
        }
        // A registry that asks for credentials is not meant to: its challenge could lead clients,
        // and their passwords, elsewhere.
        if answer.status == StatusCode::UNAUTHORIZED
            || answer.headers.contains_key(header::WWW_AUTHENTICATE)
        {
            return Error::e_explain(
                ErrorType::HTTPStatus(502),
                "the registry asks for credentials",
            );
        }
        let pulled = context.forwarded.as_ref().and_then(|forwarded| forwarded.pulled.as_ref());
        if let (Some(data_plane), Some(Pulled { repository, digest })) =
            (&self.0.data_plane, pulled)
        {
            let named = answer.headers.get("docker-content-digest");
            let named = named.and_then(|value| value.to_str().ok());
            if let Some(reply) = data_plane.kept_back(repository, digest.as_deref(), named) {
                let status = ErrorType::HTTPStatus(reply.status);
                return Error::e_explain(status, "it may not be pulled");
            }
            let length = answer.headers.get(header::CONTENT_LENGTH);
            let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
            match data_plane.is_ended_pull(repository, named, length).await {
                Ok(false) => {}
                Ok(true) => {
                    return Error::e_explain(
                        ErrorType::HTTPStatus(404),
                        "the tag is being removed",
                    );
                }
                Err(reason) => return Error::e_explain(ErrorType::InternalError, reason),
            }
        }
        headers::restrain(answer);
        let host = session.req_header().headers.get(header::HOST);
        let location = answer.headers.get(header::LOCATION);
        let ours =
            location.and_then(|value| headers::location(value, host, &self.0.config.upstream));
        match ours {
            Some(path) => headers::set(answer, "location", &path),
            None => Ok(()),
        }
    }

    async fn response_filter(
        &self,
        _: &mut Session,
        answer: &mut ResponseHeader,
        context: &mut Context,
    ) -> Result<()> {
        if context.passed.is_none() {
            headers::complete(answer, &context.origin)?;
        }
        headers::spell(answer)
    }

    /// A connection that the registry closed while it was idle is no failure of the request. What
    /// only reads is sent again; whether a write arrived before the end is unknown, so its client
    /// decides.
    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        _: &mut Context,
        client_reused: bool,
    ) -> Box<Error> {
        if matches!(session.req_header().method, Method::GET | Method::HEAD) {
            error.retry.decide_reuse(client_reused);
        } else {
            error.set_retry(false);
        }
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        context: &mut Context,
    ) -> FailToProxy {
        let passed =
            context.passed.as_ref().and_then(|passed| Answer::not_passed(error, passed.area));
        let answer = passed.or_else(|| match (error.etype(), error.esource()) {
            (ErrorType::HTTPStatus(502), _) => Some(Answer::bad_gateway()),
            (ErrorType::HTTPStatus(405), _) => Some(Reply::disallowed().into()),
            (ErrorType::HTTPStatus(404), _) => {
                Some(Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown"))
            }
            (ErrorType::ConnectTimedout | ErrorType::ReadTimedout, ErrorSource::Upstream) => {
                Some(Answer::error(504, "UNAVAILABLE", "the registry does not answer in time"))
            }
            (_, ErrorSource::Upstream) => Some(Answer::bad_gateway()),
            (ErrorType::WriteError | ErrorType::ConnectionClosed, ErrorSource::Downstream) => None,
            (ErrorType::ReadTimedout | ErrorType::ReadError, ErrorSource::Downstream) => {
                Some(Answer::error(408, "UNSUPPORTED", "the request does not come in time"))
            }
            (_, ErrorSource::Downstream) => {
                Some(Answer::error(400, "UNSUPPORTED", "the request cannot be read"))
            }
            _ => Some(Answer::unavailable()),
        });
        tracing::warn!(error = %error.etype().as_str(), source = error.esource().as_str(), "not forwarded");
        context.outcome = Outcome::Failed;
        let error_code = answer.as_ref().map_or(0, |answer| answer.status);
        if let Some(answer) = answer.filter(|_| session.response_written().is_none()) {
            session.set_keepalive(None);
            // The client may be gone, which is no matter any more.
            let is_sent = answer.send(session, &context.origin).await.is_ok();
            if is_sent && *error.esource() != ErrorSource::Downstream {
                linger(session).await;
            }
        }
        FailToProxy { error_code, can_reuse_downstream: false }
    }

    async fn logging(&self, session: &mut Session, _: Option<&Error>, context: &mut Context) {
        let status = session.response_written().map_or(0, |answer| answer.status.as_u16());
        if let Some(address) =
            context.origin.address.filter(|_| context.is_proof && status / 100 == 2)
        {
            self.0.peers.prove(address);
            self.0.bodies.prove(address);
        }
        Decision {
            outcome: context.outcome,
            method: session.req_header().method.as_str(),
            target: &context.target,
            requested: &context.requested,
            denied: &context.denied,
            name: context.name.as_deref(),
            provider: context.provider.as_deref(),
            presented_jti: context.presented_jti.as_deref(),
            address: context.origin.address,
            correlation_id: &context.origin.correlation_id,
            status,
            duration: context.decided_in,
        }
        .log();
    }
}

impl Gateway {
    fn origin(&self, session: &Session) -> Origin {
        let address = session.client_addr().and_then(|address| address.as_inet());
        Origin {
            address: address.map(|address| address.ip().to_canonical()),
            is_secure: self.config.tls.is_some(),
            correlation_id: correlation::id(&session.req_header().headers).to_string(),
        }
    }
}

impl Answer {
    fn json(status: u16, body: Vec<u8>) -> Self {
        let (content_type, headers) = (Some(JSON.into()), Vec::new());
        Self { status, content_type, headers, body, outcome: Outcome::Answered, _share: None }
    }

    fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::to_vec(&RegistryErrors::one(code, message)).unwrap_or_default();
        Self { outcome: Outcome::Refused, ..Self::json(status, body) }
    }

    fn head(error: HeadError) -> Self {
        Self::error(400, "UNSUPPORTED", error.message())
    }

    /// An answer that is the same everywhere.
    fn fixed((status, body): (u16, &str), outcome: Outcome) -> Self {
        Self { outcome, ..Self::json(status, body.as_bytes().to_vec()) }
    }

    /// Why a request was not passed, in the form of its area.
    fn pass(error: PassError, area: Area) -> Self {
        let (content_type, body) = error.body(area);
        let content_type = Some(content_type.into());
        let is_refused = !matches!(error, PassError::Unreachable | PassError::Broken);
        let outcome = if is_refused { Outcome::Refused } else { Outcome::Failed };
        let retry = (error == PassError::TooMany).then(|| ("retry-after".into(), "1".to_owned()));
        let headers = retry.into_iter().collect();
        Self { outcome, content_type, headers, ..Self::json(error.status(), body) }
    }

    /// The same, from what Pingora says; `None` where the client is the reason.
    fn not_passed(error: &Error, area: Area) -> Option<Self> {
        let reason = match (error.etype(), error.esource()) {
            (ErrorType::HTTPStatus(413), _) => PassError::TooLarge,
            (_, ErrorSource::Downstream) => return None,
            (
                ErrorType::ConnectTimedout
                | ErrorType::ConnectRefused
                | ErrorType::ConnectNoRoute
                | ErrorType::ConnectError
                | ErrorType::TLSHandshakeFailure
                | ErrorType::TLSHandshakeTimedout
                | ErrorType::InvalidCert
                | ErrorType::ReadTimedout,
                _,
            ) => PassError::Unreachable,
            _ => PassError::Broken,
        };
        Some(Self::pass(reason, area))
    }

    fn unavailable() -> Self {
        Self::fixed(answer::UNAVAILABLE, Outcome::Failed)
    }

    fn redirect(url: &str) -> Self {
        let headers = vec![("location".into(), url.to_owned())];
        Self { headers, ..Self::json(307, Vec::new()) }
    }

    /// The same, which no cache may keep: it is of one client.
    fn unkept(mut self) -> Self {
        self.headers.push(("cache-control".into(), "no-store".to_owned()));
        self
    }

    fn too_many() -> Self {
        let mut answer = Self::error(429, "TOOMANYREQUESTS", "too many requests, try again later");
        answer.headers.push(("retry-after".into(), "1".to_owned()));
        answer
    }

    fn bad_gateway() -> Self {
        let message = "bad gateway: the upstream gave no usable answer";
        Self { outcome: Outcome::Failed, ..Self::error(502, "UNAVAILABLE", message) }
    }

    /// Sends it. A connection whose client may have more to say than was read is not used again.
    async fn send(self, session: &mut Session, origin: &Origin) -> Result<()> {
        let mut answer = ResponseHeader::build(self.status, Some(12))?;
        if let Some(content_type) = &self.content_type {
            answer.insert_header(header::CONTENT_TYPE, content_type.as_ref())?;
        }
        answer.insert_header(header::CONTENT_LENGTH, self.body.len().to_string())?;
        for (name, value) in self.headers {
            headers::set(&mut answer, &name, &value)?;
        }
        headers::complete(&mut answer, origin)?;
        headers::spell(&mut answer)?;
        let client = session.as_downstream_mut();
        let is_heard = client.is_body_empty() || client.is_body_done();
        if !is_heard || self.status == 400 {
            session.set_keepalive(None);
        }
        let has_body = session.req_header().method != Method::HEAD;
        session.write_response_header(Box::new(answer), !has_body).await?;
        if has_body {
            session.write_response_body(Some(Bytes::from(self.body)), true).await?;
        }
        Ok(())
    }
}

impl From<Unavailable> for Answer {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::Stale(stale) => tracing::error!("decision unavailable: {stale}"),
            Unavailable::TokenServer => {
                tracing::error!("decision unavailable: the token server does not answer");
            }
            Unavailable::TooMany => return Self::too_many(),
        }
        Self::unavailable()
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        let Reply { status, content_type, headers, body } = reply;
        let outcome = match status {
            100..400 => Outcome::Answered,
            400..500 => Outcome::Refused,
            _ => Outcome::Failed,
        };
        Self { status, content_type, headers, body, outcome, _share: None }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let challenge = refusal.challenge.map(|challenge| ("www-authenticate".into(), challenge));
        Self {
            status: refusal.status,
            content_type: Some(JSON.into()),
            headers: challenge.into_iter().collect(),
            body: refusal.body.into_bytes(),
            outcome: Outcome::Refused,
            _share: None,
        }
    }
}

/// Lets a client that was answered early send the rest of its body, which is discarded:
/// disconnected at once it would be reset, and might never see the answer (RFC 9112, 9.6). A client
/// that takes longer than `timeouts.client` for it is cut off.
async fn linger(session: &mut Session) {
    let client = session.as_downstream_mut();
    if client.is_body_done() {
        return;
    }
    client.shutdown().await;
    // It may also have gone, which is as good.
    let _ = client.drain_request_body().await;
}

fn joined(scopes: &[RequiredScope<'_>]) -> String {
    let texts: Vec<Cow<'_, str>> = scopes.iter().map(|scope| scope.to_string().into()).collect();
    texts.join(" ")
}

/// The time, in seconds since 1970.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one reading of the clock")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
