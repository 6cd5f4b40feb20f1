// The Chromium of the machine, driven by playwright-core. Where there is none, tests skip by name.
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A page that nobody looks at goes on at full speed.
  "--disable-renderer-backgrounding",
  "--disable-background-timer-throttling",
];

export const chromiumPath: string | undefined = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "chromium"))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** A browser with a profile of its own, which is gone with it. */
export const openBrowser = async (): Promise<BrowserContext & AsyncDisposable> => {
  const profile = await mkdtemp(join(tmpdir(), "klipstream-chromium-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath!,
    headless: true,
    args: ARGUMENTS,
  });
  browser.on("close", () => void rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  return browser;
};
