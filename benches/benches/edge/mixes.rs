//! What clients do at a registry, through the gateway and to the registry itself, at a fixed rate.

use std::time::Duration;

use scopegate_benches::figures::Figures;
use scopegate_benches::load::{Latency, Load, Request};

use crate::CONNECTIONS;
use crate::house::{House, Way};

/// The part of what the gateway can do at most at which latencies are taken, of both.
const PART: f64 = 0.7;
const FOR: Duration = Duration::from_secs(1);
const ROUNDS: usize = 5;
/// How many clients of a CI system ask at once.
const BURST: usize = 1000;
/// Layers of an image.
const LAYERS: usize = 30;

pub(crate) fn measure(house: &House) {
    println!(
        "what clients do              /s   of no gateway, at 70 %: p50, p99, p99.9 µs (without gateway)"
    );
    let mut figures = Figures::new("edge clients");
    let (gateway, registry) = (house.start(Way::Gateway), house.start(Way::Direct));
    for (name, asked) in clients() {
        let mut loads =
            [(Way::Gateway, gateway.port), (Way::Direct, registry.port)].map(|(way, port)| {
                let requests: Vec<Request> =
                    asked.iter().map(|asked| request(house, way, *asked)).collect();
                Load::new(port, &requests, CONNECTIONS)
            });
        let rates: Vec<[f64; 2]> =
            (0..ROUNDS).map(|_| loads.each_mut().map(|load| load.closed(FOR / 2))).collect();
        let most = figures.add(name, "a second", rates.iter().map(|[ours, _]| *ours).collect());
        let part = rates.iter().map(|[ours, none]| ours / none).collect();
        let part = figures.add(name, "of the rate without a gateway", part);
        let [ours, none] = loads.each_mut().map(|load| load.open(most * PART, FOR * 2));
        print(&mut figures, name, &format!("{most:>6.0}   {part:.2}"), ours, none);
    }
    let pull = [request(house, Way::Gateway, ("GET", "manifests/v1", 200))];
    let mut load = Load::new(gateway.port, &pull, BURST);
    load.burst();
    let ours = load.burst();
    let mut load = Load::new(
        registry.port,
        &[request(house, Way::Direct, ("GET", "manifests/v1", 200))],
        BURST,
    );
    load.burst();
    print(&mut figures, "1,000 pulls of CI at once", "", ours, load.burst());
    figures.keep();
}

/// Method, what of the repository, and the status.
type Asked = (&'static str, &'static str, u16);

fn clients() -> [(&'static str, Vec<Asked>); 3] {
    let pull = [("HEAD", "manifests/v1", 200), ("GET", "manifests/v1", 200)];
    let layers = [("GET", "blobs/LAYER", 200); LAYERS];
    let push = [
        ("HEAD", "blobs/LAYER", 200),
        ("POST", "blobs/uploads/?mount=LAYER&from=team/base", 201),
        ("PUT", "manifests/v1", 201),
    ];
    [
        ("a pull of 30 layers", [&pull[..], &layers].concat()),
        ("a push that mounts", push.to_vec()),
        ("a scan of tags", vec![("GET", "tags/list", 200)]),
    ]
}

fn request(house: &House, way: Way, (method, path, status): Asked) -> Request {
    // The registry tells layers from the large blob by their first digit.
    let text = house.request(way, &path.replace("LAYER", &format!("sha256:0{}", "a".repeat(63))));
    let text = text.replacen("GET", method, 1);
    let text = match method {
        "POST" | "PUT" => text.replacen("\r\n", "\r\nContent-Length: 0\r\n", 1),
        _ => text,
    };
    Request::answered(&text, status)
}

fn print(figures: &mut Figures, name: &str, rate: &str, ours: Latency, none: Latency) {
    let each = |latency: Latency| [latency.p50, latency.p99, latency.p999];
    for (unit, (ours, none)) in
        ["p50", "p99", "p99.9"].iter().zip(each(ours).iter().zip(each(none)))
    {
        figures.add(name, &format!("µs {unit}"), vec![*ours]);
        figures.add(name, &format!("µs {unit} without a gateway"), vec![none]);
    }
    let ours = each(ours).map(|figure| format!("{figure:>6.0}")).concat();
    let none = each(none).map(|figure| format!("{figure:>6.0}")).concat();
    println!("  {name:<26} {rate:>13}   {ours}  ({none})");
}
