// What the Dockerfile says of the image, for those who make the same without Docker.
import { readFileSync } from "node:fs";
import { z } from "zod";

const Image = z.object({
  nodeVersion: z.string().regex(/^\d+\.\d+\.\d+$/),
  debianRelease: z.string().regex(/^[a-z]+$/),
  /** Beside what instances are given. */
  env: z.record(z.string(), z.string()),
  workdir: z.string().startsWith("/"),
  /** `uid:gid` that instances run under. */
  user: z.string().regex(/^\d+:\d+$/),
  /** What an instance runs. */
  command: z.tuple([z.literal("node"), z.string()], z.string()),
});
export type Image = z.infer<typeof Image>;

const DOCKERFILE = new URL("../Dockerfile", import.meta.url);

/**
 * Only of the form that ours has: an instruction a line, `NAME=value` without quotes, `CMD` as JSON.
 * @throws {z.ZodError} where something of it is missing
 */
export const readDockerfile = (text = readFileSync(DOCKERFILE, "utf8")): Image => {
  const instructions = text
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, name = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name, rest };
    });
  const argument = (name: string) =>
    instructions
      .find((one) => one.name === "ARG" && one.rest.startsWith(`${name}=`))
      ?.rest.slice(name.length + 1);
  const last = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"));
  const value = (name: string) => last.findLast((one) => one.name === name)?.rest;
  const env = last
    .filter(({ name }) => name === "ENV")
    .flatMap(({ rest }) => rest.split(/\s+/))
    .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  return Image.parse({
    nodeVersion: argument("NODE_VERSION"),
    debianRelease: argument("DEBIAN_RELEASE"),
    env: Object.fromEntries(env) as Record<string, string>,
    workdir: value("WORKDIR"),
    user: value("USER"),
    command: JSON.parse(value("CMD") ?? "null") as unknown,
  });
};
