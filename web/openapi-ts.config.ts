import { defineConfig } from "@hey-api/openapi-ts";

export default defineConfig({
  input: "openapi.json",
  output: { path: process.env.COUNTERSIGN_API_OUT ?? "src/api/generated", clean: true },
  plugins: [{ name: "@hey-api/typescript", enums: false }],
});
