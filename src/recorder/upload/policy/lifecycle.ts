/** A bucket's lifecycle: recordings become cheaper with age, and go. */
import type { LifecycleRule } from '@aws-sdk/client-s3';
import { type Bucket, isRefusal } from './bucket.ts';
import type { LifecycleDays, PolicyOutcome } from './types.ts';

/** A month to watch it again, a quarter to look something up, a year to keep it. */
export const DEFAULT_DAYS: Required<LifecycleDays> = { infrequent: 30, archive: 90, remove: 365, abort: 7 };

const FEATURES = ['remove', 'abort', 'infrequent', 'archive'] as const;
type Feature = (typeof FEATURES)[number];

/** Ours are known by their names, one for each feature and prefix; all others are left as they are. */
const ruleId = (feature: Feature, prefix: string) => `meet-recordings-${feature}${prefix && `@${prefix}`}`;

/**
 * Puts our rules for the location's prefix beside those of others. A server that refuses one of them gets the rest.
 * @throws MeetError when the bucket is not there or does not answer
 */
export async function applyLifecycle(bucket: Bucket, days: LifecycleDays): Promise<PolicyOutcome[]> {
  const { prefix } = bucket.location;
  const wanted = FEATURES.filter((feature) => days[feature] !== undefined);
  const before = await bucket.lifecycle();
  if (isRefusal(before)) return wanted.map((feature) => refusedBy(feature, before.refused));
  const ids = new Set(FEATURES.map((feature) => ruleId(feature, prefix)));
  const others = before.filter(({ ID }) => ID === undefined || !ids.has(ID));
  const rules = wanted.map((feature) => ruleOf(feature, days[feature] ?? 0, prefix));
  const isAsBefore = (rule: LifecycleRule) => before.some((known) => isSameRule(known, rule));
  const outcomes = wanted.map(
    (feature, index): PolicyOutcome => ({
      feature,
      state: isAsBefore(rules[index]!) ? 'unchanged' : 'applied',
    }),
  );
  const surplus = before.length - others.length > rules.length;
  if (!surplus && outcomes.every(({ state }) => state === 'unchanged')) return outcomes;
  if (!isRefusal(await bucket.setLifecycle([...others, ...rules])))
    return await confirmed(bucket, outcomes, rules);
  return await confirmed(bucket, ...(await applyOneByOne(bucket, others, wanted, rules)));
}

/** Says which rule is refused, and keeps the others. */
async function applyOneByOne(
  bucket: Bucket,
  others: readonly LifecycleRule[],
  features: readonly Feature[],
  rules: readonly LifecycleRule[],
): Promise<[PolicyOutcome[], LifecycleRule[]]> {
  const taken: LifecycleRule[] = [];
  const outcomes: PolicyOutcome[] = [];
  for (const [index, feature] of features.entries()) {
    const answer = await bucket.setLifecycle([...others, ...taken, rules[index]!]);
    if (isRefusal(answer)) {
      outcomes.push(refusedBy(feature, answer.refused));
    } else {
      taken.push(rules[index]!);
      outcomes.push({ feature, state: 'applied' });
    }
  }
  return [outcomes, taken];
}

/** What the server has is compared with what it took: some take what they do not do. */
async function confirmed(
  bucket: Bucket,
  outcomes: readonly PolicyOutcome[],
  rules: readonly LifecycleRule[],
): Promise<PolicyOutcome[]> {
  const after = await bucket.lifecycle();
  if (isRefusal(after)) return [...outcomes];
  const { prefix } = bucket.location;
  return outcomes.map((outcome) => {
    if (outcome.state === 'refused') return outcome;
    const id = ruleId(outcome.feature as Feature, prefix);
    const rule = rules.find(({ ID }) => ID === id);
    const isThere = rule !== undefined && after.some((known) => isSameRule(known, rule));
    return isThere ? outcome : refusedBy(outcome.feature, 'The server took the rule and does not have it.');
  });
}

const refusedBy = (feature: PolicyOutcome['feature'], reason: string): PolicyOutcome => ({
  feature,
  state: 'refused',
  reason,
});

function ruleOf(feature: Feature, days: number, prefix: string): LifecycleRule {
  const base = { ID: ruleId(feature, prefix), Status: 'Enabled', Filter: { Prefix: prefix } } as const;
  switch (feature) {
    case 'infrequent':
      return { ...base, Transitions: [{ Days: days, StorageClass: 'STANDARD_IA' }] };
    case 'archive':
      return { ...base, Transitions: [{ Days: days, StorageClass: 'GLACIER' }] };
    case 'remove':
      // In a bucket with versions the replaced live files, and what has expired, are still there and paid for.
      return { ...base, Expiration: { Days: days }, NoncurrentVersionExpiration: { NoncurrentDays: 7 } };
    case 'abort':
      return { ...base, AbortIncompleteMultipartUpload: { DaysAfterInitiation: days } };
  }
}

function isSameRule(one: LifecycleRule, other: LifecycleRule): boolean {
  return one.ID === other.ID && one.Status === other.Status && sentence(one) === sentence(other);
}

/** What a rule does, for people. */
export function sentence(rule: LifecycleRule): string {
  const {
    Transitions = [],
    Expiration,
    AbortIncompleteMultipartUpload: abort,
    NoncurrentVersionExpiration,
  } = rule;
  const parts = [
    ...Transitions.map(({ Days, Date: date, StorageClass }) =>
      Days === undefined
        ? `on ${date?.toISOString()} to ${StorageClass}`
        : `after ${Days} days to ${StorageClass}`,
    ),
    ...(Expiration?.Days === undefined ? [] : [`after ${Expiration.Days} days deleted`]),
    ...(NoncurrentVersionExpiration?.NoncurrentDays === undefined
      ? []
      : [`replaced versions after ${NoncurrentVersionExpiration.NoncurrentDays} days deleted`]),
    ...(abort === undefined ? [] : [`unfinished uploads after ${abort.DaysAfterInitiation} days aborted`]),
  ];
  return parts.length > 0 ? parts.join(', ') : 'something else';
}
