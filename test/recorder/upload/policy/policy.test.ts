/** A bucket's lifecycle and replication: ours is written, and that of others stays. */

import { createHash } from 'node:crypto';
import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketReplicationCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketReplicationCommand,
} from '@aws-sdk/client-s3';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createS3Client } from '../../../../src/objects/client.ts';
import { parseObjectLocation, type S3Location } from '../../../../src/objects/location.ts';
import { DEFAULT_DAYS } from '../../../../src/recorder/upload/policy/lifecycle.ts';
import { applyPolicy, showPolicy } from '../../../../src/recorder/upload/policy/policy.ts';
import { startS3, type TestS3 } from '../../../support/s3.ts';
import { locationOf } from '../recordings.ts';

const ROLE = 'arn:aws:iam::123456789012:role/replication';
let s3: TestS3;
beforeEach(async () => {
  s3 = await startS3();
  return () => s3.stop();
});

function connect() {
  const location = parseObjectLocation(locationOf(s3)) as S3Location;
  const client = createS3Client(location, { credentials: s3.credentials });
  onTestFinished(() => client.destroy());
  // As the server wants it of everybody.
  client.middlewareStack.add(
    (next) => (given) => {
      const { request } = given as { request: { body?: unknown; headers: Record<string, string> } };
      request.headers['content-md5'] = createHash('md5').update(String(request.body)).digest('base64');
      return next(given);
    },
    { step: 'build', priority: 'low' },
  );
  return { location, client, Bucket: s3.bucket };
}

test('beside the rules of others, whose role it has to share', async () => {
  const { location, client, Bucket } = connect();
  const credentials = { credentials: s3.credentials };
  const theirs = {
    ID: 'theirs',
    Status: 'Enabled',
    Filter: { Prefix: 'logs/' },
    Expiration: { Days: 3 },
  } as const;
  await client.send(
    new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [theirs] } }),
  );
  await client.send(
    new PutBucketReplicationCommand({
      Bucket,
      ReplicationConfiguration: {
        Role: ROLE,
        Rules: [
          {
            ID: 'theirs',
            Priority: 4,
            Status: 'Enabled',
            Filter: { Prefix: 'logs/' },
            DeleteMarkerReplication: { Status: 'Disabled' },
            Destination: { Bucket: 'arn:aws:s3:::logs' },
          },
        ],
      },
    }),
  );

  const policy = { days: DEFAULT_DAYS, replication: { bucket: 'second', role: ROLE } };
  const first = await applyPolicy(location, policy, credentials);
  expect(first.outcomes.map(({ state }) => state)).toEqual(Array(5).fill('applied'));
  const { Rules: rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
  expect(rules).toHaveLength(5);
  expect(rules).toContainEqual(theirs);
  expect(rules.filter(({ ID }) => ID !== 'theirs').every(({ Filter }) => Filter?.Prefix === 'rec/')).toBe(
    true,
  );
  expect(rules.flatMap(({ Transitions = [] }) => Transitions)).toEqual([
    { Days: 30, StorageClass: 'STANDARD_IA' },
    { Days: 90, StorageClass: 'GLACIER' },
  ]);
  const { ReplicationConfiguration: replication } = await client.send(
    new GetBucketReplicationCommand({ Bucket }),
  );
  expect(replication?.Rules).toMatchObject([
    { ID: 'theirs', Priority: 4 },
    { Priority: 5, Filter: { Prefix: 'rec/' }, Destination: { Bucket: 'arn:aws:s3:::second' } },
  ]);

  const second = await applyPolicy(location, policy, credentials);
  expect(second.outcomes.map(({ state }) => state)).toEqual(Array(5).fill('unchanged'));
  const shown = await showPolicy(location, credentials);
  expect(shown.replication).toContainEqual(
    expect.objectContaining({ does: 'copied to arn:aws:s3:::second' }),
  );

  const other = { ...policy, replication: { bucket: 'second', role: `${ROLE}-2` } };
  expect((await applyPolicy(location, other, credentials)).outcomes.at(-1)).toMatchObject({
    feature: 'replication',
    state: 'refused',
    reason: expect.stringContaining(ROLE),
  });
});

test('what is switched off goes', async () => {
  const { location, client, Bucket } = connect();
  const credentials = { credentials: s3.credentials };
  await applyPolicy(location, { days: DEFAULT_DAYS }, credentials);
  await applyPolicy(location, { days: { remove: 30 } }, credentials);
  const { Rules: rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
  expect(rules.map(({ Expiration }) => Expiration?.Days)).toEqual([30]);
});

test.each([
  ['wrong credentials', {}, 'refused the credentials'],
  ['no such bucket', { bucket: 'elsewhere' }, 'There is no bucket elsewhere.'],
])('%s is an error and no refusal', async (_what, changes, sentence) => {
  const { location } = connect();
  const credentials = 'bucket' in changes ? s3.credentials : { ...s3.credentials, secretAccessKey: 'wrong' };
  await expect(
    applyPolicy({ ...location, ...changes }, { days: DEFAULT_DAYS }, { credentials }),
  ).rejects.toMatchObject({ code: 'storage-failed', message: expect.stringContaining(sentence) });
});
