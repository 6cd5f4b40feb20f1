// Loaded into every instance before its own code. Keeps it on this machine: the framework listens
// on all interfaces, where anyone in the network could pass the front by. Tells the front on which
// port. And ends it, with all it started, when the front is gone, however that ended.
import { type AddressInfo, Server } from "node:net";

const LOOPBACK = "127.0.0.1";
type Listen = (this: Server, ...args: unknown[]) => Server;

const listen = Server.prototype.listen as Listen;
Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
  const [port, host] = args;
  const isPortAlone = ["number", "string"].includes(typeof port) && typeof host !== "string";
  if (isPortAlone)
    // Told, not asked for: a port that is free now may be another's a moment later.
    this.once("listening", () => {
      process.send?.({ port: (this.address() as AddressInfo).port });
    });
  return listen.apply(this, isPortAlone ? [port, LOOPBACK, ...args.slice(1)] : args);
} as Server["listen"];

process.on("disconnect", () => {
  // An instance leads its process group.
  process.kill(-process.pid, "SIGKILL");
});
