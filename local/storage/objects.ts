// What can be done with objects, whichever API asks: every change checks its preconditions and
// replaces the row in one step that no other request can come between.
import type { Bucket, Catalog, Fields, StoredObject } from "./catalog.ts";
import type { Content, ContentFiles } from "./content.ts";
import { StorageFailure } from "./failure.ts";
import { bucketName, objectName } from "./names.ts";
import { checkPreconditions, type Preconditions } from "./preconditions.ts";

export interface Write {
  bucket: string;
  name: string;
  fields: Fields;
  conditions: Preconditions;
  /** Checksums that must be met. */
  expected?: { crc32c?: string; md5?: string };
  componentCount?: number;
}

/** Fields after a change: null removes, metadata is merged key by key. */
const mergeFields = (fields: Fields, change: Fields): Fields => {
  const { metadata, ...rest } = change;
  const next: Record<string, unknown> = { ...fields, ...rest };
  if (metadata === null) delete next["metadata"];
  else if (metadata) next["metadata"] = { ...fields.metadata, ...metadata };
  for (const [key, value] of Object.entries(next)) if (value === null) delete next[key];
  const merged = next as Fields;
  if (merged.metadata) {
    merged.metadata = Object.fromEntries(
      Object.entries(merged.metadata).filter(([, value]) => value !== null),
    );
  }
  return merged;
};

export const createObjects = (catalog: Catalog, files: ContentFiles, now: () => number) => {
  const bucket = (name: string): Bucket => {
    const found = catalog.bucket(bucketName(name));
    if (!found) throw new StorageFailure("noSuchBucket", "The specified bucket does not exist.");
    return found;
  };

  const get = (bucketOf: string, name: string, generation?: number): StoredObject => {
    bucket(bucketOf);
    const object = catalog.object(bucketOf, objectName(name));
    if (!object || (generation !== undefined && object.generation !== generation)) {
      throw new StorageFailure("noSuchKey", `No such object: ${bucketOf}/${name}`);
    }
    return object;
  };

  /** Refuses early what `commit` would refuse, before a long body is read. */
  const check = ({ bucket: bucketOf, name, conditions }: Write): void => {
    bucket(bucketOf);
    checkPreconditions(conditions, catalog.object(bucketOf, objectName(name)) ?? null);
  };

  /**
   * Makes `content` the object. `alongside` is written in the same transaction.
   * The content is removed again when the object is refused.
   */
  const commit = async (
    write: Write,
    content: Content,
    alongside: (object: StoredObject) => void = () => {},
  ): Promise<StoredObject> => {
    let replaced: StoredObject | undefined;
    try {
      const { expected = {} } = write;
      if (
        (expected.crc32c ?? content.crc32c) !== content.crc32c ||
        (expected.md5 && content.md5 && expected.md5 !== content.md5)
      ) {
        throw new StorageFailure(
          "badRequest",
          `Provided checksum does not match the object: crc32c ${content.crc32c}, md5 ${content.md5}.`,
        );
      }
      return catalog.transaction(() => {
        check(write);
        replaced = catalog.object(write.bucket, write.name);
        const atMs = now();
        const object: StoredObject = {
          bucket: write.bucket,
          name: write.name,
          generation: catalog.nextGeneration(),
          metageneration: 1,
          content,
          fields: mergeFields({}, write.fields),
          createdMs: atMs,
          updatedMs: atMs,
          ...(write.componentCount === undefined ? {} : { componentCount: write.componentCount }),
        };
        catalog.putObject(object);
        alongside(object);
        return object;
      });
    } catch (error) {
      replaced = undefined;
      await files.remove(content.id);
      throw error;
    } finally {
      if (replaced) await files.remove(replaced.content.id);
    }
  };

  return {
    bucket,
    get,
    check,
    commit,

    async put(write: Write, body: AsyncIterable<Uint8Array>): Promise<StoredObject> {
      check(write);
      return commit(write, await files.write(body));
    },

    /** Changes metadata; the bytes and their generation stay. */
    patch(
      bucketOf: string,
      name: string,
      change: Fields,
      conditions: Preconditions,
      mode: "merge" | "replace" = "merge",
    ): StoredObject {
      return catalog.transaction(() => {
        const object = get(bucketOf, name);
        checkPreconditions(conditions, object);
        const next: StoredObject = {
          ...object,
          metageneration: object.metageneration + 1,
          updatedMs: now(),
          fields: mergeFields(mode === "merge" ? object.fields : {}, change),
        };
        catalog.putObject(next);
        return next;
      });
    },

    async delete(bucketOf: string, name: string, conditions: Preconditions, generation?: number) {
      const object = get(bucketOf, name, generation);
      checkPreconditions(conditions, object);
      catalog.deleteObject(bucketOf, name);
      await files.remove(object.content.id);
    },

    /** Copies; `fields` replaces the metadata where it is given. */
    async copy(
      source: StoredObject,
      write: Omit<Write, "fields"> & { fields: Fields | undefined },
    ): Promise<StoredObject> {
      const fields = write.fields ?? source.fields;
      check({ ...write, fields });
      const { componentCount } = source;
      const content = await files.duplicate(source.content);
      if (!content) {
        throw new StorageFailure("noSuchKey", `No such object: ${source.bucket}/${source.name}`);
      }
      return commit(
        { ...write, fields, ...(componentCount === undefined ? {} : { componentCount }) },
        content,
      );
    },

    /** Joins objects of one bucket; as in Cloud Storage the result has no md5. */
    async compose(sources: StoredObject[], write: Write): Promise<StoredObject> {
      check(write);
      // All opened now: what is replaced or deleted meanwhile is still read.
      const parts = sources.map(({ content }) => files.read(content.id));
      const join = async function* () {
        for (const part of parts) yield* part;
      };
      const { md5: _, ...content } = await files.write(join()).finally(() => {
        for (const part of parts) part.destroy();
      });
      return commit(
        {
          ...write,
          componentCount: sources.reduce((sum, source) => sum + (source.componentCount ?? 1), 0),
        },
        { ...content, md5: undefined },
      );
    },

    createBucket(name: string, config: Record<string, unknown>): Bucket {
      if (catalog.bucket(bucketName(name))) {
        throw new StorageFailure("conflict", "A bucket of this name exists already.");
      }
      const made: Bucket = { name, createdMs: now(), config, metageneration: 1 };
      catalog.putBucket(made);
      return made;
    },
    patchBucket(name: string, change: Record<string, unknown>): Bucket {
      const current = bucket(name);
      const config = { ...current.config, ...change };
      for (const [key, value] of Object.entries(config)) if (value === null) delete config[key];
      const next = { ...current, config, metageneration: current.metageneration + 1 };
      catalog.putBucket(next);
      return next;
    },
    deleteBucket(name: string): void {
      bucket(name);
      if (catalog.objects(name, "", 1).length > 0) {
        throw new StorageFailure("conflict", "The bucket you tried to delete is not empty.");
      }
      catalog.deleteBucket(name);
    },
    listBuckets: (after: string, limit: number) => catalog.buckets(after, limit),
  };
};

export type Objects = ReturnType<typeof createObjects>;
