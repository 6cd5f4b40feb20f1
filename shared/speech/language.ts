// Services name languages as they please: `en`, `en-US`, `english`. Ours are BCP 47 tags.

const letters = "abcdefghijklmnopqrstuvwxyz";

/** English names of all two-letter languages, in lower case. */
const codesByName = (): Map<string, string> => {
  const names = new Intl.DisplayNames("en", { type: "language", fallback: "none" });
  const codes = new Map<string, string>();
  for (const first of letters)
    for (const second of letters) {
      const name = names.of(first + second);
      if (name !== undefined && !codes.has(name.toLowerCase()))
        codes.set(name.toLowerCase(), first + second);
    }
  return codes;
};

let codes: Map<string, string> | undefined;

/** The tag of a language named any way; undefined where it is no language. */
export const languageTag = (name: string | null | undefined): string | undefined => {
  const wanted = name?.trim().replaceAll("_", "-") ?? "";
  if (wanted === "" || wanted.toLowerCase() === "und") return undefined;
  codes ??= codesByName();
  const byName = codes.get(wanted.toLowerCase());
  if (byName !== undefined) return byName;
  return /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(wanted)
    ? Intl.getCanonicalLocales(wanted)[0]
    : undefined;
};

/** What services take where they know no regions: `pt` of `pt-BR`. */
export const baseLanguage = (tag: string): string => tag.split("-")[0] as string;
