//! Instances for any number of threads, none of which waits for another.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crossbeam_queue::ArrayQueue;
use scopegate_api::abi;
use scopegate_api::decision::DecisionReport;
use scopegate_api::explanation::Explanation;
use scopegate_core::admission::{Authority, Credential, Request};
use scopegate_core::{Decision, Settings, route};
use wasmtime::{InstancePre, Linker, Module};

use crate::code;
use crate::error::Error;
use crate::instance::{Acceptance, Admission, Handle, Instance, Route, State};
use crate::table::PolicyTable;

/// What the engine may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instances at the same time. A call that finds all of them at work fails at once.
    pub instances: usize,
    /// Bytes of memory of one instance, its tables included.
    pub memory: usize,
}

impl Default for Limits {
    /// Four instances for each processor, because calls are short and threads may be many; 64 MiB
    /// each, which no instance takes before it has tables of that size.
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self { instances: processors.saturating_mul(4), memory: 64 << 20 }
    }
}

/// The engine, compiled once, with its idle instances.
pub struct Runtime {
    pre: InstancePre<State>,
    idle: ArrayQueue<Instance>,
    /// Instances that exist, idle or at work.
    live: AtomicUsize,
    limits: Limits,
}

impl Runtime {
    /// Compiles the embedded engine.
    ///
    /// # Errors
    ///
    /// [`Error::Module`] when wasmtime cannot run on this machine.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        Self::from_wasm(code::ENGINE_WASM, limits)
    }

    /// Compiles an engine from a module's bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Module`] for bytes that are no module or that import something, [`Error::Protocol`]
    /// for a module of another boundary.
    pub fn from_wasm(wasm: &[u8], limits: Limits) -> Result<Self, Error> {
        Self::from_module(&code::compile(&code::engine()?, wasm)?, limits)
    }

    /// Loads the machine code of the embedded engine from `folder`, where an earlier start left it,
    /// or compiles it and leaves it there.
    ///
    /// The folder must be the host's own: in one that others may write nothing is kept, and nothing
    /// of it runs.
    ///
    /// # Errors
    ///
    /// As [`Runtime::new`].
    pub fn with_cache(folder: &Path, limits: Limits) -> Result<Self, Error> {
        Self::from_module(&code::cached(&code::engine()?, folder)?, limits)
    }

    fn from_module(module: &Module, limits: Limits) -> Result<Self, Error> {
        // An empty linker: the engine imports nothing.
        let pre = Linker::new(module.engine()).instantiate_pre(module).map_err(Error::Module)?;
        let idle = ArrayQueue::new(limits.instances.max(1));
        let runtime = Self { pre, idle, live: AtomicUsize::new(0), limits };
        // The first instance now, so that a module that is no engine is refused at start.
        drop(runtime.session()?);
        Ok(runtime)
    }

    /// Compiles a scope map's action strings to a table.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for an action string that is no rule.
    pub fn compile<'a>(
        &self,
        name: &str,
        rules: impl IntoIterator<Item = &'a str>,
    ) -> Result<PolicyTable, Error> {
        let rules: Vec<&str> = rules.into_iter().collect();
        let bytes = self.session()?.with(|instance| instance.compile(&rules.join("\n")))?;
        Ok(PolicyTable::new(name, bytes))
    }

    /// Takes a table that was compiled elsewhere, after the engine has checked it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for bytes that are no table.
    pub fn load(&self, name: &str, bytes: Vec<u8>) -> Result<PolicyTable, Error> {
        let table = PolicyTable::new(name, bytes);
        self.session()?.load(&table)?;
        Ok(table)
    }

    /// Decides all the scopes of a request over the tables of a principal.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a request that is too large; [`Error::Busy`] and [`Error::Trap`].
    pub fn claims(
        &self,
        tables: &[&PolicyTable],
        scopes: &[&str],
        settings: &Settings,
    ) -> Result<DecisionReport, Error> {
        self.session()?.with(|instance| instance.claims(tables, scopes, settings))
    }

    /// Explains each scope of a request over the tables of a principal.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for an invalid scope; [`Error::Busy`] and [`Error::Trap`].
    pub fn explain(
        &self,
        tables: &[&PolicyTable],
        scopes: &[&str],
        settings: &Settings,
    ) -> Result<Vec<Explanation>, Error> {
        self.session()?.with(|instance| instance.explain(tables, scopes, settings))
    }

    /// The rules that give what is granted of a request, each once:
    /// `my-map: repositories/app/content/read`.
    ///
    /// # Errors
    ///
    /// As [`Runtime::explain`].
    pub fn rules(
        &self,
        tables: &[&PolicyTable],
        scopes: &[&str],
        settings: &Settings,
    ) -> Result<Vec<String>, Error> {
        self.session()?.with(|instance| instance.rules(tables, scopes, settings))
    }

    /// Reads an HTTP request: its canonical path, and the scopes that it needs.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a request that no registry has, or that two readers could read in two
    /// ways; [`Error::Busy`] and [`Error::Trap`].
    pub fn route(
        &self,
        method: &str,
        target: &str,
        settings: &route::Settings,
    ) -> Result<Route, Error> {
        self.session()?.with(|instance| instance.route(method, target, settings))
    }

    /// Decides about a request at the edge; a good token's access entries are written as
    /// [`scopegate_api::abi::write_access`] does.
    ///
    /// # Errors
    ///
    /// [`Error::Header`] for a header field with a line feed in it; [`Error::Busy`] and
    /// [`Error::Trap`].
    pub fn admit<'h>(
        &self,
        request: Request<'_, impl IntoIterator<Item = (&'h [u8], &'h [u8])>>,
        credential: Credential<&str>,
        authority: Authority<'_>,
        settings: &route::Settings,
    ) -> Result<Admission, Error> {
        let Request { method, target, headers } = request;
        let headers = abi::write_headers(headers).ok_or(Error::Header)?;
        let request = Request { method, target, headers: headers.as_slice() };
        self.session()?.with(|instance| instance.admit(request, credential, authority, settings))
    }

    /// Whether the claims of a token are accepted at a time, in seconds since 1970. The payload is
    /// as it was signed, and the signature good.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] and [`Error::Trap`].
    pub fn accept_claims(
        &self,
        payload: &[u8],
        issuer: &str,
        service: &str,
        now: u64,
    ) -> Result<Acceptance, Error> {
        self.session()?.with(|instance| instance.accept_claims(payload, issuer, service, now))
    }

    /// Takes an instance for several calls in a row. It goes back when the session is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when all instances are at work.
    pub fn session(&self) -> Result<Session<'_>, Error> {
        let instance = match self.idle.pop() {
            Some(instance) => instance,
            None => self.another()?,
        };
        Ok(Session { runtime: self, instance: Some(instance) })
    }

    fn another(&self) -> Result<Instance, Error> {
        let one_more =
            |live: usize| (live < self.limits.instances.max(1)).then_some(live.saturating_add(1));
        self.live
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .map_err(|_| Error::Busy)?;
        let instance = Instance::new(&self.pre, self.limits.memory);
        if instance.is_err() {
            self.live.fetch_sub(1, Ordering::Relaxed);
        }
        instance
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("limits", &self.limits)
            .field("live", &self.live)
            .field("idle", &self.idle.len())
            .finish_non_exhaustive()
    }
}

