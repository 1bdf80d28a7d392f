import { copyFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    minify: false,
    emptyOutDir: true,
    outDir: path("../../target/worker"),
    lib: { entry: path("src/index.ts"), formats: ["es"], fileName: () => "worker.js" },
    // The runtime compiles the module when the worker is loaded, so it stays a file of its own.
    rollupOptions: { external: ["./scopegate.wasm"] },
  },
  plugins: [
    {
      name: "engine",
      closeBundle: () =>
        copyFileSync(path("../../target/engine/worker.wasm"), path("../../target/worker/scopegate.wasm")),
    },
  ],
});
