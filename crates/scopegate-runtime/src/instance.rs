//! One instance of the engine: its memory, its exports, and the tables that it has loaded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use scopegate_api::abi::{self, Failure, WrittenAdmission};
use scopegate_api::decision::DecisionReport;
use scopegate_api::explanation::Explanation;
use scopegate_core::admission::{Authority, Credential, Request};
use scopegate_core::{Decision, Settings, route};
use wasmtime::{InstancePre, Memory, Store, StoreLimits, StoreLimitsBuilder, TypedFunc};

use crate::error::Error;
use crate::table::PolicyTable;

/// What wasmtime keeps beside an instance.
pub(crate) struct State {
    limits: StoreLimits,
}

/// A table that an instance has loaded. Good for that instance, until it forgets a table; a
/// decision over a handle that is not good any more is refused, because its number may mean another
/// table by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    number: u32,
    stamp: u64,
}

/// A number that no instance has had before.
fn new_stamp() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What an HTTP request is, and what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The path in its one canonical spelling: what to forward.
    pub path: String,
    /// The scopes that a token must hold, separated by spaces, in the order of the challenge.
    pub scopes: String,
}

/// What becomes of a request at the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It goes on.
    Forward {
        /// The target to send.
        target: String,
        /// The `Content-Type` to send, in place of whatever came; `None`: send none.
        content_type: Option<String>,
        /// The scopes that it needed, separated by spaces.
        scopes: String,
    },
    /// It is answered.
    Refusal {
        /// The status.
        status: u16,
        /// The value of `WWW-Authenticate`.
        challenge: Option<String>,
        /// The body.
        body: String,
    },
}

/// Whether claims are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// They are.
    Accepted {
        /// The second from which they are not any more.
        until: u64,
        /// The access entries as scopes, one a line: what [`Credential::Valid`] takes.
        access: String,
    },
    /// They are not; the word for why, `expired` for example.
    Refused(String),
}

impl Acceptance {
    fn read(text: &str) -> Option<Self> {
        let Some(accepted) = text.strip_prefix("accepted\n") else {
            return (!text.is_empty()).then(|| Self::Refused(text.to_owned()));
        };
        let (until, access) = accepted.split_once('\n')?;
        Some(Self::Accepted { until: until.parse().ok()?, access: access.to_owned() })
    }
}

impl From<WrittenAdmission<'_>> for Admission {
    fn from(written: WrittenAdmission<'_>) -> Self {
        match written {
            WrittenAdmission::Forward { target, content_type, scopes } => Self::Forward {
                target: target.to_owned(),
                content_type: content_type.map(ToOwned::to_owned),
                scopes: scopes.to_owned(),
            },
            WrittenAdmission::Refusal { status, challenge, body } => Self::Refusal {
                status,
                challenge: challenge.map(ToOwned::to_owned),
                body: body.to_owned(),
            },
        }
    }
}

pub(crate) struct Instance {
    store: Store<State>,
    memory: Memory,
    exports: Exports,
    /// Address and length of the input buffer.
    input: (usize, usize),
    /// Loaded tables by their id.
    tables: HashMap<u64, Loaded>,
    /// Bytes that loaded tables take.
    resident: usize,
    /// Bytes that this instance may take.
    memory_limit: usize,
    /// Counts calls, so that the least recently used table is known.
    clock: u64,
    /// What good handles carry: another one for each instance, and whenever a table is forgotten.
    stamp: u64,
}

struct Loaded {
    number: u32,
    bytes: usize,
    used: u64,
}

/// The exports that the runtime calls, resolved once.
struct Exports {
    input: TypedFunc<u32, u32>,
    table_compile: TypedFunc<u32, u64>,
    table_load: TypedFunc<(u32, u32), u64>,
    table_drop: TypedFunc<u32, u64>,
    decide: TypedFunc<(u32, u32, u32), u64>,
    decide_batch: TypedFunc<(u32, u32, u32), u64>,
    claims: TypedFunc<(u32, u32, u32), u64>,
    explain: TypedFunc<(u32, u32, u32), u64>,
    rules: TypedFunc<(u32, u32, u32), u64>,
    route: TypedFunc<(u32, u32, u32), u64>,
    admit: TypedFunc<AdmitArguments, u64>,
    accept_claims: TypedFunc<(u32, u32, u32, u32, u32), u64>,
}

/// Lengths of a method, a target, header fields, a token's access, a realm and a service; what
/// came; settings.
type AdmitArguments = (u32, u32, u32, u32, u32, u32, u32, u32);

/// What an instance asks for at once: enough for any request that the engine accepts, with its
/// handles.
const INPUT_LEN: usize = 32 * 1024;

