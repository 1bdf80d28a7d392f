//! The engine behind the exports: its tables, its two buffers, and a method for each export.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::{Display, Write as _};

use scopegate_api::abi::{self, Failure};
use scopegate_api::explanation::{Explanation, to_json};
use scopegate_core::admission::{Admission, Authority, Request};
use scopegate_core::challenge::{Challenge, ChallengeError, Scheme};
use scopegate_core::explain::{self, NamedTable};
use scopegate_core::headers;
use scopegate_core::verify::Grant;
use scopegate_core::{Error, ErrorKind, RequiredScope, Scope, ScopeList, Settings, Table};
#[cfg(feature = "feeds")]
use scopegate_edge::revocation::Revocations;

use crate::slots::Slots;

/// Everything that an instance keeps.
pub(crate) struct Engine {
    pub(crate) input: Vec<u8>,
    output: Vec<u8>,
    tables: Slots<LoadedTable>,
    #[cfg(feature = "feeds")]
    pub(crate) revocations: Slots<Revocations>,
}

struct LoadedTable {
    name: String,
    table: Table<Vec<u8>>,
}

pub(crate) type Result<T> = core::result::Result<T, Failure>;

impl Engine {
    pub(crate) const fn new() -> Self {
        Self {
            input: Vec::new(),
            output: Vec::new(),
            tables: Slots::new(),
            #[cfg(feature = "feeds")]
            revocations: Slots::new(),
        }
    }

    pub(crate) fn abi_version(&mut self) -> u32 {
        abi::VERSION
    }

    pub(crate) fn input(&mut self, len: u32) -> u32 {
        let len = len as usize;
        if len > self.input.len() {
            let more = len - self.input.len();
            if self.input.try_reserve_exact(more).is_err() {
                return 0;
            }
            self.input.resize(len, 0);
        }
        self.input.as_ptr() as usize as u32
    }

    pub(crate) fn table_compile(&mut self, len: u32) -> u64 {
        let compiled = self.arguments([len]).and_then(|[text]| {
            Ok(Table::compile_actions(text.split('\n').filter(|line| !line.is_empty()))?)
        });
        self.give(compiled.map(|table| table.as_bytes().to_vec()))
    }

    pub(crate) fn table_load(&mut self, name_len: u32, len: u32) -> u64 {
        match self.loaded(name_len, len) {
            Ok(loaded) => u64::from(self.tables.keep(loaded)),
            Err(failure) => failure.pack(),
        }
    }

    fn loaded(&self, name_len: u32, len: u32) -> Result<LoadedTable> {
        let [name, table] = self.parts([name_len, len])?;
        let name = core::str::from_utf8(name).map_err(|_| Failure::NotText)?;
        // Checked where it is, so that bytes which are no table never cost a copy.
        let table = Table::load(table)?.try_to_owned().ok_or(Failure::Memory)?;
        Ok(LoadedTable { name: name.into(), table })
    }

    pub(crate) fn table_drop(&mut self, table: u32) -> u64 {
        self.tables.take(table)
    }

    pub(crate) fn decide(&mut self, table: u32, len: u32, settings: u32) -> u64 {
        self.decided(table, len, settings).unwrap_or_else(Failure::pack)
    }

    fn decided(&self, table: u32, len: u32, settings: u32) -> Result<u64> {
        let (settings, _) = abi::unpack_settings(settings)?;
        let table = &self.table(table)?.table;
        let [scope] = self.parts([len])?;
        Ok(decision(table, scope, &settings))
    }

    /// Whatever is wrong grants nothing, and the caller is not told what it was.
    pub(crate) fn granted(&mut self, table: u32, len: u32, settings: u32) -> u32 {
        let result = self.decide(table, len, settings);
        if Failure::unpack(result).is_none() { result as u32 } else { 0 }
    }

    pub(crate) fn decide_batch(&mut self, table: u32, len: u32, settings: u32) -> u64 {
        let mut decisions = core::mem::take(&mut self.output);
        decisions.clear();
        let decided = self.write_decisions(table, len, settings, &mut decisions);
        self.give(decided.map(|()| decisions))
    }

    fn write_decisions(
        &self,
        table: u32,
        len: u32,
        settings: u32,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let (settings, _) = abi::unpack_settings(settings)?;
        let table = &self.table(table)?.table;
        let [scopes] = self.parts([len])?;
        for scope in ScopeList::pieces(scopes) {
            out.extend_from_slice(&decision(table, scope, &settings).to_le_bytes());
        }
        Ok(())
    }

