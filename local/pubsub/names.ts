// Full names of topics and subscriptions: `projects/{project}/{kind}/{id}`, checked as Pub/Sub does.
import { RpcError } from "./rpcError.ts";

const ID = /^[A-Za-z][\w.~+%-]{2,254}$/;
const PROJECT = /^[a-z][a-z0-9.:-]{1,99}$/;

/** What a subscription names as its topic once that topic is gone. */
export const DELETED_TOPIC = "_deleted-topic_";

const check = (kind: "topics" | "subscriptions", name: string): string => {
  const [projects, project = "", collection, id = "", ...rest] = name.split("/");
  const valid =
    projects === "projects" &&
    collection === kind &&
    rest.length === 0 &&
    PROJECT.test(project) &&
    ID.test(id) &&
    !id.startsWith("goog");
  if (!valid) {
    throw new RpcError(
      "INVALID_ARGUMENT",
      `Invalid resource name ${JSON.stringify(name.slice(0, 300))}: expected projects/{project}/${kind}/{id}, the id of 3 to 255 letters, digits and -_.~+%, beginning with a letter.`,
    );
  }
  return name;
};

/** @throws {RpcError} INVALID_ARGUMENT */
export const topicName = (name: string): string => check("topics", name);
/** @throws {RpcError} INVALID_ARGUMENT */
export const subscriptionName = (name: string): string => check("subscriptions", name);

/** The project of a full name. */
export const projectOf = (name: string): string => name.split("/")[1] ?? "";

/** `projects/{project}` → the beginning that the names of its topics or subscriptions share. */
export const projectPrefix = (project: string, kind: "topics" | "subscriptions"): string => {
  if (!/^projects\/[^/]+$/.test(project)) {
    throw new RpcError("INVALID_ARGUMENT", `Invalid project ${JSON.stringify(project)}.`);
  }
  return `${project}/${kind}/`;
};
