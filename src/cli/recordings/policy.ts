import { resolve } from 'node:path';
import { parseObjectLocation, type S3Location } from '../../objects/location.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import { findExpired, removeExpired } from '../../recorder/upload/index.ts';
import type { PolicyCommandOptions } from '../commands/recordings/policy.ts';
import type { Output } from '../output.ts';

interface Deps {
  readonly output: Output;
}

const FEATURES = {
  infrequent: 'to STANDARD_IA',
  archive: 'to GLACIER',
  remove: 'deletion',
  abort: 'abortion of unfinished uploads',
  replication: 'replication',
} as const;

/** Shows or writes a bucket's lifecycle and replication, or does in a folder what a bucket does by itself. */
export async function runPolicy({ output }: Deps, options: PolicyCommandOptions): Promise<number> {
  const location = parseObjectLocation(options.s3 ?? options.dir);
  if ((options.replicateTo === undefined) !== (options.role === undefined)) {
    throw new MeetError('bad-config', 'A replication needs both a bucket and a role.', {
      hint: 'Give --replicate-to and --role.',
    });
  }
  if (location.kind === 'folder') return await expire(output, resolve(location.path), options);
  return options.apply ? await apply(output, location, options) : await show(output, location);
}

/** Refused by the server is not done. */
async function apply(output: Output, location: S3Location, options: PolicyCommandOptions): Promise<number> {
  const { applyPolicy } = await import('../../recorder/upload/policy/policy.ts');
  const { infrequent, archive, delete: remove, abort, replicateTo, role } = options;
  const report = await applyPolicy(location, {
    days: {
      infrequent: infrequent || undefined,
      archive: archive || undefined,
      remove: remove || undefined,
      abort: abort || undefined,
    },
    ...(replicateTo !== undefined && role !== undefined && { replication: { bucket: replicateTo, role } }),
  });
  output.event('policy', { ...report });
  for (const { feature, state, reason } of report.outcomes) {
    const what = FEATURES[feature];
    if (state === 'refused') output.note(`${what}: the server refused it: ${reason}`);
    else output.line(`${what}: ${state === 'applied' ? 'written' : 'as it was'}`);
  }
  return report.outcomes.some(({ state }) => state === 'refused') ? EXIT.refused : EXIT.done;
}

async function show(output: Output, location: S3Location): Promise<number> {
  const { showPolicy } = await import('../../recorder/upload/policy/policy.ts');
  const policy = await showPolicy(location);
  output.event('policy', { ...policy });
  for (const kind of ['lifecycle', 'replication'] as const) {
    const rules = policy[kind];
    if ('refused' in rules) output.line(`${kind}: ${rules.refused}`);
    else if (rules.length === 0) output.line(`${kind}: none`);
    else
      for (const { id, prefix, enabled, does } of rules)
        output.line(`${kind}: ${does} (${prefix || 'all'}, ${id}${enabled ? '' : ', off'})`);
  }
  return EXIT.done;
}

async function expire(output: Output, folder: string, options: PolicyCommandOptions): Promise<number> {
  if (options.replicateTo !== undefined)
    throw new MeetError('bad-config', 'A folder is not replicated.', { hint: 'Give a bucket with --s3.' });
  if (options.delete === false) return EXIT.done;
  const expired = await findExpired(folder, options.delete);
  for (const one of expired) {
    if (options.apply) await removeExpired(folder, one);
    const since = new Date(one.changedAt).toISOString();
    output.event(options.apply ? 'deleted' : 'expired', {
      id: one.name,
      changedAt: one.changedAt,
      bytes: one.bytes,
    });
    output.line(`${one.name}  ${options.apply ? 'deleted' : 'would be deleted'}, unchanged since ${since}`);
  }
  if (expired.length === 0) output.line(`Nothing in ${folder} is older than ${options.delete} days.`);
  return EXIT.done;
}