    pub(crate) fn claims(&mut self, tables: u32, len: u32, settings: u32) -> u64 {
        let mut records = core::mem::take(&mut self.output);
        records.clear();
        let claims = self.write_claims(tables, len, settings, &mut records);
        self.give(claims.map(|()| records))
    }

    fn write_claims(&self, tables: u32, len: u32, settings: u32, out: &mut Vec<u8>) -> Result<()> {
        let (settings, _) = abi::unpack_settings(settings)?;
        let (tables, text) = self.tables_and_text(tables, len)?;
        let request = ScopeList::parse([text])?;
        let tables = tables.iter().map(|loaded| &loaded.table);
        let claims = scopegate_core::claims(tables, &request, &settings);
        abi::write_claims(text, &request, &claims, out);
        Ok(())
    }

    pub(crate) fn explain(&mut self, tables: u32, len: u32, settings: u32) -> u64 {
        let mut explanations = Vec::new();
        let explained = self.each_explained(tables, len, settings, &mut |explanation| {
            explanations.push(Explanation::new(explanation, None));
        });
        let json = explained.and_then(|()| to_json(&explanations).ok_or(Failure::Memory));
        self.give(json)
    }

    pub(crate) fn rules(&mut self, tables: u32, len: u32, settings: u32) -> u64 {
        let mut rules: Vec<String> = Vec::new();
        let explained = self.each_explained(tables, len, settings, &mut |explanation| {
            for rule in explanation.reasons.iter().flat_map(|reason| &reason.rules) {
                // Texts of their own, most of which differ in length already: with a filtered
                // catalog there may be thousands.
                let rule = rule.to_string();
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
            }
        });
        let mut lines = Vec::new();
        for rule in &rules {
            lines.extend_from_slice(rule.as_bytes());
            lines.push(b'\n');
        }
        self.give(explained.map(|()| lines))
    }

