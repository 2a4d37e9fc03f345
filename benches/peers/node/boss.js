// No-op jobs drained by pg-boss, which keeps what is done. Prints jobs for each second.
//   node boss.js COUNT
import PgBoss from "pg-boss";
import pg from "pg";

const count = Number(process.argv[2] ?? 30000);
const connectionString = process.env.PEER_DATABASE;
const boss = new PgBoss({ connectionString, max: 16 });
await boss.start();
await boss.createQueue("nothing");
const client = new pg.Client({ connectionString });
await client.connect();
for (let sent = 0; sent < count; sent += 1000) {
  await boss.insert(Array.from({ length: 1000 }, (_, n) => ({ name: "nothing", data: { n: sent + n } })));
}
await client.query("VACUUM ANALYZE");
const begun = performance.now();
// As fast as it goes by its own calls: batches fetched and completed by several workers beside each other.
const workers = Array.from({ length: 4 }, async () => {
  for (;;) {
    const jobs = await boss.fetch("nothing", { batchSize: 256 });
    if (jobs.length === 0) return;
    await boss.complete("nothing", jobs.map((job) => job.id));
  }
});
await Promise.all(workers);
console.log(Math.round((count / (performance.now() - begun)) * 1000));
process.exit(0);
