// The components the backend is built with. Each mounted aggregate is one set of counts, kept beside
// the tables that model/library/counts.ts and model/learning/aggregates.ts name.
import aggregate from "@convex-dev/aggregate/convex.config.js";
import migrations from "@convex-dev/migrations/convex.config.js";
import workpool from "@convex-dev/workpool/convex.config.js";
import { defineApp } from "convex/server";

const app = defineApp();
app.use(workpool, { name: "studyPool" });
app.use(migrations);
app.use(aggregate, { name: "libraryVideos" });
app.use(aggregate, { name: "courseEnrollments" });
app.use(aggregate, { name: "itemActivity" });

export default app;
