//! Fifty thousand tokens that share five hundred scope maps: memory, start, pages.

use std::time::Instant;

use scopegate_server::testing::store::{self, Page, TokenRecord};

use scopegate_benches::figures::Figures;
use scopegate_benches::token_server::{Server, tokens_and_maps};

const TOKENS: usize = 50_000;
const MAPS: usize = 500;

pub(crate) fn measure() {
    let server = Server::start(true, &tokens_and_maps(TOKENS, MAPS));
    let mut figures = Figures::new("token crowd");
    let mut add = |name: &str, unit: &str, samples| figures.add_at(TOKENS, name, unit, samples);
    let ready = add("start to ready", "s", vec![server.ready_after.as_secs_f64()]);
    let memory = add("resident memory", "MB", vec![server.resident()]);
    println!(
        "{TOKENS} tokens, {MAPS} maps  ready after {ready:.2} s (goal 2), {memory:.0} MB (goal 150)"
    );
    let [first, last] = pages(&server);
    let first = add("the first page of 500", "ms", first);
    let last = add("the last page of 500", "ms", last);
    figures.keep();
    println!("a page of 500 tokens      the first {first:.1} ms, the last {last:.1} ms");
}

/// The time of the first and the last page, in milliseconds.
fn pages(server: &Server) -> [Vec<f64>; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = store::open(server.folder().path(), None).await.unwrap();
        let mut pages = [Vec::new(), Vec::new()];
        for (after, took) in ["", "token-49499"].into_iter().zip(&mut pages) {
            for _ in 0..21 {
                let begun = Instant::now();
                let page = Page { after: after.into(), limit: 500 };
                let tokens = store.read().await.unwrap().page::<TokenRecord>(&page).await.unwrap();
                assert_eq!(tokens.len(), 500);
                took.push(begun.elapsed().as_secs_f64() * 1e3);
            }
        }
        pages
    })
}