    /// Explains each scope of a request. Merged, as a decision merges them, so that the two speak
    /// of the same.
    fn each_explained(
        &self,
        tables: u32,
        len: u32,
        settings: u32,
        visit: &mut dyn FnMut(&explain::Explanation<'_>),
    ) -> Result<()> {
        let (settings, _) = abi::unpack_settings(settings)?;
        let (tables, text) = self.tables_and_text(tables, len)?;
        let named: Vec<_> = tables
            .iter()
            .map(|loaded| NamedTable { name: &loaded.name, table: &loaded.table })
            .collect();
        let request = ScopeList::parse([text])?;
        if let Some(invalid) = request.invalid.first() {
            return Err(invalid.error.into());
        }
        for merged in &request.scopes {
            let text = merged.to_string();
            visit(&explain::explain(&named, &Scope::parse(&text)?, &settings));
        }
        Ok(())
    }

    pub(crate) fn route(&mut self, method_len: u32, len: u32, settings: u32) -> u64 {
        let routed = self.arguments([method_len, len]).and_then(|[method, target]| {
            let (_, settings) = abi::unpack_settings(settings)?;
            let route = scopegate_core::route(method, target, &settings)?;
            Ok([&route.path, "\n", &route.to_string()].concat().into_bytes())
        });
        self.give(routed)
    }

    pub(crate) fn verify(&mut self, access_len: u32, scopes_len: u32, settings: u32) -> u64 {
        let missing = self.arguments([access_len, scopes_len]).and_then(|[access, scopes]| {
            let (_, settings) = abi::unpack_settings(settings)?;
            let grants: Vec<_> = access.lines().filter_map(Grant::read).collect();
            let required = required(scopes)?;
            let missing =
                scopegate_core::verify(grants.iter().copied(), &required, settings.profile);
            Ok(joined(&missing.err().unwrap_or_default()).into_bytes())
        });
        self.give(missing)
    }

    #[expect(clippy::too_many_arguments, reason = "the boundary has integers and no structs")]
    pub(crate) fn admit_request(
        &mut self,
        method: u32,
        target: u32,
        headers: u32,
        access: u32,
        realm: u32,
        service: u32,
        credential: u32,
        settings: u32,
    ) -> u64 {
        let parts = self.parts([method, target, headers, access, realm, service]);
        let admitted = parts.and_then(|parts| admission(parts, credential, settings));
        let written = admitted.map(|admission| abi::write_admission(&admission).into_bytes());
        self.give(written)
    }

    /// Without the header fields nothing can be said about a request that has a body.
    #[expect(clippy::too_many_arguments, reason = "the boundary has integers and no structs")]
    pub(crate) fn admit(
        &mut self,
        method: u32,
        target: u32,
        access: u32,
        realm: u32,
        service: u32,
        credential: u32,
        settings: u32,
    ) -> u64 {
        let parts = self.parts([method, target, access, realm, service]);
        let admitted = parts.and_then(|[method, target, access, realm, service]| {
            if !matches!(method, b"GET" | b"HEAD") {
                return Err(Error::new(ErrorKind::MethodUnknown, 0).into());
            }
            admission([method, target, b"", access, realm, service], credential, settings)
        });
        let written = admitted.map(|admission| match &admission {
            Admission::Forward(forward) => {
                ["200\n", &forward.target, "\n", &forward.route.to_string()].concat().into_bytes()
            }
            Admission::Refusal(_) => abi::write_admission(&admission).into_bytes(),
        });
        self.give(written)
    }

    pub(crate) fn header_names(&mut self, list: u32) -> u64 {
        let names = match list {
            0 => headers::REQUEST.join("\n"),
            1 => [&headers::ANSWER_WITHHELD.join("\n"), "\n", headers::ANSWER_WITHHELD_PREFIX, "*"]
                .concat(),
            2 => headers::ANSWER_ADDED.map(|(name, value)| [name, ": ", value].concat()).join("\n"),
            _ => return Failure::Settings.pack(),
        };
        self.give(Ok(names.into_bytes()))
    }

    pub(crate) fn challenge(&mut self, realm: u32, service: u32, scopes: u32, error: u32) -> u64 {
        let challenge =
            self.arguments([realm, service, scopes]).and_then(|[realm, service, scopes]| {
                let error = match error {
                    0 => None,
                    1 => Some(ChallengeError::InvalidToken),
                    2 => Some(ChallengeError::InsufficientScope),
                    _ => return Err(Failure::Settings),
                };
                let challenge = Challenge {
                    scheme: Scheme::Bearer,
                    realm: realm.into(),
                    service: Some(service.into()),
                    scope: Some(scopes.into()),
                    error,
                };
                Ok(challenge.to_string().into_bytes())
            });
        self.give(challenge)
    }

    fn table(&self, table: u32) -> Result<&LoadedTable> {
        self.tables.get(table)
    }

    /// Handles and the text behind them.
    fn tables_and_text(&self, tables: u32, len: u32) -> Result<(Vec<&LoadedTable>, &str)> {
        let [handles, text] = self.parts([tables.checked_mul(4).ok_or(Failure::Length)?, len])?;
        let (handles, _) = handles.as_chunks::<4>();
        let tables = handles.iter().map(|handle| self.table(u32::from_le_bytes(*handle)));
        let text = core::str::from_utf8(text).map_err(|_| Failure::NotText)?;
        Ok((tables.collect::<Result<_>>()?, text))
    }

    /// Texts of these lengths, one behind the other in the input.
    fn arguments<const N: usize>(&self, lens: [u32; N]) -> Result<[&str; N]> {
        texts(self.parts(lens)?)
    }

    /// Bytes of these lengths, one behind the other in the input.
    pub(crate) fn parts<const N: usize>(&self, lens: [u32; N]) -> Result<[&[u8]; N]> {
        parts(&self.input, lens)
    }

    /// Keeps bytes as the output, and gives their address and length.
    pub(crate) fn give(&mut self, bytes: Result<Vec<u8>>) -> u64 {
        match bytes {
            Ok(bytes) => {
                self.output = bytes;
                let address = self.output.as_ptr() as usize as u32;
                u64::from(address) << 32 | u64::from(self.output.len() as u32)
            }
            Err(failure) => failure.pack(),
        }
    }
}

/// Bytes of these lengths, one behind the other.
pub(crate) fn parts<const N: usize>(input: &[u8], lens: [u32; N]) -> Result<[&[u8]; N]> {
    let mut rest = input;
    let mut parts: [&[u8]; N] = [&[]; N];
    for (part, len) in parts.iter_mut().zip(lens) {
        (*part, rest) = rest.split_at_checked(len as usize).ok_or(Failure::Length)?;
    }
    Ok(parts)
}

/// What becomes of a request: method, target, header fields, access entries, realm and service.
fn admission(
    [method, target, headers, access, realm, service]: [&[u8]; 6],
    credential: u32,
    settings: u32,
) -> Result<Admission<'_>> {
    let [method, target, access, realm, service] = texts([method, target, access, realm, service])?;
    let (_, settings) = abi::unpack_settings(settings)?;
    let credential = abi::unpack_credential(credential, access.lines().filter_map(Grant::read))?;
    let request = Request { method, target, headers: abi::read_headers(headers) };
    Ok(scopegate_core::admit(request, credential, Authority { realm, service }, &settings))
}