/// What an instance takes without any table: its stack, its data, and room for a request.
const OWN_MEMORY: usize = 1536 * 1024;

/// How many times its size a table takes while it is loaded: in the input, in the engine, and twice
/// for the check.
const LOADING_FACTOR: usize = 4;

impl Instance {
    pub(crate) fn new(pre: &InstancePre<State>, memory_limit: usize) -> Result<Self, Error> {
        let limits = StoreLimitsBuilder::new().memory_size(memory_limit).memories(1).build();
        let mut store = Store::new(pre.module().engine(), State { limits });
        store.limiter(|state| &mut state.limits);
        let instance = pre.instantiate(&mut store).map_err(Error::Module)?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or(Error::Protocol("the module exports no memory"))?;
        let version = instance
            .get_typed_func::<(), u32>(&mut store, "scopegate_abi_version")
            .and_then(|version| version.call(&mut store, ()))
            .map_err(Error::Module)?;
        if version != abi::VERSION {
            return Err(Error::Protocol("the module has another version of the boundary"));
        }
        let exports = Exports::resolve(&instance, &mut store).map_err(Error::Module)?;
        let mut instance = Self {
            store,
            memory,
            exports,
            input: (0, 0),
            tables: HashMap::new(),
            resident: 0,
            memory_limit,
            clock: 0,
            stamp: new_stamp(),
        };
        instance.reserve(INPUT_LEN)?;
        Ok(instance)
    }

    pub(crate) fn compile(&mut self, rules: &str) -> Result<Vec<u8>, Error> {
        self.write(&[rules.as_bytes()])?;
        let result = self.exports.table_compile.call(&mut self.store, rules.len() as u32);
        let output = self.output(result)?;
        Ok(output.to_vec())
    }

    /// The handle of a table, which is loaded when it is not yet.
    pub(crate) fn load(&mut self, table: &PolicyTable) -> Result<Handle, Error> {
        self.clock = self.clock.wrapping_add(1);
        if let Some(loaded) = self.tables.get_mut(&table.id()) {
            loaded.used = self.clock;
            return Ok(Handle { number: loaded.number, stamp: self.stamp });
        }
        let bytes = table.as_bytes().len();
        self.make_room(bytes)?;
        let number = loop {
            match self.load_now(table) {
                // Memory that is free may be in pieces; another table gone makes the pieces larger.
                Err(Error::Refused(Failure::Memory)) => self.forget_oldest()?,
                loaded => break loaded?,
            }
        };
        self.resident = self.resident.saturating_add(bytes);
        self.tables.insert(table.id(), Loaded { number, bytes, used: self.clock });
        Ok(Handle { number, stamp: self.stamp })
    }

    /// Drops tables until one of `bytes` bytes can be loaded. Asking first is how an instance never
    /// runs out of memory, which would be a trap.
    fn make_room(&mut self, bytes: usize) -> Result<(), Error> {
        let needed = bytes.saturating_mul(LOADING_FACTOR).max(self.input.1);
        let available = self.memory_limit.saturating_sub(OWN_MEMORY);
        if needed > available {
            return Err(Failure::Memory.into());
        }
        while self.resident.saturating_add(needed) > available {
            self.forget_oldest()?;
        }
        Ok(())
    }

    fn load_now(&mut self, table: &PolicyTable) -> Result<u32, Error> {
        let (name, bytes) = (table.name().as_bytes(), table.as_bytes());
        self.write(&[name, bytes])?;
        let lens = (name.len() as u32, bytes.len() as u32);
        let result = self.exports.table_load.call(&mut self.store, lens);
        Ok(self.checked(result)? as u32)
    }

    /// Forgets the table that was not used for longest.
    fn forget_oldest(&mut self) -> Result<(), Error> {
        let oldest = self.tables.iter().min_by_key(|(_, loaded)| loaded.used);
        let Some((&id, &Loaded { number, bytes, .. })) = oldest else {
            return Err(Failure::Memory.into());
        };
        self.tables.remove(&id);
        self.stamp = new_stamp();
        self.resident = self.resident.saturating_sub(bytes);
        let result = self.exports.table_drop.call(&mut self.store, number);
        self.checked(result).map(drop)
    }

    #[inline]
    pub(crate) fn decide(
        &mut self,
        table: Handle,
        scope: &str,
        settings: &Settings,
    ) -> Result<Decision, Error> {
        let arguments = self.write_question(table, scope, settings)?;
        let result = self.exports.decide.call(&mut self.store, arguments);
        let result = self.checked(result)?;
        abi::unpack_decision(result).ok_or(Error::Protocol("an invalid decision"))
    }

