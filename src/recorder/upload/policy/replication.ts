/** A second bucket that gets a copy of every recording. */
import type { ReplicationConfiguration, ReplicationRule } from '@aws-sdk/client-s3';
import { type Bucket, isRefusal } from './bucket.ts';
import type { PolicyOutcome, Replication } from './types.ts';

const RULE = 'meet-recordings';

/**
 * Puts our rule for the location's prefix beside those of others.
 * @throws MeetError when the bucket is not there or does not answer
 */
export async function applyReplication(
  bucket: Bucket,
  { bucket: to, role }: Replication,
): Promise<PolicyOutcome> {
  const refused = (reason: string): PolicyOutcome => ({ feature: 'replication', state: 'refused', reason });
  const before = await bucket.replication();
  if (isRefusal(before)) return refused(before.refused);
  const { prefix } = bucket.location;
  const id = `${RULE}${prefix && `@${prefix}`}`;
  const others = before?.Rules?.filter(({ ID }) => ID !== id) ?? [];
  if (before !== undefined && others.length > 0 && before.Role !== role) {
    return refused(
      `The bucket's other replication rules use the role ${before.Role}, and there is one role for all.`,
    );
  }
  const known = before?.Rules?.find(({ ID }) => ID === id);
  const rule: ReplicationRule = {
    ID: id,
    Priority: known?.Priority ?? Math.max(0, ...others.map(({ Priority = 0 }) => Priority)) + 1,
    Status: 'Enabled',
    Filter: { Prefix: prefix },
    // What is removed here by mistake stays there.
    DeleteMarkerReplication: { Status: 'Disabled' },
    Destination: { Bucket: to.startsWith('arn:') ? to : `arn:aws:s3:::${to}` },
  };
  const isSame =
    known?.Status === 'Enabled' &&
    known.Destination?.Bucket === rule.Destination?.Bucket &&
    known.Filter?.Prefix === prefix &&
    before?.Role === role;
  if (isSame) return { feature: 'replication', state: 'unchanged' };
  const configuration: ReplicationConfiguration = { Role: role, Rules: [...others, rule] };
  const answer = await bucket.setReplication(configuration);
  return isRefusal(answer) ? refused(answer.refused) : { feature: 'replication', state: 'applied' };
}
