// The stand-in without a process for each command, and told when to fail; what tests run against.
import type { Command } from "../resource.ts";
import { CommandFailed, type Tools } from "../tools.ts";
import { runConvex } from "./convex.ts";
import { Refused } from "./flags.ts";
import { isMutation, runGcloud } from "./shim.ts";
import type { State } from "./state.ts";

export interface Recorded extends Tools {
  /** Every command, in order. */
  commands: Command[];
  /** Those of them that changed something. */
  mutations: Command[];
}

const changes = ({ tool, args }: Command): boolean =>
  tool === "gcloud" ? isMutation(args) : args[0] === "deploy" || args[1] === "set";

/** @param failAt number of the change that fails, from 1; default none does */
export const shimTools = (state: State, failAt = Infinity): Recorded => {
  const commands: Command[] = [];
  const mutations: Command[] = [];
  const execute = (command: Command): string => {
    commands.push(command);
    if (changes(command)) {
      if (mutations.length + 1 >= failAt) throw new Refused("the network is down");
      mutations.push(command);
    }
    const { args, files = {}, secretInput } = command;
    const request = {
      args,
      input: secretInput?.text ?? "",
      file: (path: string) => {
        const content = files[path.replaceAll(/[{}]/g, "")];
        if (content === undefined) throw new Refused(`There is no file ${path}.`);
        return content;
      },
    };
    return command.tool === "gcloud" ? runGcloud(state, request) : runConvex(state, request);
  };
  return {
    commands,
    mutations,
    run: async (command) => {
      // As from another process: nothing is there at once.
      await Promise.resolve();
      try {
        return execute(command);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        throw new CommandFailed(command, `ERROR: ${error.message}`);
      }
    },
  };
};
