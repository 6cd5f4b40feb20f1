// Real inputs kept beside the project, not in it. A test that needs one and does not find it is
// skipped, with the file's name in its title.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Fixture {
  name: string;
  path: string;
  present: boolean;
}

/** @param name path below the fixtures' folder, such as `media/talk.mp4` */
export const fixture = (name: string): Fixture => {
  const path = fileURLToPath(new URL(`../../shared/fixtures/${name}`, import.meta.url));
  return { name, path, present: existsSync(path) };
};
