/** Shows and writes what is to become of the recordings at a location. */
import type { S3ClientOptions } from '../../../objects/client.ts';
import { formatObjectLocation, type S3Location } from '../../../objects/location.ts';
import { Bucket, isRefusal } from './bucket.ts';
import { applyLifecycle, sentence } from './lifecycle.ts';
import { applyReplication } from './replication.ts';
import type { LifecycleDays, PolicyReport, Replication } from './types.ts';

export interface ShownRule {
  readonly id: string;
  readonly prefix: string;
  readonly enabled: boolean;
  readonly does: string;
}

export interface ShownPolicy {
  readonly location: string;
  /** The rules, or the server's words where it has no such thing. */
  readonly lifecycle: readonly ShownRule[] | { readonly refused: string };
  readonly replication: readonly ShownRule[] | { readonly refused: string };
}

/** @throws MeetError when the bucket is not there or does not answer */
export async function showPolicy(location: S3Location, options: S3ClientOptions = {}): Promise<ShownPolicy> {
  return await withBucket(location, options, async (bucket) => {
    const lifecycle = await bucket.lifecycle();
    const replication = await bucket.replication();
    return {
      location: formatObjectLocation(location),
      lifecycle: isRefusal(lifecycle)
        ? lifecycle
        : lifecycle.map((rule) => ({
            id: rule.ID ?? '',
            prefix: rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? '',
            enabled: rule.Status === 'Enabled',
            does: sentence(rule),
          })),
      replication: isRefusal(replication)
        ? replication
        : (replication?.Rules ?? []).map((rule) => ({
            id: rule.ID ?? '',
            prefix: rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? '',
            enabled: rule.Status === 'Enabled',
            does: `copied to ${rule.Destination?.Bucket}`,
          })),
    };
  });
}

/** Safe to repeat. @throws MeetError when the bucket is not there or does not answer */
export async function applyPolicy(
  location: S3Location,
  policy: { readonly days: LifecycleDays; readonly replication?: Replication | undefined },
  options: S3ClientOptions = {},
): Promise<PolicyReport> {
  return await withBucket(location, options, async (bucket) => {
    const outcomes = await applyLifecycle(bucket, policy.days);
    if (policy.replication) outcomes.push(await applyReplication(bucket, policy.replication));
    return { location: formatObjectLocation(location), outcomes };
  });
}

async function withBucket<Result>(
  location: S3Location,
  options: S3ClientOptions,
  task: (bucket: Bucket) => Promise<Result>,
): Promise<Result> {
  const bucket = new Bucket(location, options);
  try {
    return await task(bucket);
  } finally {
    bucket.close();
  }
}
