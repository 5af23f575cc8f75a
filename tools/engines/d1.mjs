// workerd with the gateway Worker and as many empty D1 databases as wanted, for tests and development.
// node tools/engines/d1.mjs PORT FOLDER NAME…   The token comes from GATEWAY_TOKEN. Ends when standard input does.
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

const [port, folder, ...names] = process.argv.slice(2);
const gateway = new Miniflare({
  modules: true,
  scriptPath: fileURLToPath(new URL("../../gateway/src/index.js", import.meta.url)),
  host: "127.0.0.1",
  port: Number(port),
  compatibilityDate: "2026-04-01",
  bindings: { TOKEN: process.env.GATEWAY_TOKEN ?? "" },
  d1Databases: Object.fromEntries(names.map((name) => [name, name])),
  d1Persist: folder,
});
console.log(`ready ${(await gateway.ready).origin}`);

async function end() {
  await gateway.dispose();
  process.exit(0);
}
process.on("SIGTERM", end);
process.on("SIGINT", end);
process.stdin.on("end", end).resume();