/// An instance of the engine, for one thread.
pub struct Session<'r> {
    runtime: &'r Runtime,
    /// Nothing once it has trapped.
    instance: Option<Instance>,
}

impl Session<'_> {
    /// Loads a table, unless this instance has it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for bytes that are no table, or when it does not fit in the instance's
    /// memory.
    pub fn load(&mut self, table: &PolicyTable) -> Result<Handle, Error> {
        self.with(|instance| instance.load(table))
    }

    /// Decides one scope over a loaded table: the hot path.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for an invalid scope or a table that is not loaded any more.
    #[inline]
    pub fn decide(
        &mut self,
        table: Handle,
        scope: &str,
        settings: &Settings,
    ) -> Result<Decision, Error> {
        self.with(|instance| instance.decide(table, scope, settings))
    }

    /// Decides scopes separated by spaces over a loaded table, in one call. `decisions` has one for
    /// each then, in their order; `None` for an invalid scope, which grants nothing.
    ///
    /// ```
    /// use scopegate_core::Settings;
    /// use scopegate_runtime::{Limits, Runtime};
    ///
    /// let runtime = Runtime::new(Limits::default())?;
    /// let table = runtime.compile("my-map", ["repositories/app/content/read"])?;
    /// let mut session = runtime.session()?;
    /// let handle = session.load(&table)?;
    /// let mut decisions = Vec::new();
    /// session.decide_batch(handle, "repository:app:pull repository:other:pull oops", &Settings::default(), &mut decisions)?;
    /// let granted: Vec<_> = decisions.iter().map(|decision| decision.map(|one| one.granted.to_string())).collect();
    /// assert_eq!(granted, [Some("pull".to_owned()), Some(String::new()), None]);
    /// # Ok::<(), scopegate_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a table that is not loaded any more.
    pub fn decide_batch(
        &mut self,
        table: Handle,
        scopes: &str,
        settings: &Settings,
        decisions: &mut Vec<Option<Decision>>,
    ) -> Result<(), Error> {
        self.with(|instance| instance.decide_batch(table, scopes, settings, decisions))
    }

    /// Calls the instance, and throws it away when it traps.
    #[inline]
    fn with<T>(
        &mut self,
        call: impl FnOnce(&mut Instance) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let instance = self.instance.as_mut().ok_or(Error::Busy)?;
        let result = call(instance);
        if matches!(result, Err(Error::Trap(_) | Error::Protocol(_))) {
            self.instance = None;
            self.runtime.live.fetch_sub(1, Ordering::Relaxed);
        }
        result
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(instance) = self.instance.take() {
            // There is a place for every instance, so this never fails.
            let _ = self.runtime.idle.push(instance);
        }
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("has_instance", &self.instance.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::RwLock;
    use std::sync::atomic::AtomicBool;

    use scopegate_api::abi::Failure;

    fn runtime() -> Runtime {
        Runtime::new(Limits::default()).unwrap()
    }

    #[test]
    fn decisions() {
        let runtime = runtime();
        let table = runtime.compile("m", ["repositories/a/*/content/read"]).unwrap();
        let mut session = runtime.session().unwrap();
        let handle = session.load(&table).unwrap();
        let settings = Settings::default();
        let decision = session.decide(handle, "repository:a/b:push,pull", &settings).unwrap();
        assert_eq!(
            (decision.granted.to_string(), decision.denied.to_string()),
            ("pull".into(), "push".into())
        );
        let error = session.decide(handle, "oops", &settings).unwrap_err();
        assert_eq!(error.to_string(), "missing colon");
    }

    #[test]
    fn explanations_name_the_map() {
        let runtime = runtime();
        let table = runtime.compile("my-map", ["repositories/a/content/read"]).unwrap();
        let explained =
            runtime.explain(&[&table], &["repository:a:pull"], &Settings::default()).unwrap();
        assert_eq!(explained[0].text, "can pull `a`: granted by `a` content/read in my-map\n");
        let rules = runtime.rules(&[&table], &["repository:a:pull,push"], &Settings::default());
        assert_eq!(rules.unwrap(), ["my-map: repositories/a/content/read"]);
    }

    #[test]
    fn bad_rules_and_tables_are_errors_and_nothing_else() {
        let runtime = runtime();
        let error = runtime.compile("m", ["repositories/a*/content/read"]).unwrap_err();
        assert_eq!(error.to_string(), "no slash before the `*`");
        for bytes in [Vec::new(), b"SGT\x01 garbage".to_vec(), vec![0xff; 1 << 20]] {
            assert!(matches!(runtime.load("m", bytes), Err(Error::Refused(Failure::Refused(_)))));
        }
        let many = "repository:a:pull ".repeat(2000);
        assert!(runtime.claims(&[], &[&many], &Settings::default()).is_err());
        assert_eq!(
            runtime.claims(&[], &[], &Settings::default()).unwrap(),
            DecisionReport::default()
        );
    }

    #[test]
    fn nothing_waits_for_an_instance() {
        let runtime = Runtime::new(Limits { instances: 1, ..Limits::default() }).unwrap();
        let held = runtime.session().unwrap();
        assert!(matches!(runtime.session(), Err(Error::Busy)));
        drop(held);
        assert!(runtime.session().is_ok());
    }

    #[test]
    fn old_tables_make_room() {
        // Room for the engine, its input and a few of these tables, but not for all of them.
        let runtime = Runtime::new(Limits { instances: 1, memory: 4 << 20 }).unwrap();
        let settings = Settings::default();
        let tables: Vec<_> = (0..40)
            .map(|number| {
                let rules: Vec<_> = (0..5000)
                    .map(|n| format!("repositories/map{number}/app{n}/content/read"))
                    .collect();
                runtime.compile("m", rules.iter().map(String::as_str)).unwrap()
            })
            .collect();
        for _ in 0..2 {
            for (number, table) in tables.iter().enumerate() {
                let scope = format!("repository:map{number}/app4999:pull");
                let report = runtime.claims(&[table], &[&scope], &settings).unwrap();
                assert_eq!(report.access.len(), 1, "{number}");
            }
        }
    }

    /// The number of a forgotten table is given again; a handle that was kept must not open what
    /// the new table opens.
    #[test]
    fn a_handle_never_means_another_table() {
        let runtime = Runtime::new(Limits { instances: 3, memory: 4 << 20 }).unwrap();
        let table = |name: &str| {
            let rules: Vec<_> =
                (0..5000).map(|n| format!("repositories/{name}{n}/content/read")).collect();
            runtime.compile("m", rules.iter().map(String::as_str)).unwrap()
        };
        let (settings, first) = (Settings::default(), table("first"));
        let (mut one, mut other) = (runtime.session().unwrap(), runtime.session().unwrap());
        let kept = one.load(&first).unwrap();
        assert!(one.decide(kept, "repository:first1:pull", &settings).is_ok());
        let refused = |session: &mut Session<'_>| {
            let decision = session.decide(kept, "repository:first1:pull", &settings);
            matches!(decision, Err(Error::Refused(Failure::NoTable)))
        };
        other.load(&table("other")).unwrap();
        assert!(refused(&mut other), "a handle of another instance");
        drop(other);
        for number in 0..20 {
            one.load(&table(&format!("later{number}x"))).unwrap();
        }
        assert!(refused(&mut one), "a handle of a table that was forgotten");
        let again = one.load(&first).unwrap();
        assert!(one.decide(again, "repository:first1:pull", &settings).is_ok());
    }

    #[test]
    fn a_table_that_cannot_fit_is_refused() {
        let small = Runtime::new(Limits { instances: 1, memory: 2 << 20 }).unwrap();
        let rules: Vec<_> =
            (0..50_000).map(|n| format!("repositories/app{n}/content/read")).collect();
        let table = runtime().compile("m", rules.iter().map(String::as_str)).unwrap();
        assert!(small.claims(&[&table], &["repository:app1:pull"], &Settings::default()).is_err());
        assert!(small.claims(&[], &["repository:app1:pull"], &Settings::default()).is_ok());
    }

    /// A module with every export, in which `decide` does as `body` says.
    fn misbehaving(body: &str) -> Vec<u8> {
        let stub = |name: &str, parameters: &str, result: &str, body: &str| {
            format!("(func (export \"scopegate_{name}\") {parameters} {result} {body})")
        };
        let three = "(param i32 i32 i32)";
        let module = [
            "(module (memory (export \"memory\") 2)".to_owned(),
            stub("abi_version", "", "(result i32)", "i32.const 2"),
            stub("input", "(param i32)", "(result i32)", "i32.const 1024"),
            stub("table_compile", "(param i32)", "(result i64)", "i64.const 0"),
            stub("table_load", "(param i32 i32)", "(result i64)", "i64.const 0"),
            stub("table_drop", "(param i32)", "(result i64)", "i64.const 0"),
            stub("decide", three, "(result i64)", body),
            stub("decide_batch", three, "(result i64)", body),
            stub("claims", three, "(result i64)", body),
            stub("explain", three, "(result i64)", body),
            stub("rules", three, "(result i64)", body),
            stub("route", three, "(result i64)", body),
            stub("admit_request", "(param i32 i32 i32 i32 i32 i32 i32 i32)", "(result i64)", body),
            stub("accept_claims", "(param i32 i32 i32 i32 i32)", "(result i64)", body),
            ")".to_owned(),
        ];
        wat::parse_str(module.concat()).unwrap()
    }

    #[test]
    fn a_trap_costs_one_call() {
        let limits = Limits { instances: 1, ..Limits::default() };
        let runtime = Runtime::from_wasm(&misbehaving("unreachable"), limits).unwrap();
        for _ in 0..3 {
            let claims = runtime.claims(&[], &["repository:a:pull"], &Settings::default());
            assert!(matches!(claims, Err(Error::Trap(_))));
        }
        let runtime =
            Runtime::from_wasm(&misbehaving("i64.const 0xffffff0000000"), limits).unwrap();
        let claims = runtime.claims(&[], &["repository:a:pull"], &Settings::default());
        assert!(matches!(claims, Err(Error::Protocol(_))));
    }

    #[test]
    fn modules_that_are_no_engine_are_refused() {
        let limits = Limits::default();
        let import = wat::parse_str(r#"(module (import "env" "f" (func)))"#).unwrap();
        let empty = wat::parse_str("(module)").unwrap();
        for wasm in [b"not wasm".to_vec(), import, empty] {
            assert!(Runtime::from_wasm(&wasm, limits).is_err());
        }
    }

    #[test]
    fn the_engine_imports_nothing() {
        let module = code::compile(&code::engine().unwrap(), code::ENGINE_WASM).unwrap();
        assert_eq!(module.imports().count(), 0);
        let functions = module.exports().filter(|export| export.ty().func().is_some());
        let names: Vec<_> = functions.map(|export| export.name().to_owned()).collect();
        assert!(names.iter().all(|name| name.starts_with("scopegate_")), "{names:?}");
    }

    /// 64 changed bytes ended the server once.
    #[test]
    fn changed_machine_code_is_compiled_anew_and_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let decides = || {
            let runtime = Runtime::with_cache(folder.path(), Limits::default()).unwrap();
            runtime.compile("m", ["repositories/a/content/read"]).is_ok()
        };
        assert!(decides());
        let file = folder.path().join(format!("engine-{}.cwasm", code::ENGINE_SHA256));
        let kept = std::fs::read(&file).unwrap();
        assert!(decides());
        let half = kept.len() / 2;
        let mut changed = kept.clone();
        changed[half..half + 64].fill(0xcc);
        for distrusted in [changed, kept[32..].to_vec(), b"not machine code".to_vec()] {
            std::fs::write(&file, &distrusted).unwrap();
            assert!(decides());
            assert_ne!(std::fs::read(&file).unwrap(), distrusted, "it was not compiled anew");
        }
        let missing = Runtime::with_cache(&folder.path().join("missing"), Limits::default());
        assert!(missing.is_ok());
    }

    /// Readers on several threads see either the old map or the new one, whole, while a writer
    /// swaps them.
    #[test]
    fn maps_are_swapped_under_load() {
        let runtime = runtime();
        let compile = |permission: &str| {
            let rules = ["a", "b"].map(|name| format!("repositories/{name}/content/{permission}"));
            runtime.compile("m", rules.iter().map(String::as_str)).unwrap()
        };
        let current = RwLock::new(compile("read"));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let readers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut calls = 0;
                        while !done.load(Ordering::Relaxed) || calls < 500 {
                            let table = current.read().unwrap().clone();
                            let request = ["repository:a:pull,push", "repository:b:pull,push"];
                            let report =
                                runtime.claims(&[&table], &request, &Settings::default()).unwrap();
                            assert_eq!(report.access.len(), 2);
                            assert_eq!(report.access[0].actions, report.access[1].actions);
                            calls += 1;
                        }
                    })
                })
                .collect();
            for swap in 0..200 {
                *current.write().unwrap() = compile(if swap % 2 == 0 { "write" } else { "read" });
            }
            done.store(true, Ordering::Relaxed);
            for reader in readers {
                reader.join().unwrap();
            }
        });
    }
}
