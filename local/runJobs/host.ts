// What an execution runs on one machine: the job's own process, with the way out of the machine
// replaced by stand-ins where LOCAL_HOSTS names them.
import { main } from "#functions/job.ts";
import { localNet } from "../net.ts";

await main({ net: localNet(process.env["LOCAL_HOSTS"]) });
