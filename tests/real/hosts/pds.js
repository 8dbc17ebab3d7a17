// A Bluesky PDS, by its settings in the environment. Usage: node pds.js, with NODE_PATH naming @atproto/pds.
const { PDS, envToCfg, envToSecrets, readEnv } = require("@atproto/pds");
(async () => {
  const env = readEnv();
  const pds = await PDS.create(envToCfg(env), envToSecrets(env));
  await pds.start();
  process.on("SIGTERM", async () => { await pds.destroy(); process.exit(0); });
})().catch((error) => { console.error(error); process.exit(1); });
