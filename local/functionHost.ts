// What an instance runs on one machine: the same function, with the way out of the machine replaced
// by stand-ins where LOCAL_HOSTS names them. Production code has no such switch.
// Ends with its parent, however that one ended.
import { serve } from "#functions/serve.ts";
import { localNet } from "./net.ts";

process.on("disconnect", () => process.exit(1));

serve(process.env["FUNCTION_TARGET"] ?? "", { net: localNet(process.env["LOCAL_HOSTS"]) });
