//! The authority's certificate, renewed in the database.

use std::time::Duration;

use scopegate_server::testing::clock;
use scopegate_server::testing::domain::keys::{Algorithm, Keeper, Ring, Rotation, RsaSize};

use crate::support::database::Database;

const YEAR: i64 = 365 * 24 * 60 * 60;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

on_both! {
    a_certificate_is_renewed_when_its_time_comes
}

async fn a_certificate_is_renewed_when_its_time_comes(database: Database) {
    let store = database.open().await.unwrap();
    let keeper = Keeper {
        folder: database.folder.path().to_owned(),
        issuer: "us".into(),
        algorithm: Algorithm::Es256,
        size: RsaSize::default(),
        rotation: Rotation { every: 90 * DAY, ahead: DAY },
    };
    let now = clock::now();
    let made = keeper.reconcile(&store, now - 8 * YEAR).await.unwrap();
    let kids = |ring: &Ring| ring.keys().map(|key| key.kid().to_owned()).collect::<Vec<_>>();
    let mut bundles = Vec::new();
    for at in [now - 2 * YEAR, now, now] {
        keeper.renew_authority(&store, at).await.unwrap();
        let ring = Keeper::read(&store).await.unwrap();
        assert_eq!(kids(&ring), kids(&made), "the signing keys stay");
        bundles.push(ring.bundle().to_owned());
    }
    assert_eq!(bundles[0], made.bundle(), "not yet");
    assert_ne!(bundles[1], made.bundle());
    assert_eq!(bundles[2], bundles[1], "once");
}
