// How commands write sizes.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
/** Such as `1.5 MiB`. */
export const inUnits = (bytes: number): string => {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 ? amount : amount.toFixed(1)} ${UNITS[power]}`;
};
