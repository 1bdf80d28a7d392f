//! The requests of typical clients, through the gateway and directly, at a fixed rate.

use std::time::Duration;

use scopegate_benches::figures::Figures;
use scopegate_benches::load::{Latency, Load, Request};

use crate::CONNECTIONS;
use crate::stack::{Route, Stack};

/// The load at which latencies are measured, as a fraction of the gateway's maximum.
const LOAD_FRACTION: f64 = 0.7;
const DURATION: Duration = Duration::from_secs(1);
const ROUNDS: usize = 5;
/// How many clients of a CI system send a request at once.
const BURST: usize = 1000;
/// Layers of an image.
const LAYERS: usize = 30;

pub(crate) fn measure(stack: &Stack) {
    println!(
        "what clients do              /s   of no gateway, at 70 %: p50, p99, p99.9 µs (without gateway)"
    );
    let mut figures = Figures::new("edge clients");
    let (gateway, registry) = (stack.start(Route::Gateway), stack.start(Route::Direct));
    for (name, asked) in clients() {
        let mut loads = [(Route::Gateway, gateway.port), (Route::Direct, registry.port)].map(
            |(route, port)| {
                let requests: Vec<Request> =
                    asked.iter().map(|asked| request(stack, route, *asked)).collect();
                Load::new(port, &requests, CONNECTIONS)
            },
        );
        let rates: Vec<[f64; 2]> =
            (0..ROUNDS).map(|_| loads.each_mut().map(|load| load.closed(DURATION / 2))).collect();
        let max_rate = figures.add(name, "a second", rates.iter().map(|[ours, _]| *ours).collect());
        let part = rates.iter().map(|[ours, none]| ours / none).collect();
        let part = figures.add(name, "of the rate without a gateway", part);
        let [ours, none] =
            loads.each_mut().map(|load| load.open(max_rate * LOAD_FRACTION, DURATION * 2));
        print(&mut figures, name, &format!("{max_rate:>6.0}   {part:.2}"), ours, none);
    }
    let pull = [request(stack, Route::Gateway, ("GET", "manifests/v1", 200))];
    let mut load = Load::new(gateway.port, &pull, BURST);
    load.burst();
    let ours = load.burst();
    let mut load = Load::new(
        registry.port,
        &[request(stack, Route::Direct, ("GET", "manifests/v1", 200))],
        BURST,
    );
    load.burst();
    print(&mut figures, "1,000 pulls of CI at once", "", ours, load.burst());
    figures.keep();
}

/// Method, path below the repository, and expected status.
type ClientRequest = (&'static str, &'static str, u16);

fn clients() -> [(&'static str, Vec<ClientRequest>); 3] {
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

fn request(stack: &Stack, route: Route, (method, path, status): ClientRequest) -> Request {
    // The registry distinguishes layers from the large blob by their first digit.
    let text = stack.request(route, &path.replace("LAYER", &format!("sha256:0{}", "a".repeat(63))));
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
