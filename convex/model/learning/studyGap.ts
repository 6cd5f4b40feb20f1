// What a course drafted from a video lacks because its notes or quiz were not made, for whoever
// wonders where they are.
import type { Doc } from "../../_generated/dataModel.js";
import { isBlank } from "../plainValue.ts";

/** A sentence; null where notes and quiz are there and of the last try. */
export const studyGap = ({
  notes,
  quiz,
  study,
}: Pick<Doc<"videos">, "notes" | "quiz" | "study">): string | null => {
  const missing = [...(isBlank(notes) ? ["notes"] : []), ...(isBlank(quiz) ? ["quiz"] : [])];
  const why = study?.errorMessage === undefined ? "" : ` ${study.errorMessage}`;
  if (missing.length === 0) {
    const isOld = study?.state === "failed";
    return isOld ? `The notes and quiz may be old: making them anew failed.${why}` : null;
  }
  const gap = `It has no ${missing.join(" and no ")}`;
  if (study?.state === "failed") return `${gap}: making them failed.${why}`;
  if (study?.state === "processing") return `${gap} yet: they are being made.`;
  return `${gap}.`;
};
