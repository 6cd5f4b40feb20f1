// Which project a command is for, and where in it: said in every command, whatever gcloud is set up with.
import type { Settings } from "./settings.ts";

type Place = Pick<Settings, "projectId" | "region">;

export const inProject = ({ projectId }: Pick<Place, "projectId">): string =>
  `--project=${projectId}`;

/** As Cloud Run calls it. */
export const inRegion = (place: Place): string[] => [`--region=${place.region}`, inProject(place)];

/** As Artifact Registry and Cloud Scheduler call it. */
export const inLocation = (place: Place): string[] => [
  `--location=${place.region}`,
  inProject(place),
];
