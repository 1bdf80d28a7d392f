//! The part of a registry's configuration that decides which tokens it trusts.
//!
//! Follows <https://distribution.github.io/distribution/about/configuration/#token>. Left out:
//! variables of the environment that override the file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use serde::Deserialize;

use crate::domain::keys::certificate::Certificate;

/// What a registry trusts.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// Where it sends clients for tokens.
    pub realm: String,
    /// The `iss` that it expects.
    pub issuer: String,
    /// The `aud` that it expects.
    pub service: String,
    /// Its `rootcertbundle`.
    pub bundle: Option<Bundle>,
    /// Its `jwks`, which version 2.8 does not have.
    pub jwks: Option<Jwks>,
    /// Its `signingalgorithms`, which version 2.8 does not have; empty for all.
    pub algorithms: Vec<String>,
    /// When it started, in seconds since 1970, if known: it reads its files only then.
    pub started_at: Option<i64>,
}

/// A `rootcertbundle`.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// How to connect to it.
    pub path: String,
    pub certificates: Vec<Certificate>,
    /// How many certificates in it cannot be read.
    pub broken: usize,
    /// How many public keys it holds that are in no certificate.
    pub bare_keys: usize,
    /// Whether it holds a private key, which only the token server may have.
    pub has_private_key: bool,
}

/// A `jwks` file.
#[derive(Clone, Debug, Default)]
pub struct Jwks {
    /// How to connect to it.
    pub path: String,
    /// The ids in it.
    pub kids: Vec<String>,
}

impl Registry {
    /// Reads a registry's configuration and the files that it names.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or the configuration has no `auth.token`.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, |name| {
            let path = locate(folder, name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        })
        .with_context(|| format!("in {}", path.display()))
    }

    /// Reads a configuration, and its files with `open`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or the configuration has no `auth.token`.
    pub fn parse(
        text: &str,
        open: impl Fn(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<Self> {
        let file: File = serde_saphyr::from_str(text).context("the configuration is not YAML")?;
        let token = file
            .auth
            .and_then(|auth| auth.token)
            .context("the registry asks for no tokens: auth.token is not there")?;
        let bundle = |path: String| open(&path).map(|pem| Bundle::read(path, &pem));
        let jwks = |path: String| open(&path).and_then(|text| Jwks::read(path, &text));
        Ok(Self {
            realm: token.realm,
            issuer: token.issuer,
            service: token.service,
            bundle: token.rootcertbundle.filter(|path| !path.is_empty()).map(bundle).transpose()?,
            jwks: token.jwks.filter(|path| !path.is_empty()).map(jwks).transpose()?,
            algorithms: token.signingalgorithms,
            started_at: None,
        })
    }
}

/// A registry reads a relative path from where it was started, which is often the folder of its
/// configuration.
fn locate(folder: &Path, name: &str) -> PathBuf {
    let as_it_is = PathBuf::from(name);
    if as_it_is.exists() { as_it_is } else { folder.join(name) }
}

#[derive(Deserialize)]
struct File {
    auth: Option<Auth>,
}

#[derive(Deserialize)]
struct Auth {
    token: Option<Token>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    realm: String,
    #[serde(default)]
    issuer: String,
    #[serde(default)]
    service: String,
    rootcertbundle: Option<String>,
    jwks: Option<String>,
    #[serde(default)]
    signingalgorithms: Vec<String>,
}

impl Bundle {
    /// Reads a bundle.
    #[must_use]
    pub fn read(path: String, pem: &str) -> Self {
        let mut bundle = Self { path, ..Self::default() };
        // A registry does not read past a broken section either.
        let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes());
        for (kind, der) in sections.map_while(Result::ok) {
            match (kind, Certificate::read(&der)) {
                (SectionKind::Certificate, Some(certificate)) => {
                    bundle.certificates.push(certificate);
                }
                (SectionKind::Certificate, None) => bundle.broken += 1,
                (SectionKind::PublicKey, _) => bundle.bare_keys += 1,
                (
                    SectionKind::PrivateKey
                    | SectionKind::EcPrivateKey
                    | SectionKind::RsaPrivateKey,
                    _,
                ) => bundle.has_private_key = true,
                _ => {}
            }
        }
        bundle
    }
}

impl Jwks {
    /// Reads a key set.
    ///
    /// # Errors
    ///
    /// When the text is not a key set.
    pub fn read(path: String, text: &str) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Key>,
        }
        #[derive(Deserialize)]
        struct Key {
            #[serde(default)]
            kid: String,
        }
        let set: Set = serde_json::from_str(text)
            .with_context(|| format!("{path} is not a JSON web key set"))?;
        Ok(Self { path, kids: set.keys.into_iter().map(|key| key.kid).collect() })
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;
    use crate::domain::keys::Authority;

    #[track_caller]
    fn refused(yaml: &str, expected: &str) {
        let error = Registry::parse(yaml, |name| bail!("cannot read {name}")).unwrap_err();
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    }

    #[test]
    fn invalid_configurations() {
        refused("version: 0.1", "auth.token is not there");
        refused("auth: {htpasswd: {realm: r}}", "auth.token is not there");
        refused("auth: [", "not YAML");
        refused("auth: {token: {rootcertbundle: missing.pem}}", "cannot read missing.pem");
        refused("auth: {token: {jwks: missing.json}}", "cannot read missing.json");
    }

    #[test]
    fn what_a_registry_trusts() {
        let authority = Authority::generate("test", 1_800_000_000).unwrap();
        let pem = format!(
            "{}{}-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            authority.private_key, authority.certificate
        );
        let yaml = "{http: {addr: ':5000'}, auth: {token: {autoredirect: true, realm: r, issuer: i, service: s, rootcertbundle: b.pem, jwks: j.json, signingalgorithms: [ES256]}}}";
        let open = |name: &str| match name {
            "b.pem" => Ok(pem.clone()),
            _ => Ok(r#"{"keys":[{"kid":"one","kty":"EC"},{"kty":"RSA"}]}"#.to_owned()),
        };
        let registry = Registry::parse(yaml, open).unwrap();
        assert_eq!(
            (&*registry.realm, &*registry.issuer, &*registry.service, &*registry.algorithms),
            ("r", "i", "s", ["ES256".to_owned()].as_slice())
        );
        let bundle = registry.bundle.unwrap();
        assert_eq!(
            (bundle.certificates.len(), bundle.broken, bundle.bare_keys, bundle.has_private_key),
            (1, 1, 1, true)
        );
        assert_eq!(registry.jwks.unwrap().kids, ["one", ""]);
    }
}
