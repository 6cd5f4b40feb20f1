// Structured logs as Cloud Logging reads them: one JSON object a line on standard output.
// Fields are named by us one by one; nothing from outside is ever logged whole.

type Fields = Record<string, string | number | boolean | undefined>;

export interface Log {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same log with these fields on every line. */
  with(fields: Fields): Log;
}

export const createLog = (
  base: Fields = {},
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Log => {
  const at =
    (severity: string) =>
    (message: string, fields: Fields = {}) =>
      write(JSON.stringify({ severity, message, ...base, ...fields }));
  return {
    info: at("INFO"),
    warn: at("WARNING"),
    error: at("ERROR"),
    with: (fields) => createLog({ ...base, ...fields }, write),
  };
};
