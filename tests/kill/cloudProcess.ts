// The whole local cloud as a process of its own, to be killed: `node cloudProcess.ts OPTIONS`, which are
// those of `startCloud` as JSON. Says where it is on standard output; ends on SIGTERM.
import { type CloudOptions, startCloud } from "#local/cloud.ts";
import { LOCAL_PERSON } from "#local/people.ts";

const cloud = await startCloud(JSON.parse(process.argv[2] ?? "{}") as CloudOptions);
const { origin, apiKey, convexUrl, storageOrigin, bucket, projectId } = cloud;
const [personToken, serviceToken] = await Promise.all([
  cloud.personToken({ name: LOCAL_PERSON }),
  cloud.serviceToken(),
]);
process.once("SIGTERM", () => void cloud.close());
const addresses = { origin, convexUrl, storageOrigin };
process.stdout.write(
  `${JSON.stringify({ ...addresses, apiKey, bucket, projectId, personToken, serviceToken })}\n`,
);