    pub(crate) fn decide_batch(
        &mut self,
        table: Handle,
        scopes: &str,
        settings: &Settings,
        decisions: &mut Vec<Option<Decision>>,
    ) -> Result<(), Error> {
        let arguments = self.write_question(table, scopes, settings)?;
        let result = self.exports.decide_batch.call(&mut self.store, arguments);
        let (results, _) = self.output(result)?.as_chunks::<8>();
        decisions.clear();
        for result in results.iter().map(|result| u64::from_le_bytes(*result)) {
            decisions.push(match Failure::unpack(result) {
                Some(_) => None,
                None => {
                    let decision = abi::unpack_decision(result);
                    Some(decision.ok_or(Error::Protocol("an invalid decision"))?)
                }
            });
        }
        Ok(())
    }

    /// Writes one scope or several; gives the arguments of a call about them and a table that is
    /// loaded.
    #[inline]
    fn write_question(
        &mut self,
        table: Handle,
        scopes: &str,
        settings: &Settings,
    ) -> Result<(u32, u32, u32), Error> {
        if table.stamp != self.stamp {
            return Err(Failure::NoTable.into());
        }
        self.write(&[scopes.as_bytes()])?;
        let settings = abi::pack_settings(settings, &route::Settings::default());
        Ok((table.number, scopes.len() as u32, settings))
    }

    pub(crate) fn claims(
        &mut self,
        tables: &[&PolicyTable],
        scopes: &[&str],
        settings: &Settings,
    ) -> Result<DecisionReport, Error> {
        let text = scopes.join(" ");
        let arguments = self.write_request(tables, &text, settings)?;
        let result = self.exports.claims.call(&mut self.store, arguments);
        let records = self.output(result)?;
        abi::read_claims(&text, records).ok_or(Error::Protocol("claims that are none"))
    }

    pub(crate) fn explain(
        &mut self,
        tables: &[&PolicyTable],
        scopes: &[&str],
        settings: &Settings,
    ) -> Result<Vec<Explanation>, Error> {
        let text = scopes.join(" ");
        let arguments = self.write_request(tables, &text, settings)?;
        let result = self.exports.explain.call(&mut self.store, arguments);
        let json = self.output(result)?;
        serde_json::from_slice(json).map_err(|_| Error::Protocol("an invalid explanation"))
    }

    pub(crate) fn rules(
        &mut self,
        tables: &[&PolicyTable],
        scopes: &[&str],
        settings: &Settings,
    ) -> Result<Vec<String>, Error> {
        let text = scopes.join(" ");
        let arguments = self.write_request(tables, &text, settings)?;
        let result = self.exports.rules.call(&mut self.store, arguments);
        let rules = std::str::from_utf8(self.output(result)?).ok();
        let rules = rules.ok_or(Error::Protocol("rules that are none"))?;
        Ok(rules.lines().map(ToOwned::to_owned).collect())
    }

    pub(crate) fn route(
        &mut self,
        method: &str,
        target: &str,
        settings: &route::Settings,
    ) -> Result<Route, Error> {
        self.write(&[method.as_bytes(), target.as_bytes()])?;
        let settings = abi::pack_settings(&Settings::default(), settings);
        let arguments = (method.len() as u32, target.len() as u32, settings);
        let result = self.exports.route.call(&mut self.store, arguments);
        let text = std::str::from_utf8(self.output(result)?).ok();
        let (path, scopes) = text
            .and_then(|text| text.split_once('\n'))
            .ok_or(Error::Protocol("an invalid route"))?;
        Ok(Route { path: path.to_owned(), scopes: scopes.to_owned() })
    }

    /// `headers` are lines, as [`abi::write_headers`] writes them.
    pub(crate) fn admit(
        &mut self,
        Request { method, target, headers }: Request<'_, &[u8]>,
        credential: Credential<&str>,
        Authority { realm, service }: Authority<'_>,
        settings: &route::Settings,
    ) -> Result<Admission, Error> {
        let number = abi::pack_credential(&credential);
        let access = if let Credential::Valid(access) = credential { access } else { "" };
        let [method, target, access, realm, service] =
            [method, target, access, realm, service].map(str::as_bytes);
        let parts = [method, target, headers, access, realm, service];
        self.write(&parts)?;
        let settings = abi::pack_settings(&Settings::default(), settings);
        let [method, target, headers, access, realm, service] = parts.map(|part| part.len() as u32);
        let arguments = (method, target, headers, access, realm, service, number, settings);
        let result = self.exports.admit.call(&mut self.store, arguments);
        let text = std::str::from_utf8(self.output(result)?).ok();
        let written = text.and_then(abi::read_admission);
        Ok(written.ok_or(Error::Protocol("an invalid admission"))?.into())
    }