pub(crate) fn texts<const N: usize>(parts: [&[u8]; N]) -> Result<[&str; N]> {
    let mut texts = [""; N];
    for (text, part) in texts.iter_mut().zip(parts) {
        *text = core::str::from_utf8(part).map_err(|_| Failure::NotText)?;
    }
    Ok(texts)
}

/// The result of a decision. All of it once in the module: three exports decide, and the call costs
/// less than can be measured.
#[inline(never)]
fn decision(table: &Table<Vec<u8>>, scope: &[u8], settings: &Settings) -> u64 {
    match scopegate_core::decide_bytes([table], scope, settings) {
        Ok(Ok(decision)) => abi::pack_decision(decision),
        Ok(Err(error)) => Failure::from(error).pack(),
        Err(_) => Failure::NotText.pack(),
    }
}

fn required(scopes: &str) -> Result<Vec<RequiredScope<'_>>> {
    let pieces = scopes.split(' ').filter(|piece| !piece.is_empty());
    pieces.map(|piece| Ok(Scope::parse(piece)?.into())).collect()
}

fn joined(items: &[impl Display]) -> String {
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        text.push_str(if index > 0 { " " } else { "" });
        // Writing to a string cannot fail.
        let _ = write!(text, "{item}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_input(engine: &mut Engine, parts: &[&[u8]]) -> Vec<u32> {
        let input: Vec<u8> = parts.concat();
        engine.input(input.len() as u32);
        engine.input.get_mut(..input.len()).unwrap().copy_from_slice(&input);
        parts.iter().map(|part| part.len() as u32).collect()
    }

    fn output(engine: &Engine, result: u64) -> std::result::Result<&[u8], Failure> {
        Failure::unpack(result).map_or(Ok(engine.output.as_slice()), Err)
    }

    fn loaded(rules: &str) -> (Engine, u32) {
        let mut engine = Engine::new();
        let lens = with_input(&mut engine, &[rules.as_bytes()]);
        let result = engine.table_compile(lens[0]);
        let table = output(&engine, result).unwrap().to_vec();
        let lens = with_input(&mut engine, &[b"my-map", &table]);
        let handle = engine.table_load(lens[0], lens[1]);
        (engine, handle as u32)
    }

    #[test]
    fn a_decision_through_the_boundary() {
        let (mut engine, table) =
            loaded("repositories/a/*/content/read\nrepositories/a/b/content/delete");
        let lens = with_input(&mut engine, &[b"repository:a/b:delete,push,pull"]);
        assert_eq!(engine.decide(table, lens[0], 0), 0x2_0000_0013);
        assert_eq!(Failure::unpack(engine.decide(9, lens[0], 0)), Some(Failure::NoTable));
        assert_eq!(Failure::unpack(engine.decide(table, 1 << 20, 0)), Some(Failure::Length));
        assert_eq!(Failure::unpack(engine.decide(table, lens[0], 3)), Some(Failure::Settings));
        assert_eq!(engine.granted(table, lens[0], 0), 0x13);
        assert_eq!(engine.granted(9, lens[0], 0), 0);
        with_input(&mut engine, &[b"\xff"]);
        assert_eq!(Failure::unpack(engine.decide(table, 1, 0)), Some(Failure::NotText));
        assert_eq!(engine.granted(table, 1, 0), 0);
        assert_eq!(engine.table_drop(table), 0);
        assert_eq!(Failure::unpack(engine.table_drop(table)), Some(Failure::NoTable));
    }

    #[test]
    fn decisions_are_the_same_one_by_one_and_together() {
        let (mut engine, table) = loaded("repositories/a/*/content/read");
        let scopes = ["repository:a/b:pull", "oops", "repository:c:pull", "repository:a/b:pull"];
        let one_by_one = scopes.map(|scope| {
            let lens = with_input(&mut engine, &[scope.as_bytes()]);
            engine.decide(table, lens[0], 0).to_le_bytes()
        });
        for text in [scopes.join(" "), format!("  {} ", scopes.join("  "))] {
            let lens = with_input(&mut engine, &[text.as_bytes()]);
            let result = engine.decide_batch(table, lens[0], 0);
            assert_eq!(output(&engine, result).unwrap(), one_by_one.concat());
        }
        let nothing = engine.decide_batch(table, 0, 0);
        assert_eq!(output(&engine, nothing).unwrap(), b"");
        assert_eq!(Failure::unpack(engine.decide_batch(9, 0, 0)), Some(Failure::NoTable));
    }

    #[test]
    fn claims_and_explanations_through_the_boundary() {
        let (mut engine, table) = loaded("repositories/a/content/read");
        let text = b"repository:a:pull,push registry:catalog:* oops";
        let lens = with_input(&mut engine, &[&table.to_le_bytes(), text]);
        let result = engine.claims(1, lens[1], 0);
        let records = output(&engine, result).unwrap();
        let report = abi::read_claims(core::str::from_utf8(text).unwrap(), records).unwrap();
        assert_eq!((report.access.len(), report.denied.len(), report.invalid.len()), (1, 2, 1));

        let lens = with_input(&mut engine, &[&table.to_le_bytes(), b"repository:a:push"]);
        let result = engine.explain(1, lens[1], 0);
        let json = output(&engine, result).unwrap();
        let explanations: Vec<Explanation> = serde_json::from_slice(json).unwrap();
        assert_eq!(explanations[0].edits[0].scope_map, "my-map");

        let scopes = b"repository:a:pull,push repository:a:pull registry:catalog:*";
        let lens = with_input(&mut engine, &[&table.to_le_bytes(), scopes]);
        let result = engine.rules(1, lens[1], 0);
        assert_eq!(output(&engine, result).unwrap(), b"my-map: repositories/a/content/read\n");
    }

    #[test]
    fn requests_through_the_boundary() {
        let mut engine = Engine::new();
        let lens = with_input(&mut engine, &[b"PUT", b"/v2/a%2Fb/manifests/v1"]);
        let result = engine.route(lens[0], lens[1], 0);
        assert_eq!(
            output(&engine, result).unwrap(),
            b"/v2/a/b/manifests/v1\nrepository:a/b:pull,push"
        );

        let lens = with_input(
            &mut engine,
            &[b"repository:a/b:pull\nnonsense", b"repository:a/b:pull,push"],
        );
        let result = engine.verify(lens[0], lens[1], 0);
        assert_eq!(output(&engine, result).unwrap(), b"repository:a/b:push");
        let lens = with_input(&mut engine, &[b"repository:*:pull", b"repository:a:pull"]);
        for (settings, missing) in [(0, &b""[..]), (4, b"repository:a:pull")] {
            let result = engine.verify(lens[0], lens[1], settings);
            assert_eq!(output(&engine, result).unwrap(), missing);
        }

        let lens = with_input(&mut engine, &[b"https://r/t", b"r", b"repository:a:pull"]);
        let result = engine.challenge(lens[0], lens[1], lens[2], 2);
        assert_eq!(
            output(&engine, result).unwrap(),
            br#"Bearer realm="https://r/t",service="r",scope="repository:a:pull",error="insufficient_scope""#
        );
    }

    /// What the two calls say of a request with a credential of this number.
    fn admitted(
        engine: &mut Engine,
        [method, target, headers, access]: [&str; 4],
        credential: u32,
    ) -> [std::result::Result<String, Failure>; 2] {
        let text = |engine: &Engine, result| {
            output(engine, result).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
        };
        let parts = [method, target, headers, access, "R", "S"].map(str::as_bytes);
        let lens = with_input(engine, &parts);
        let [m, t, h, a, r, s] = lens[..] else { panic!() };
        let result = engine.admit_request(m, t, h, a, r, s, credential, 0);
        let whole = text(engine, result);
        let parts = [method, target, access, "R", "S"].map(str::as_bytes);
        with_input(engine, &parts);
        let result = engine.admit(m, t, a, r, s, credential, 0);
        [whole, text(engine, result)]
    }

    #[test]
    fn a_request_at_the_edge_crosses_the_boundary() {
        let mut engine = Engine::new();
        let scope = "repository:a/b:metadata_read";
        let mut decide = |access, credential| {
            admitted(&mut engine, ["GET", "/v2/a%2Fb/tags/list", "", access], credential)
        };
        let target = "200\n/v2/a/b/tags/list\n";
        let expected = [[target, "\n", scope].concat(), [target, scope].concat()];
        assert_eq!(decide(scope, 2), expected.map(Ok));
        for (access, credential, error) in [
            (scope, 0, ""),
            (scope, 1, ",error=\"invalid_token\""),
            ("nonsense", 2, ",error=\"insufficient_scope\""),
        ] {
            let [whole, old] = decide(access, credential);
            assert_eq!(whole, old);
            let text = whole.unwrap();
            let expected = format!("Bearer realm=\"R\",service=\"S\",scope=\"{scope}\"{error}");
            let read = abi::read_admission(&text);
            assert!(matches!(
                read,
                Some(abi::WrittenAdmission::Refusal { status: 401, challenge: Some(challenge), .. })
                    if challenge == expected
            ));
        }
        assert_eq!(decide(scope, 3), [Err(Failure::Settings), Err(Failure::Settings)]);
    }

    #[test]
    fn header_fields_are_decided_about_and_the_old_call_refuses_what_it_does_not_see() {
        let mut engine = Engine::new();
        let (upload, access) = ("/v2/a/blobs/uploads/", "repository:a:pull,push");
        let form = "Accept: */*\nContent-Type: application/x-www-form-urlencoded\n";
        let [whole, old] = admitted(&mut engine, ["POST", upload, form, access], 2);
        let set = "200\n/v2/a/blobs/uploads/\napplication/octet-stream\nrepository:a:pull,push";
        assert_eq!(whole.as_deref(), Ok(set));
        assert_eq!(old, Err(Error::new(ErrorKind::MethodUnknown, 0).into()));
        for headers in ["Content-Type: a/b\nContent-Type: a/b", "X-HTTP-Method-Override: GET"] {
            let [whole, _] = admitted(&mut engine, ["POST", upload, headers, access], 2);
            assert!(whole.unwrap().starts_with("400\n\n"), "{headers}");
        }
    }

    #[test]
    fn claims_are_accepted_at_a_time() {
        let mut engine = Engine::new();
        let payload = br#"{"jti":"j","sub":"t","nbf":100,"exp":400,"iat":100,"iss":"i","aud":"r","version":"1.0","rid":"0",
            "access":[{"type":"repository","name":"app","actions":["pull"]}],"roles":[],"grant_type":"access_token"}"#;
        let lens = with_input(&mut engine, &[payload, b"i", b"r"]);
        for (high, low, expected) in [
            (0, 200, "accepted\n460\nrepository:app:pull\n"),
            (0, 460, "expired"),
            (1, 200, "expired"),
            (0, 0, "not_yet_valid"),
        ] {
            let result = engine.accept_claims(lens[0], lens[1], lens[2], high, low);
            assert_eq!(output(&engine, result), Ok(expected.as_bytes()), "{high} {low}");
        }
        let lens = with_input(&mut engine, &[payload, b"\xff", b"r"]);
        let result = engine.accept_claims(lens[0], lens[1], lens[2], 0, 200);
        assert_eq!(output(&engine, result), Err(Failure::NotText));
    }

    #[test]
    fn hosts_learn_which_header_fields_go_on() {
        let mut engine = Engine::new();
        for (list, line) in
            [(0, "range"), (1, "access-control-*"), (2, "x-content-type-options: nosniff")]
        {
            let result = engine.header_names(list);
            let text = String::from_utf8(output(&engine, result).unwrap().to_vec()).unwrap();
            assert!(text.lines().any(|name| name == line), "{text}");
        }
        assert_eq!(Failure::unpack(engine.header_names(3)), Some(Failure::Settings));
    }

    #[test]
    fn broken_tables_are_refused() {
        let mut engine = Engine::new();
        for table in [b"".as_slice(), b"SGT\x01", b"garbage that is long enough to be a header"] {
            let lens = with_input(&mut engine, &[b"", table]);
            let result = engine.table_load(lens[0], lens[1]);
            assert!(matches!(Failure::unpack(result), Some(Failure::Refused(_))));
        }
        assert_eq!(engine.tables.len(), 0);
    }
}
