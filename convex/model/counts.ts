// The counts that are kept beside tables, so that counting reads no rows. Each is a component mounted
// by convex.config.ts; the file that writes the table keeps it.
import { DirectAggregate } from "@convex-dev/aggregate";
import type { Id } from "../_generated/dataModel.js";
import { components } from "../_generated/api.js";
import type { LibraryStatus } from "../tables/library.ts";

/** Videos by owner and library status; kept by model/library/status.ts. Nobody's are under "". */
export const libraryVideos = new DirectAggregate<{
  Namespace: string;
  Key: LibraryStatus;
  Id: Id<"videos">;
}>(components.libraryVideos);
