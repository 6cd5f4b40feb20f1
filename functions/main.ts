// What an instance on Cloud Run runs: the one function that FUNCTION_TARGET names.
// `functions-framework --source=functions/main.ts --target=$FUNCTION_TARGET`
import { serve } from "./serve.ts";

serve(process.env["FUNCTION_TARGET"] ?? "");
