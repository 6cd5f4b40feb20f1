// The image's root file system without Docker: Debian's smallest set by mmdebstrap, and on it the steps of
// the Dockerfile, from the same files. Only Node comes another way: the project's own, which is the one
// that the Dockerfile names (imageFiles.test.ts compares), as npm brings it.
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Image } from "./dockerfile.ts";
import { packImage } from "./packImage.ts";

const run = promisify(execFile);
const PROJECT = fileURLToPath(new URL("..", import.meta.url));

/** As Docker has it where an image says nothing else. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Lines of a sources.list, as Debian's own image has them. */
export const debianSources = (release: string): string[] => [
  `deb http://deb.debian.org/debian ${release} main`,
  `deb http://deb.debian.org/debian ${release}-updates main`,
  `deb http://security.debian.org/debian-security ${release}-security main`,
];

/** Runs a program, and shows what it printed only where it fails. */
const runQuietly = async (program: string, args: readonly string[]): Promise<string> => {
  try {
    return (await run(program, args, { maxBuffer: 64 * 1024 ** 2 })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} failed:\n${stdout}${stderr}`, { cause: error });
  }
};

/** A command that runs another in the image, as Docker would. @param account default the image's */
export const inImage = (
  image: Image,
  root: string,
  command: readonly string[],
  account = image.user,
): string[] => [
  "/usr/sbin/chroot",
  `--userspec=${account}`,
  root,
  "/usr/bin/env",
  ...Object.entries({ PATH, ...image.env }).map(([name, value]) => `${name}=${value}`),
  "/bin/sh",
  "-c",
  'cd "$0" && exec "$@"',
  image.workdir,
  ...command,
];

export const mount = async (folder: string, args: readonly string[]): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await runQuietly("mount", [...args, folder]);
};

export const umount = async (folder: string): Promise<void> => {
  await runQuietly("umount", [folder]);
};

const sizeBytes = async (path: string): Promise<number> =>
  Number.parseInt(await runQuietly("du", ["--summarize", "--block-size=1", path]), 10);

/** What each layer of the image has in it, in bytes on disk. */
export interface Layers {
  debian: number;
  packages: number;
  node: number;
  app: number;
  compiled: number;
}

/**
 * Needs root, mmdebstrap, Debian's mirror, and a mount namespace of its own.
 * @param root a folder that is not there
 */
export const makeRoot = async (image: Image, root: string): Promise<Layers> => {
  // Before our steps, and without what mmdebstrap takes away again itself: /dev/shm, for one, is this machine's.
  const passing = ["var/lib/apt/lists", "var/cache/apt"];
  const exclude = passing.map((path) => `--exclude="$1/${path}"`).join(" ");
  const sizeFile = `${root}.size`;
  await runQuietly("mmdebstrap", [
    "--variant=minbase",
    `--dpkgopt=${join(PROJECT, "deploy/image/dpkg.cfg")}`,
    `--customize-hook=du --one-file-system --summarize --block-size=1 ${exclude} "$1" > "${sizeFile}"`,
    `--customize-hook=copy-in ${join(PROJECT, "deploy/image")} /tmp`,
    '--customize-hook=chroot "$1" sh /tmp/image/install.sh',
    '--customize-hook=rm -r "$1/tmp/image"',
    image.debianRelease,
    root,
    ...debianSources(image.debianRelease),
  ]);
  const debian = Number.parseInt(await readFile(sizeFile, "utf8"), 10);
  await rm(sizeFile);
  const packages = (await sizeBytes(root)) - debian;

  const node = join(root, "usr/local/bin/node");
  await copyFile(process.execPath, node);
  const app = join(root, "app");
  await packImage(app);
  const appBytes = await sizeBytes(app);

  const project = join(root, "src");
  await mount(project, ["--bind", "-o", "ro", PROJECT]);
  await mount(join(root, "proc"), ["-t", "proc", "proc"]);
  const compile = ["sh", "/src/deploy/image/compile.sh", ...image.command];
  const [program = "", ...args] = inImage(image, root, compile, "0:0");
  await runQuietly(program, args);
  await umount(join(root, "proc"));
  await umount(project);
  await rm(project, { recursive: true });
  return {
    debian,
    packages,
    node: await sizeBytes(node),
    app: appBytes,
    compiled: (await sizeBytes(app)) - appBytes,
  };
};
