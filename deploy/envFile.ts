// `.env` and `.env.yaml`, which say the same: names with text.
import { parseEnv } from "node:util";
import { parseDocument } from "yaml";
import { z } from "zod";

/** Says what is not as it should be, and where. */
export class BadEnvFile extends Error {
  override name = "BadEnvFile";
}

const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const Variables = z.record(z.string(), Scalar);

const parseYaml = (file: string, text: string): Record<string, string> => {
  // "core" has no dates and no octal numbers; texts stay as they are written.
  const document = parseDocument(text, { schema: "core", prettyErrors: true });
  const [problem] = document.errors;
  if (problem) throw new BadEnvFile(`${file}: ${problem.message.split("\n")[0] ?? ""}`);
  const read = Variables.safeParse(document.toJS() ?? {});
  if (!read.success) {
    const names = read.error.issues.map(({ path }) => path.join(".")).filter(Boolean);
    throw new BadEnvFile(`${file}: write NAME: value, each a text (${names.join(", ") || "top"}).`);
  }
  return Object.fromEntries(
    Object.entries(read.data).map(([name, value]) => [name, value === null ? "" : String(value)]),
  );
};

/** By the file's ending. @throws {BadEnvFile} */
export const parseEnvFile = (file: string, text: string): Record<string, string> =>
  /\.ya?ml$/.test(file)
    ? parseYaml(file, text)
    : Object.fromEntries(
        Object.entries(parseEnv(text)).map(([name, value]) => [name, value ?? ""]),
      );

/** In quotes that the value does not hold itself; in double ones, `\n` would be read as a new line. */
const quoted = (value: string): string => {
  const mark = ["'", "`", '"'].find((one) => !value.includes(one)) ?? '"';
  return `${mark}${value}${mark}`;
};

/** Names with their values as lines of `.env`; each value is one that `canBeWritten`. */
export const writeEnvFile = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${quoted(value)}\n`)
    .join("");

/**
 * Whether `.env` can say it. Not where all three kinds of quotes are in it, or a backslash at its end
 * takes the closing quote for text, so that the line after it is read as well.
 */
export const canBeWritten = (value: string): boolean => {
  const read = parseEnv(writeEnvFile({ A: value, B: value }));
  return read["A"] === value && read["B"] === value && !/\r|\\$/.test(value);
};
