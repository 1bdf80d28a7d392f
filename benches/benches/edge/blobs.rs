//! Blobs of a gigabyte: their throughput, and a proxy's memory.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Instant;

use scopegate_benches::figures::Figures;

use crate::stack::{BLOB, Route, Running, Stack};

/// The numbers of concurrent streams.
const STREAMS: [usize; 2] = [1, 8];
/// The number of concurrent streams while the gateway's memory is measured.
const MANY: usize = 64;
const ROUNDS: usize = 3;

pub(crate) fn measure(stack: &Stack) {
    println!("blobs of 1 GB             1 stream, 8 streams, MB/s");
    let mut figures = Figures::new("edge blobs");
    let nginx = each(stack, Route::Nginx, &mut figures);
    let gateway = each(stack, Route::Gateway, &mut figures);
    let ratios: Vec<String> =
        gateway.iter().zip(&nginx).map(|(ours, theirs)| format!("{:.2}", ours / theirs)).collect();
    println!("  gateway / nginx         {} (goal 0.8)", ratios.join(", "));
    let gateway = stack.start(Route::Gateway);
    let rate = rate(&gateway, &request(stack, Route::Gateway), MANY);
    let memory = gateway.peak_memory();
    println!("  {MANY} through the gateway   {rate:.0} MB/s, at most {memory} MB held (goal 64)");
    figures.add_at(MANY, Route::Gateway.name(), "MB held", vec![memory as f64]);
    figures.keep();
}

/// Megabytes a second for each number of streams.
fn each(stack: &Stack, route: Route, figures: &mut Figures) -> Vec<f64> {
    let proxy = stack.start(route);
    let request = request(stack, route);
    let rates = STREAMS.map(|streams| {
        let rates = (0..ROUNDS).map(|_| rate(&proxy, &request, streams)).collect();
        figures.add_at(streams, route.name(), "MB a second", rates)
    });
    let text: Vec<String> = rates.iter().map(|rate| format!("{rate:>6.0}")).collect();
    println!("  {:<23} {}", route.name(), text.join(" "));
    rates.to_vec()
}

fn request(stack: &Stack, route: Route) -> String {
    let request = stack.request(route, &Stack::blob());
    request.replacen("\r\n", "\r\nConnection: close\r\n", 1)
}

fn rate(proxy: &Running, request: &str, streams: usize) -> f64 {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..streams {
            scope.spawn(|| take(proxy.port, request));
        }
    });
    let megabytes = BLOB as f64 / 1e6 * streams as f64;
    megabytes / begun.elapsed().as_secs_f64()
}

fn take(port: u16, request: &str) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let (mut buffer, mut total) = (vec![0; 256 * 1024], 0);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        total += read as u64;
    }
    assert!(total > BLOB, "the blob broke off after {total} bytes");
}