    pub(crate) fn accept_claims(
        &mut self,
        payload: &[u8],
        issuer: &str,
        service: &str,
        now: u64,
    ) -> Result<Acceptance, Error> {
        let parts = [payload, issuer.as_bytes(), service.as_bytes()];
        self.write(&parts)?;
        let [payload, issuer, service] = parts.map(|part| part.len() as u32);
        let arguments = (payload, issuer, service, (now >> 32) as u32, now as u32);
        let result = self.exports.accept_claims.call(&mut self.store, arguments);
        let text = std::str::from_utf8(self.output(result)?).ok();
        text.and_then(Acceptance::read).ok_or(Error::Protocol("an invalid acceptance"))
    }

    /// Handles of several tables that are good at the same time.
    ///
    /// Loading one may push out another that was there before; the second time they are the ones
    /// used last, and only then is there no room for all of them.
    fn load_all(&mut self, tables: &[&PolicyTable]) -> Result<Vec<Handle>, Error> {
        for _ in 0..2 {
            let handles: Vec<_> =
                tables.iter().map(|table| self.load(table)).collect::<Result<_, _>>()?;
            if handles.iter().all(|handle| handle.stamp == self.stamp) {
                return Ok(handles);
            }
        }
        Err(Failure::Memory.into())
    }

    /// Writes the handles of tables and the scopes behind them; gives the arguments of a call about
    /// both.
    fn write_request(
        &mut self,
        tables: &[&PolicyTable],
        scopes: &str,
        settings: &Settings,
    ) -> Result<(u32, u32, u32), Error> {
        let mut numbers = Vec::with_capacity(tables.len().saturating_mul(4));
        for handle in self.load_all(tables)? {
            numbers.extend_from_slice(&handle.number.to_le_bytes());
        }
        self.write(&[&numbers, scopes.as_bytes()])?;
        let settings = abi::pack_settings(settings, &route::Settings::default());
        Ok((tables.len() as u32, scopes.len() as u32, settings))
    }

    /// Writes arguments to the input, one behind the other.
    #[inline]
    fn write(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        let len = parts.iter().fold(0_usize, |len, part| len.saturating_add(part.len()));
        if len > self.input.1 {
            self.reserve(len)?;
        }
        let memory = self.memory.data_mut(&mut self.store);
        let mut rest = memory.get_mut(self.input.0..).unwrap_or_default();
        for part in parts {
            let (target, behind) =
                rest.split_at_mut_checked(part.len()).ok_or(Error::from(Failure::Length))?;
            target.copy_from_slice(part);
            rest = behind;
        }
        Ok(())
    }

    fn reserve(&mut self, len: usize) -> Result<(), Error> {
        let wanted = u32::try_from(len).map_err(|_| Failure::Memory)?;
        let address = self.exports.input.call(&mut self.store, wanted).map_err(Error::Trap)?;
        if address == 0 {
            return Err(Failure::Memory.into());
        }
        self.input = (address as usize, len);
        Ok(())
    }

    #[inline]
    fn checked(&self, result: wasmtime::Result<u64>) -> Result<u64, Error> {
        let result = result.map_err(Error::Trap)?;
        match Failure::unpack(result) {
            Some(failure) => Err(failure.into()),
            None => Ok(result),
        }
    }

    /// The bytes that a call gave.
    fn output(&self, result: wasmtime::Result<u64>) -> Result<&[u8], Error> {
        let result = self.checked(result)?;
        let (address, len) = ((result >> 32) as usize, result as u32 as usize);
        self.memory
            .data(&self.store)
            .get(address..address.saturating_add(len))
            .ok_or(Error::Protocol("bytes outside the memory"))
    }
}

impl Exports {
    fn resolve(instance: &wasmtime::Instance, store: &mut Store<State>) -> wasmtime::Result<Self> {
        Ok(Self {
            input: instance.get_typed_func(&mut *store, "scopegate_input")?,
            table_compile: instance.get_typed_func(&mut *store, "scopegate_table_compile")?,
            table_load: instance.get_typed_func(&mut *store, "scopegate_table_load")?,
            table_drop: instance.get_typed_func(&mut *store, "scopegate_table_drop")?,
            decide: instance.get_typed_func(&mut *store, "scopegate_decide")?,
            decide_batch: instance.get_typed_func(&mut *store, "scopegate_decide_batch")?,
            claims: instance.get_typed_func(&mut *store, "scopegate_claims")?,
            explain: instance.get_typed_func(&mut *store, "scopegate_explain")?,
            rules: instance.get_typed_func(&mut *store, "scopegate_rules")?,
            route: instance.get_typed_func(&mut *store, "scopegate_route")?,
            admit: instance.get_typed_func(&mut *store, "scopegate_admit_request")?,
            accept_claims: instance.get_typed_func(&mut *store, "scopegate_accept_claims")?,
        })
    }
}
