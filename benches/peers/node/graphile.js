// No-op jobs drained by graphile-worker, which deletes what is done. Prints jobs for each second.
//   node graphile.js COUNT
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";

const count = Number(process.argv[2] ?? 30000);
const connectionString = process.env.PEER_DATABASE;
const utils = await makeWorkerUtils({ connectionString, logger: new Logger(() => () => {}) });
await utils.migrate();
const client = new pg.Client({ connectionString });
await client.connect();
for (let sent = 0; sent < count; sent += 1000) {
  await utils.addJobs(Array.from({ length: 1000 }, (_, n) => ({ identifier: "nothing", payload: { n: sent + n } })));
}
await client.query("VACUUM ANALYZE");
const begun = performance.now();
const runner = await run({
  connectionString,
  concurrency: 256,
  maxPoolSize: 16,
  noHandleSignals: true,
  logger: new Logger(() => () => {}),
  taskList: { nothing: async () => {} },
  preset: { worker: { localQueue: { size: 512 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
});
for (;;) {
  const { rows } = await client.query("SELECT count(*)::int AS n FROM graphile_worker._private_jobs");
  if (rows[0].n === 0) break;
  await new Promise((resolve) => setTimeout(resolve, 10));
}
console.log(Math.round((count / (performance.now() - begun)) * 1000));
await runner.stop();
process.exit(0);
