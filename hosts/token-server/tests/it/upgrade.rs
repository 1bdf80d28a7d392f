//! Databases of earlier schemas: today's server opens them, and clients that could log in still
//! can.
//!
//! `tests/fixtures/schema-N.db` is a SQLite database as the program left it whose last migration
//! was `N`, and `schema-N.json` says who logs in to it. The ignored test writes the pair of the
//! present schema; those of earlier ones are never written again.

use std::fs;
use std::path::{Path, PathBuf};

use scopegate_server::testing::domain::edit::passwords;
use scopegate_server::testing::domain::edit::registry::{self, RegistryEdit};
use scopegate_server::testing::domain::edit::service_principals::{self, ServicePrincipalEdit};
use scopegate_server::testing::store::{PasswordName, TokenRecord};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Connection as _, Executor as _};

use crate::support::{OWNER, Server, Setup, basic};

const SECRET: &str = "a secret of the fixture";
const SCOPE: &str = "/oauth2/token?service=r.test&scope=repository:samples/app:pull,push";

/// Who logs in.
#[derive(Serialize, Deserialize)]
struct Known {
    /// The key that signs.
    kid: String,
    /// The revision that was written last.
    revision: i64,
    logins: Vec<Login>,
}

/// Who logs in, and what it gets of pulling and pushing to one repository.
#[derive(Serialize, Deserialize)]
struct Login {
    name: String,
    password: String,
    status: u16,
    access: String,
}

#[tokio::test]
async fn databases_of_earlier_schemas_are_opened() {
    let mut schemas: Vec<PathBuf> =
        fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    schemas.retain(|path| path.extension().is_some_and(|extension| extension == "db"));
    assert!(!schemas.is_empty());
    for schema in schemas {
        check(&schema).await;
    }
}

async fn check(database: &Path) {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(database, folder.path().join("scopegate.db")).unwrap();
    let known = fs::read(database.with_extension("json")).unwrap();
    let known: Known = serde_json::from_slice(&known).unwrap();
    let server = Server::over(folder, Setup::default()).await;
    assert!(server.app.policy().revision() >= known.revision, "{}", database.display());
    assert!(server.app.issuer.ring().find(&known.kid).is_some(), "{}", database.display());
    for Login { name, password, status, access } in known.logins {
        let answer = server.get(SCOPE, Some(&basic(&name, &password))).await;
        assert_eq!(answer.status, status, "{name} in {}", database.display());
        if status == 200 {
            assert_eq!(answer.verified_access(&server), access, "{name} in {}", database.display());
        }
    }
}

#[tokio::test]
#[ignore = "writes the database of the present schema into the repository"]
async fn write_the_database_of_this_schema() {
    let server = Server::start().await;
    let logins = populate(&server).await;
    let revision = server.app.store.changes(0).await.unwrap().registry.revision;
    let kid = server.app.issuer.ring().newest_kid().to_owned();
    let path = |name: &str| server.folder.path().join(name);
    let schema = compact(&path("scopegate.db"), &path("small.db")).await;
    let database = fixtures().join(format!("schema-{schema}.db"));
    fs::copy(path("small.db"), &database).unwrap();
    let known = Known { kid, revision, logins };
    let known = serde_json::to_string_pretty(&known).unwrap() + "\n";
    fs::write(database.with_extension("json"), known).unwrap();
}

/// Adds a principal of each kind to the seed of the tests, and a tombstone; tells who logs in.
async fn populate(server: &Server) -> Vec<Login> {
    let mut write = server.write().await;
    let both = RegistryEdit {
        admin_enabled: Some(true),
        anonymous_pull: Some(true),
        ..RegistryEdit::default()
    };
    registry::patch(&mut write, both).await.unwrap();
    let (_, admin) = registry::admin_passwords(&mut write).await.unwrap();
    let client = ServicePrincipalEdit {
        display_name: Some("deployer".into()),
        roles: Some(vec!["Reader".into()]),
        scope_maps: Some(vec!["admin-map".into()]),
        ..ServicePrincipalEdit::default()
    };
    service_principals::put(&mut write, OWNER, client).await.unwrap();
    service_principals::add_secret(&mut write, OWNER, SECRET, None, &[]).await.unwrap();
    let second = Some(PasswordName::Password2);
    let (_, token) = passwords::generate(&mut write, "Mapless", second, None).await.unwrap();
    assert!(write.delete::<TokenRecord>("Disabled").await.unwrap());
    server.commit(write).await;
    let login = |name: &str, password: &str, status, access: &str| Login {
        name: name.into(),
        password: password.into(),
        status,
        access: access.into(),
    };
    vec![
        login("Reader", "secret-one", 200, "repository:samples/app:pull"),
        // Its second password has expired.
        login("Reader", "secret-two", 401, ""),
        login("admin-1", "secret-two", 200, "repository:samples/app:pull"),
        login("Mapless", &token[0].value, 200, ""),
        login("Disabled", "secret-one", 401, ""),
        login("registry", &admin[1].value, 200, "repository:samples/app:pull,push"),
        login(OWNER, SECRET, 200, "repository:samples/app:pull"),
    ]
}

/// Copies a database as small as it gets, and tells its last migration.
async fn compact(from: &Path, to: &Path) -> i64 {
    let url = format!("sqlite://{}", from.display());
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    let into = format!("pragma page_size = 1024; vacuum into '{}'", to.display());
    connection.execute(sqlx::AssertSqlSafe(into)).await.unwrap();
    let last = sqlx::query_scalar("select max(version) from _sqlx_migrations");
    let last = last.fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    last
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}
