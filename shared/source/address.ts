// Which addresses a stranger may make us read. Pure, so that the HTTP function can refuse a bad
// one at once; the guarded fetch asks again for every connection.
import ipaddr from "ipaddr.js";
import { StageError } from "../contract/errors.ts";

/** Ports that media is commonly served on. */
const ALLOWED_PORTS = new Set([80, 443, 8000, 8080, 8081, 8443, 8888]);

/** Longest address that is looked at, in characters. */
export const MAX_URL_LENGTH = 4096;

/**
 * Whether an IP address belongs to the public internet. Of the IPv6 ranges that carry an IPv4
 * address inside (mapped, NAT64, 6to4, Teredo) none counts, whatever they carry.
 * @param text an address as a resolver gives it: IPv4 in dotted decimal, or IPv6 without brackets
 */
export const isPublicAddress = (text: string): boolean => {
  // Only the four-part decimal form of IPv4: others mean different things to different readers.
  if (ipaddr.IPv4.isValidFourPartDecimal(text))
    return ipaddr.IPv4.parse(text).range() === "unicast";
  if (text.includes("%") || !ipaddr.IPv6.isValid(text)) return false;
  const address = ipaddr.IPv6.parse(text);
  // Global unicast is 2000::/3; what lies outside is not assigned, or leads elsewhere (NAT64). The
  // library knows the tunnels and the documentation within.
  return address.range() === "unicast" && (address.parts[0] ?? 0) >> 13 === 1;
};

/** The host of a URL as a resolver and a TLS server name want it: IPv6 without brackets. */
const hostnameOf = (url: URL): string =>
  url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;

/** Whether the host is a literal IP address; `URL` has turned octal, hex and short forms to decimal. */
export const isIpLiteral = (hostname: string): boolean =>
  // The first look is for speed: a playlist names thousands of hosts.
  /^[\d.]+$|:/.test(hostname) &&
  (ipaddr.IPv4.isValidFourPartDecimal(hostname) || ipaddr.IPv6.isValid(hostname));

/** Names that never lead out of the machine or the local network. */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|lan|intranet|home\.arpa)\.?$/i;

/**
 * An address that may be fetched: http or https, an allowed port, no user name, and a host that is
 * not known to be private by its looks. Where the name leads is checked when it is connected to.
 * @throws {StageError} `invalid_url`, `private_address`
 */
export const checkUrl = (text: string, base?: string): URL => {
  if (text.length > MAX_URL_LENGTH) throw new StageError("invalid_url", "The address is too long.");
  const url = URL.parse(text, base);
  if (url === null) throw new StageError("invalid_url");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new StageError("invalid_url", "Only http and https addresses are read.");
  }
  if (url.username !== "" || url.password !== "") {
    throw new StageError("invalid_url", "An address with a user name or a password is not read.");
  }
  const hostname = hostnameOf(url);
  if (isIpLiteral(hostname) ? !isPublicAddress(hostname) : PRIVATE_NAME.test(hostname)) {
    throw new StageError("private_address");
  }
  if (!isIpLiteral(hostname) && !hostname.includes(".")) throw new StageError("private_address");
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  if (!ALLOWED_PORTS.has(port)) {
    throw new StageError("invalid_url", `Port ${port} is not one that videos are read from.`);
  }
  url.hash = "";
  return url;
};
