//! Blobs of a gigabyte: how fast they pass, and what a proxy keeps of them.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Instant;

use crate::house::{BLOB, House, Running, Way};

/// How many blobs pass at once where rates are compared.
const STREAMS: [usize; 2] = [1, 8];
/// How many pass through the gateway while its memory is looked at.
const MANY: usize = 64;

pub(crate) fn measure(house: &House) {
    println!("blobs of 1 GB             1 stream, 8 streams, MB/s");
    let nginx = each(house, Way::Nginx);
    let gateway = each(house, Way::Gateway);
    let ratios: Vec<String> =
        gateway.iter().zip(&nginx).map(|(ours, theirs)| format!("{:.2}", ours / theirs)).collect();
    println!("  gateway / nginx         {} (goal 0.8)", ratios.join(", "));
    let gateway = house.start(Way::Gateway);
    let rate = rate(&gateway, &request(house, Way::Gateway), MANY);
    println!(
        "  {MANY} through the gateway   {rate:.0} MB/s, at most {} MB held (goal 64)",
        gateway.peak_memory()
    );
}

/// Megabytes a second for each number of streams.
fn each(house: &House, way: Way) -> Vec<f64> {
    let proxy = house.start(way);
    let request = request(house, way);
    let rates: Vec<f64> = STREAMS.iter().map(|streams| rate(&proxy, &request, *streams)).collect();
    let text: Vec<String> = rates.iter().map(|rate| format!("{rate:>6.0}")).collect();
    println!("  {:<23} {}", way.name(), text.join(" "));
    rates
}

fn request(house: &House, way: Way) -> String {
    let request = house.request(way, &House::blob());
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
