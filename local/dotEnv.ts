// Settings from `.env` of the folder one is in, where there is one; what the environment has already,
// stays. Node's own flag for it says that a file is missing where nobody asked for one.
import { existsSync } from "node:fs";
import { loadEnvFile } from "node:process";

if (existsSync(".env")) loadEnvFile(".env");
