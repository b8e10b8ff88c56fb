import { FolderObjectStore } from './folder.ts';
import { type SignedGet, signGet, verifyGet } from './signed-url.ts';
import type { ByteRange, ObjectInfo, ObjectStore, OpenedObject, PresignOptions } from './types.ts';

export interface ObjectLinksOptions {
  /** Key of the signatures; at least 16 characters. Of a folder it is the store's own. */
  readonly secret: string;
  /** Milliseconds since the epoch; `Date.now` unless given. */
  readonly now?: () => number;
  /** Other stores, by what keys of their objects begin with in links. */
  readonly mounts?: Readonly<Record<string, ObjectStore>>;
}

/** What a GET of a link answers: bytes of a folder, or where an S3 gives them. */
export type LinkedObject =
  | (OpenedObject & { readonly downloadName?: string })
  | { readonly redirect: string };

/**
 * Links to objects under the server's own URL, of the same form whichever store they are in, that carry their own
 * permission. Objects of an S3 do not pass through the server: it sends who follows the link there.
 */
export class ObjectLinks {
  readonly #store: ObjectStore;
  readonly #secret: string;
  readonly #now: () => number;
  readonly #mounts: Readonly<Record<string, ObjectStore>>;

  constructor(store: ObjectStore, { secret, now = Date.now, mounts = {} }: ObjectLinksOptions) {
    this.#store = store;
    this.#secret = secret;
    this.#now = now;
    this.#mounts = mounts;
  }

  /**
   * Path and query, to be resolved against the server's URL.
   * @throws MeetError `bad-request` for a key or time that cannot be
   */
  sign(key: string, options: PresignOptions): string {
    return signGet(this.#secret, key, options, this.#now());
  }

  /** @throws MeetError `forbidden` when the URL is forged or has expired */
  verify(url: string): SignedGet {
    return verifyGet(this.#secret, url, this.#now());
  }

  /** The object of a link, without its bytes. @throws MeetError also as the store does */
  head(url: string): Promise<ObjectInfo | undefined> {
    const { store, key } = this.#find(this.verify(url).key);
    return store.head(key);
  }

  /** @throws MeetError as {@link verify} and the store do; `range-not-satisfiable` */
  async open(url: string, range?: ByteRange): Promise<LinkedObject> {
    const { key: name, downloadName, expiresAt } = this.verify(url);
    const { store, key } = this.#find(name);
    const named = downloadName === undefined ? {} : { downloadName };
    if (store instanceof FolderObjectStore) return { ...(await store.get(key, range)), ...named };
    // As long as the link itself: players come back for more of a long recording.
    const expiresInSeconds = Math.max(1, Math.ceil((expiresAt - this.#now()) / 1000));
    return { redirect: await store.presignGet(key, { expiresInSeconds, ...named }) };
  }

  #find(key: string): { store: ObjectStore; key: string } {
    for (const [prefix, store] of Object.entries(this.#mounts)) {
      if (key.startsWith(prefix)) return { store, key: key.slice(prefix.length) };
    }
    return { store: this.#store, key };
  }
}
