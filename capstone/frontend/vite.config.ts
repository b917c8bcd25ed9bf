/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

// In development, `newsreco serve --demo` answers under /api, as if it were of the same origin.
export default defineConfig(({ mode }) => ({
  plugins: [react()],
  server: { proxy: { "/api": loadEnv(mode, ".", "NEWSRECO_API").NEWSRECO_API ?? "http://127.0.0.1:8000" } },
  // An inlined file would be a data: URL, which the service's content security policy forbids.
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: "tests/setup.ts",
    testTimeout: 60_000,
  },
}));
