# The worker in workerd: `workerd serve config.capnp`, after `cargo xtask worker`.
# The addresses are those of examples of loopback; the socket belongs behind something that speaks TLS.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "registry", external = (address = "127.0.0.1:5000", http = ())),
    (name = "tokens", external = (address = "127.0.0.1:5001", http = ())),
  ],
  sockets = [(name = "http", address = "127.0.0.1:5002", http = (), service = "edge")],
);

const edge :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "../../target/worker/worker.js"),
    (name = "./scopegate.wasm", wasm = embed "../../target/worker/scopegate.wasm"),
  ],
  bindings = [
    (name = "ISSUER", text = "registry.example"),
    (name = "SERVICE", text = "registry.example"),
    (name = "REALM", text = "https://registry.example/oauth2/token"),
    (name = "JWKS_URL", text = "http://tokens/.well-known/jwks.json"),
    (name = "ORIGIN", text = "http://registry"),
    (name = "REGISTRY", service = "registry"),
    (name = "TOKENS", service = "tokens"),
  ],
  compatibilityDate = "2026-01-01",
);
