// Our fields are camelCase inside and snake_case in what people get; these change the keys, all the
// way down, and nothing else. Keys that are data (stage names) have neither capitals nor underscores
// that would be lost on the way back; signals, which have, are values in all that passes here.

const mapKeys = (value: unknown, rename: (key: string) => string): unknown => {
  if (Array.isArray(value)) return value.map((item) => mapKeys(item, rename));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [rename(key), mapKeys(item, rename)]),
  );
};

export const toSnakeCase = (value: unknown): unknown =>
  mapKeys(value, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));

export const toCamelCase = (value: unknown): unknown =>
  mapKeys(value, (key) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
