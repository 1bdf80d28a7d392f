/**
 * For tests: a real registry behind a door that writes down what clients send, with everything on
 * loopback.
 *
 * CNCF distribution stores, and asks for no identity. In front of it is what a registry and
 * its token server do: challenges, tokens and checks, as the engine says, in either profile. A
 * token is its own access list, unsigned, since no client looks into it.
 *
 * `az` speaks to a door with TLS. What is behind `/acr/v1`, Azure has alone; here answers it
 * what `az` reads of such an answer.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scopeText } from "../../src/clients/scopes.ts";
import { messages } from "../../src/clients/terminal.ts";
import { Principal, type Profile, route, unauthorizedBody, verify, writeChallenge } from "../../src/engine/index.ts";
import { shape } from "./shape.ts";

/** The name of the certificate in the recorder's folder. */
const CERTIFICATE = "door.pem";

export class Recorder {
  readonly #folder = mkdtempSync(join(tmpdir(), "recorder-"));
  readonly #door: http.Server;
  readonly #scheme: "http" | "https";
  #lines: string[] = [];
  /** Of the manifest that is stored. */
  #digest = "";
  #principal = new Principal("root");
  #profile: Profile = "acr";
  #registry: ChildProcess | null = null;
  #registryPort = 0;
  #port = 0;

  constructor({ hasTls = false } = {}) {
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    this.#scheme = hasTls ? "https" : "http";
    this.#door = hasTls ? https.createServer(this.#ownCertificate(), answer) : http.createServer(answer);
  }

