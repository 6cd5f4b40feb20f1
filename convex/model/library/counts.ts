// The count that is kept beside the videos, so that counting reads no rows: a component mounted
// by convex.config.ts, kept by the file that writes the table.
import { DirectAggregate } from "@convex-dev/aggregate";
import type { Id } from "../../_generated/dataModel.js";
import { components } from "../../_generated/api.js";
import type { LibraryStatus } from "../../tables/library.ts";

/** Videos by owner and library status; kept by status.ts. Nobody's are under "". */
export const libraryVideos = new DirectAggregate<{
  Namespace: string;
  Key: LibraryStatus;
  Id: Id<"videos">;
}>(components.libraryVideos);
