/** What is to become of stored recordings. */

/** Ages of an object in days; each absent one asks for nothing. */
export interface LifecycleDays {
  /** To the class STANDARD_IA. */
  readonly infrequent?: number | undefined;
  /** To the class GLACIER. */
  readonly archive?: number | undefined;
  readonly remove?: number | undefined;
  /** Uploads that were begun and never completed, whose parts are paid for. */
  readonly abort?: number | undefined;
}

export interface Replication {
  /** Name or ARN of the bucket that gets a copy of everything new. */
  readonly bucket: string;
  /** ARN of the role that S3 takes on for it. */
  readonly role: string;
}

/** What one feature came to: it is as wanted, or the server said no, in its words. */
export interface PolicyOutcome {
  readonly feature: 'infrequent' | 'archive' | 'remove' | 'abort' | 'replication';
  readonly state: 'applied' | 'unchanged' | 'refused';
  /** What the server said. */
  readonly reason?: string;
}

export interface PolicyReport {
  readonly location: string;
  readonly outcomes: readonly PolicyOutcome[];
}
