/** Writes down what hosts do and who is let in or refused, and gives it to hosts to read. */
import type { AuditEntry, AuditQuery, AuditReply } from '../../protocol/audit.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { Role } from '../../protocol/model.ts';
import type { AuditRecord, NewAuditRecord, Store } from '../store/index.ts';

const DEFAULT_LIMIT = 100;

/** Who did or tried something, as far as it is known. */
export interface Somebody {
  readonly participantId: string | null;
  readonly userId: string | null;
  readonly name: string | null;
  readonly role: Role | null;
  readonly address: string | null;
}

export interface Decision {
  readonly meetingId: string;
  readonly actor: Somebody;
  readonly action: string;
  readonly target?: { readonly id: string; readonly name: string | null } | undefined;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export class AuditLog {
  readonly #store: Store;
  readonly #waiting: NewAuditRecord[] = [];
  /** The group that still takes entries. */
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Resolves when it is stored: what is done next has its entry already. */
  allowed(decision: Decision): Promise<void> {
    return this.#append(decision, null);
  }

  /** The same for what is refused with this error. */
  refused(decision: Decision, error: unknown): Promise<void> {
    return this.#append(decision, MeetError.from(error).code);
  }

  /** Carries something out that makes its own entry when it goes well, and notes its refusal. */
  async watch<T>(decision: Decision, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      await this.refused(decision, error);
      throw error;
    }
  }

  async page(meetingId: string, { after = 0, limit = DEFAULT_LIMIT }: AuditQuery): Promise<AuditReply> {
    // One more than asked for tells whether there are others.
    const records = await this.#store.audit.page(meetingId, { after, limit: limit + 1 });
    return { entries: records.slice(0, limit).map(entryOf), more: records.length > limit };
  }

  /** Entries of one turn of the event loop go together, and groups one after the other: numbers are in their order. */
  #append({ meetingId, actor, action, target, detail }: Decision, code: string | null): Promise<void> {
    this.#waiting.push({
      meetingId,
      at: Date.now(),
      actorId: actor.participantId,
      actorUserId: actor.userId,
      actorName: actor.name,
      actorRole: actor.role,
      address: actor.address,
      action,
      targetId: target?.id ?? null,
      targetName: target?.name ?? null,
      outcome: code === null ? 'allowed' : 'refused',
      code,
      detail: detail === undefined || Object.keys(detail).length === 0 ? null : detail,
    });
    this.#next ??= this.#write();
    return this.#next;
  }

  async #write(): Promise<void> {
    const before = this.#last;
    const written = (async () => {
      await before;
      await new Promise((resolve) => setImmediate(resolve));
      this.#next = undefined;
      await this.#store.audit.append(this.#waiting.splice(0));
    })();
    this.#last = written.catch(() => {});
    await written;
  }
}

function entryOf(record: AuditRecord): AuditEntry {
  const { id, at, actorId, actorUserId, actorName, actorRole, address, action } = record;
  const { targetId, targetName, outcome, code, detail } = record;
  return {
    id,
    at,
    actor: { participantId: actorId, userId: actorUserId, name: actorName, role: actorRole, address },
    action,
    target: targetId === null ? null : { participantId: targetId, name: targetName },
    outcome,
    code,
    detail,
  };
}
