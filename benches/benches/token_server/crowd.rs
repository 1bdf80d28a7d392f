//! Fifty thousand tokens that share five hundred scope maps: memory, start, pages.

use std::time::Instant;

use scopegate_server::store::{Page, Store};

use scopegate_benches::token_server::{Server, tokens_and_maps};

const TOKENS: usize = 50_000;
const MAPS: usize = 500;

pub(crate) fn measure() {
    let server = Server::start(true, &tokens_and_maps(TOKENS, MAPS));
    println!(
        "{TOKENS} tokens, {MAPS} maps  ready after {:.2} s (goal 2), {:.0} MB (goal 150)",
        server.ready_after.as_secs_f64(),
        server.resident()
    );
    let (first, last) = pages(&server);
    println!("a page of 500 tokens      the first {first:.1} ms, the last {last:.1} ms");
}

/// How long the store takes for the first and the last page, in milliseconds: the median of some.
fn pages(server: &Server) -> (f64, f64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(server.folder().path(), None).await.unwrap();
        let mut medians = Vec::new();
        for after in ["", "token-49499"] {
            let mut took = Vec::new();
            for _ in 0..21 {
                let begun = Instant::now();
                let page = Page { after: after.into(), limit: 500 };
                let tokens = store.read().await.unwrap().tokens(&page).await.unwrap();
                assert_eq!(tokens.len(), 500);
                took.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            took.sort_by(f64::total_cmp);
            medians.push(took[took.len() / 2]);
        }
        (medians[0], medians[1])
    })
}