  /** The certificate, for clients that are to trust it. */
  get certificate(): string {
    return join(this.#folder, CERTIFICATE);
  }

  #ownCertificate(): { cert: Buffer; key: Buffer } {
    const key = join(this.#folder, "door.key");
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    const files = ["-keyout", key, "-out", this.certificate];
    execFileSync("openssl", ["req", "-x509", ...kind, ...subject, ...files], { stdio: "ignore" });
    return { cert: readFileSync(this.certificate), key: readFileSync(key) };
  }

  /** Starts both; what is started ends with `stop`. */
  async start(): Promise<void> {
    this.#registryPort = await freePort();
    const config = `version: 0.1\nlog: {level: error}\nstorage: {inmemory: {}, delete: {enabled: true}}\nhttp: {addr: "127.0.0.1:${this.#registryPort}", relativeurls: true}\n`;
    const file = join(this.#folder, "registry.yml");
    writeFileSync(file, config);
    this.#registry = spawn("docker-registry", ["serve", file], { stdio: "ignore" });
    await answers(`http://127.0.0.1:${this.#registryPort}/v2/`);
    await new Promise<void>((listening) => this.#door.listen(0, "127.0.0.1", listening));
    this.#port = (this.#door.address() as AddressInfo).port;
  }

  /**
   * Puts the image of a layout there, past the door and past every client, so that no client
   * remembers it.
   */
  async store(layout: string, repository: string): Promise<void> {
    const url = `http://127.0.0.1:${this.#registryPort}/v2/${repository}`;
    const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: { digest: string }[] };
    this.#digest = index.manifests[0]?.digest ?? "";
    for (const name of readdirSync(join(layout, "blobs/sha256"))) {
      const body = readFileSync(join(layout, "blobs/sha256", name));
      const begun = await fetch(`${url}/blobs/uploads/`, { method: "POST" });
      const upload = new URL(begun.headers.get("location") ?? "", url);
      upload.searchParams.set("digest", `sha256:${name}`);
      await fetch(upload, { method: "PUT", body });
    }
    const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
    const body = readFileSync(join(layout, "blobs", this.#digest.replace(":", "/")));
    await fetch(`${url}/manifests/v1`, { method: "PUT", headers, body });
  }

  stop(): void {
    this.#door.closeAllConnections();
    this.#door.close();
    this.#registry?.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A folder that ends with it. */
  get folder(): string {
    return this.#folder;
  }

  get host(): string {
    return `localhost:${this.#port}`;
  }

  /**
   * From now on every client may do this, and the record of requests is empty. Connections of
   * clients that have ended are closed, so that what is still to be read from them is not recorded.
   */
  allow(principal: Principal, profile: Profile): void {
    this.#door.closeAllConnections();
    this.#principal = principal;
    this.#profile = profile;
    this.#lines = [];
  }

  /**
   * What was sent: each line once, in the order of its first time, because clients do some things
   * at the same time.
   */
  get lines(): string[] {
    return [...new Set(this.#lines)];
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    const url = new URL(request.url ?? "/", "http://door");
    if (url.pathname === "/oauth2/token") return this.#token(url, body, response);
    const { method = "GET", url: target = "/" } = request;
    const scopes = scopesOf(method, target, this.#profile);
    if (scopes === null) return void response.writeHead(404).end();
    const missing = this.#missing(request.headers.authorization, scopes);
    this.#lines.push(`${method} ${shape(target)} ${missing === null ? "passes" : "401"}`);
    if (missing === null && url.pathname.startsWith("/acr/v1/"))
      return azure(method, url.pathname, this.#digest, response);
    if (missing === null) return this.#forward(request, body, response);
    const realm = `${this.#scheme}://${this.host}/oauth2/token`;
    response.setHeader("www-authenticate", writeChallenge(realm, this.host, scopes, missing.error));
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.writeHead(401).end(method === "HEAD" ? "" : unauthorizedBody(messages[this.#profile], scopes));
  }

  /** Null when the request may pass. */
  #missing(authorization: string | undefined, scopes: string[]): { error?: "insufficient_scope" } | null {
    const token = authorization?.match(/^Bearer \w+\.([\w-]+)\./)?.[1];
    if (token === undefined) return {};
    const access = JSON.parse(Buffer.from(token, "base64url").toString()) as string[];
    return verify(access, scopes, this.#profile).length === 0 ? null : { error: "insufficient_scope" };
  }

  #token(url: URL, body: Buffer, response: ServerResponse): void {
    const form = new URLSearchParams(body.toString());
    const scopes = [...url.searchParams.getAll("scope"), ...form.getAll("scope")].join(" ");
    this.#lines.push(`token ${scopes}`);
    const access = this.#principal.claims(scopes).access.map(scopeText);
    const token = `e30.${Buffer.from(JSON.stringify(access)).toString("base64url")}.e30`;
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.end(JSON.stringify({ token, access_token: token, expires_in: 3600, issued_at: new Date().toISOString() }));
  }

  #forward(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { authorization: _, ...headers } = request.headers;
    const address = { host: "127.0.0.1", port: this.#registryPort };
    const sent = http.request({ ...address, method: request.method, path: request.url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    sent.end(body);
  }
}

/**
 * As much of Azure's own data plane as `az` reads: one repository with one tag of one manifest.
 */
function azure(method: string, path: string, digest: string, response: ServerResponse): void {
  const tag = { name: "v1", digest, changeableAttributes: {} };
  const manifest = { digest, tags: ["v1"], changeableAttributes: {} };
  const one = path.endsWith("/_tags/v1") ? { tag } : { imageName: "team/app", changeableAttributes: {} };
  const listed = path.endsWith("/_tags")
    ? { tags: [tag] }
    : path.endsWith("/_manifests")
      ? { manifests: [manifest] }
      : one;
  const answer = method === "DELETE" ? { manifestsDeleted: [digest], tagsDeleted: ["v1"] } : listed;
  response.setHeader("content-type", "application/json; charset=utf-8");
  response.writeHead(method === "DELETE" ? 202 : 200).end(JSON.stringify(answer));
}

/** Null for a path that no registry has. */
function scopesOf(method: string, target: string, profile: Profile): string[] | null {
  try {
    return route(method, target, profile).scopes;
  } catch {
    return null;
  }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function freePort(): Promise<number> {
  const server = http.createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Waits until the port is open, for at most ten seconds. */
async function answers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await fetch(url).catch(() => null);
    if (answer !== null) return;
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error(`nobody answers at ${url}`);
}
