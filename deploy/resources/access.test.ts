// Who may call what, where more is open than should be.
import { expect, it } from "vitest";
import { functionSpec } from "#functions/catalog.ts";
import { emptyState } from "../shim/state.ts";
import { applyTo } from "../shim/world.ts";

const invokersOf = (state: ReturnType<typeof emptyState>, name: string) =>
  state.policies[`service klipstream-${name}`]?.bindings.flatMap(({ members }) => members);

it("closes a function that was public, and leaves what else was granted", async () => {
  const state = emptyState();
  const status = functionSpec("status");
  await applyTo(state, { release: { catalog: [status] } });
  expect(invokersOf(state, "status")).toEqual(["allUsers"]);
  const bindings = state.policies["service klipstream-status"]?.bindings ?? [];
  bindings.push({ role: "roles/run.viewer", members: ["user:me@example.com"] });

  const closed = { release: { catalog: [{ ...status, public: false }] } };
  await applyTo(state, closed);
  expect(invokersOf(state, "status")).toEqual([
    "user:me@example.com",
    "serviceAccount:klipstream-push@sample-project.iam.gserviceaccount.com",
  ]);
  expect((await applyTo(state, closed)).changes).toEqual([]);
});
