// `npm run demo`: makes a sample stream of two minutes and analyses it, with no network and no model.
import { join } from "node:path";
import { generateSample } from "../../samples/generateSample.ts";
import { main } from "./analyze.ts";

const SEED = 1;
const SAMPLE_DIR = join(".klipstream", "sample");
const OUT_DIR = join("out", "demo");

process.stderr.write("Making the sample stream …\n");
const sample = await generateSample({ seed: SEED, outDir: SAMPLE_DIR });
process.exitCode = await main([
  sample.videoPath,
  "--chat",
  sample.chatPath,
  "--captions",
  sample.captionsPath,
  "--out",
  OUT_DIR,
]);
