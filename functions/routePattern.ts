// A route of the catalog as a pattern: `:name` is one segment of the path, `*name` all that follows.

const piece = (segment: string): string => {
  const name = segment.slice(1);
  if (segment.startsWith(":")) return `(?<${name}>[^/]+)`;
  if (segment.startsWith("*")) return `(?<${name}>.+?)`;
  return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
};

export const routePattern = (path: string): RegExp =>
  new RegExp(`^${path.split("/").map(piece).join("/")}/?$`);
