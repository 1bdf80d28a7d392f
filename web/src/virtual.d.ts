/** What `build/engine.ts` makes. */

declare module "virtual:engine" {
  /** The engine's WebAssembly module. */
  export const bytes: Uint8Array<ArrayBuffer>;
  /** The module's SHA-256, in hexadecimal digits. */
  export const sha256: string;
}
